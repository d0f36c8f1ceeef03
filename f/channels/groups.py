"""In a group only what is meant for us is ours: by name, by number, or as a command."""

import re
import unicodedata

# Invisible marks that keyboards put around names: direction, joiners, variation.
INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
NUMBER = re.compile(r"\+?[0-9][0-9 ().-]{3,}")


def is_meant_for(text: str, mentioned: tuple[str, ...], names: list[str]) -> bool:
    """`names`: what the chatbot is called by, without @: user name, aliases, own number.

    A mention is an entity where the vendor marks one, else words: `@name` anywhere, or the name
    at the beginning with a comma or a colon.
    """
    known = {_plain(_mentioned_as(name)) for name in names if name}
    if known.intersection(map(_plain, mentioned)):
        return True
    text = _plain(text)
    return any(_is_called(text, name) for name in known)


def without_mention(text: str, names: list[str]) -> str:
    """What is left to answer; the text itself where nothing would be."""
    found = text
    marks = f"{INVISIBLE.pattern}{{0,3}}"  # bounded: a text may be nothing but such marks
    for name in sorted((_mentioned_as(name) for name in names if name), key=len, reverse=True):
        sign = f"{marks}{re.escape(name)}{marks}"
        found = re.sub(rf"{marks}(?<![\w@])@{sign}(?!\w)[,:]?", " ", found, flags=re.IGNORECASE)
        found = re.sub(rf"^\W*{sign}\s*[,:]", " ", found, flags=re.IGNORECASE)
    # Elsewhere they are the contact's: emoji and whole scripts are joined by them.
    return re.sub(r"[ \t]{2,}", " ", found).strip() or text


def _mentioned_as(name: str) -> str:
    """WhatsApp writes a mention of a number as its digits alone, and Meta shows the number as
    people write it: +1 415-523-8886."""
    return re.sub(r"\D", "", name) if NUMBER.fullmatch(name) else name


def _is_called(text: str, name: str) -> bool:
    sign = re.escape(name)
    return bool(
        re.search(rf"(?<![\w@])@{sign}(?!\w)", text) or re.match(rf"\W*{sign}\s*[,:]", text)
    )


def _plain(text: str) -> str:
    return INVISIBLE.sub("", unicodedata.normalize("NFC", text)).casefold().lstrip("+")
