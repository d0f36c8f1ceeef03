"""Bytes of a text file to characters, and characters to what may be stored."""

import codecs
import re
import unicodedata

from f.knowledge.refusals import refused
from f.knowledge.sections import Outline, Section
from f.shared.text import storable

MAX_CONTROLS_SHARE = 0.1
# Western languages stay below; Cyrillic or Greek bytes that are read as Western do not.
MAX_ACCENTED_SHARE = 0.3
LOOKED_AT_BYTES = 4096
MIN_ZEROS_SHARE = 0.7
# An accented Latin letter in UTF-7, which reads as plain ASCII.
UTF7_LETTER = re.compile(r"\+A[A-Za-z0-9+/]{2}-")
UTF8_SEQUENCE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
LINE_ENDS = re.compile(r"\r\n|[\r\f\v\x85\u2028\u2029]")
# Normalizing takes quadratic time on a long run of combining marks, so no run is long.
WORD = re.compile(r"\S{1,1000}")


def read(content: bytes) -> tuple[str, list[Section]]:
    outline = Outline()
    for line in LINE_ENDS.sub("\n", decode(content)).split("\n"):
        outline.line(line)
    return "", outline.sections()


def decode(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return decode_utf16(content, "utf-16")
    if unmarked := unmarked_utf16(content):
        return decode_utf16(content, unmarked)
    try:
        text = content.decode("utf-8-sig", "surrogatepass")
    except UnicodeDecodeError:
        return decode_western(content)
    if text.isascii() and len(UTF7_LETTER.findall(text)) > 1:
        raise refused("document_encoding_unknown")
    if len(CONTROLS.findall(text)) > MAX_CONTROLS_SHARE * len(text):
        raise refused("document_type_unknown")
    return text


def unmarked_utf16(content: bytes) -> str:
    """Its codec, when every second byte of the beginning is nearly always zero: Western text."""
    start = content[:LOOKED_AT_BYTES]
    for codec, zeros, letters in (("utf-16-le", 1, 0), ("utf-16-be", 0, 1)):
        zero_count = start[zeros::2].count(0)
        if zero_count > MIN_ZEROS_SHARE * len(start) / 2 and not start[letters::2].count(0):
            return codec
    return ""


def decode_utf16(content: bytes, codec: str) -> str:
    try:
        return content.decode(codec, "surrogatepass")
    except UnicodeDecodeError as exc:
        raise refused("document_broken") from exc


def decode_western(content: bytes) -> str:
    """Windows-1252 gives almost any bytes some characters: take them only if they look right."""
    if CONTROLS.search(content.decode("latin-1")):
        raise refused("document_type_unknown")
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError as exc:
        raise refused("document_encoding_unknown") from exc
    letters = [character for character in text if character.isalpha()]
    accented = sum(not letter.isascii() for letter in letters)
    if UTF8_SEQUENCE.search(content) or accented > MAX_ACCENTED_SHARE * len(letters):
        raise refused("document_encoding_unknown")
    return text


def clean(text: str) -> str:
    """No NUL or lone surrogate, which Postgres refuses; one form for each accented letter."""
    text = storable(CONTROLS.sub("", LINE_ENDS.sub("\n", text)))
    if text.isascii():
        return text
    return WORD.sub(lambda word: unicodedata.normalize("NFC", word[0]), text)
