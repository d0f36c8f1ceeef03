"""Text as a reader or a chat app takes it, for rules that its spelling must not fool."""

import html
import re
import unicodedata
from urllib.parse import unquote

# Signs that stand for another one, or vanish, where a browser or an eye reads them.
DOTS = re.compile("[\u3002\uff61\u2024\u00b7\u2027\ufe52\uff0e]")
SLASHES = re.compile("[\u2044\u2215\u29f8\uff0f\\\\]")
WRITTEN_DOT = re.compile(r"\s*[\[({<]\s*(?:\.|dot|punto|ponto|punkt|point)\s*[\])}>]\s*", re.I)
SPOKEN_DOT = re.compile(r"(?<=\w)\s+(?:dot|d0t)\s+(?=\w)", re.I)
WRITTEN_AT = re.compile(r"\s*[\[({<]\s*(?:@|at)\s*[\])}>]\s*", re.I)
WRITTEN_SCHEME = re.compile(r"\bh(?:xx|\*\*|tt)p(s?)\s*(?:\[:\]|:)\s*(?=/)", re.I)
SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")


def visible(text: str) -> str:
    """Without control characters and what is drawn as nothing; line breaks and tabs stay."""
    return "".join(one for one in text if one in "\n\t" or not _is_invisible(one))


def _is_invisible(character: str) -> bool:
    # A joiner makes one emoji of several; it draws nothing between letters.
    return character not in "\u200d\ufe0f" and unicodedata.category(character) in (
        "Cc",
        "Cf",
        "Co",
        "Cs",
        "Cn",
    )


def unmasked(text: str) -> str:
    """One form for what looks alike: entities, percent signs, wide letters, `[.]`, ` dot `."""
    text = html.unescape(text)
    text = "".join(one for one in text if one in "\n\t" or unicodedata.category(one)[0] != "C")
    text = unicodedata.normalize("NFKC", unquote(text))
    text = SLASHES.sub("/", DOTS.sub(".", text))
    text = WRITTEN_AT.sub("@", SPOKEN_DOT.sub(".", WRITTEN_DOT.sub(".", text)))
    return WRITTEN_SCHEME.sub(r"http\1:", text)


def letters(text: str) -> str:
    """Letters and digits alone, in lower case."""
    return "".join(one for one in unmasked(text).casefold() if one.isalnum())


def words(text: str) -> list[str]:
    return re.findall(r"\w+", unmasked(text).casefold())


def sentences(text: str) -> list[str]:
    return SENTENCE_END.split(text)


def spoken(text: str) -> str:
    """Its words as they stand, in lower case, with nothing between them but a space."""
    return " ".join(re.findall(r"\w+", text.casefold()))
