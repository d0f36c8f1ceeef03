"""Commands that a contact may write on every channel, in their language, and their replies."""

import re
import unicodedata
from dataclasses import dataclass

from f.channels.command_words import COMMANDS, REPLIES, WORDS

SLASH = re.compile(r"/([^\s@/]{1,40})(?:@(\w{1,64}))?(?:\s+(.*))?", re.DOTALL)
# Only with a slash: people say these words about other things too.
ONLY_WITH_SLASH = ("stats", "feedback")
OFFERED = ("human", "clear", "stop")
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True)
class Command:
    """`language`: of the word that was used; `addressee`: the bot that a group's command names;
    `rest`: what stood behind it."""

    name: str
    language: str | None
    addressee: str | None = None
    rest: str = ""


def read(text: str, settings: dict) -> Command | None:
    """A command is the whole message, or begins with a slash; a sentence with the word in it is
    none."""
    text = text.strip()
    if len(text) > 4000:
        return None
    slashed = SLASH.fullmatch(text)
    if slashed:
        found = _named(slashed[1], settings)
        return found and Command(*found, slashed[2], (slashed[3] or "").strip())
    found = _named(text.rstrip(" .!"), settings) if len(text) <= 60 else None
    return None if found is None or found[0] in ONLY_WITH_SLASH else Command(*found)


def reply_to(
    command: str, text: str, language: str | None, settings: dict, facts: dict[str, object]
) -> str:
    """What to answer, in Markdown with options. `facts`: name, asked, answered, since."""
    read_again = read(text, settings)
    language = spoken((read_again and read_again.language) or language, settings)
    own = settings.get("commands", {}).get(command, {}).get("reply")
    is_empty = command == "feedback" and not (read_again and read_again.rest)
    reply = own or REPLIES[language]["feedback_empty" if is_empty else command]
    for name, value in facts.items():  # format() would stumble over braces of an organization
        reply = reply.replace(f"{{{name}}}", str(value))
    if command != "help":
        return reply
    offered = [_first_word(name, language, settings) for name in OFFERED]
    return "\n".join([reply, "", *(f"- [{word}](reply:)" for word in offered)])


def _named(word: str, settings: dict) -> tuple[str, str | None] | None:
    """An organization's own words go before ours, and may take one of ours for something else."""
    word = _plain(word)
    for name in COMMANDS:
        own = settings.get("commands", {}).get(name, {}).get("words") or ()
        if word in map(_plain, own):
            return name, None
    for language, words in WORDS.items():
        for name in COMMANDS:
            if word in map(_plain, words[name]) and _is_spoken(language, name, settings):
                return name, language if language != DEFAULT_LANGUAGE else None
    return None


def _is_spoken(language: str, name: str, settings: dict) -> bool:
    """Where a channel says which languages are spoken there, words of others are only words; but
    whoever writes STOP is understood everywhere."""
    is_everywhere = language == DEFAULT_LANGUAGE and name in ("stop", "start")
    return is_everywhere or language in (settings.get("command_languages") or WORDS)


def spoken(language: str | None, settings: dict) -> str:
    """The language that our own words are said in: the contact's, or the channel's."""
    for candidate in (language, settings.get("language")):
        short = (candidate or "").replace("_", "-").partition("-")[0].lower()
        if short in REPLIES:
            return short
    return DEFAULT_LANGUAGE


def _first_word(name: str, language: str, settings: dict) -> str:
    own = settings.get("commands", {}).get(name, {}).get("words") or ()
    return [*own, *WORDS[language][name]][0].capitalize()


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
