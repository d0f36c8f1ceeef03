"""CSV to sections: questions with their answers, or rows that name their columns."""

import csv
import io

import f.knowledge.tables as tables
from f.knowledge.plain_text import clean, decode
from f.knowledge.refusals import refused
from f.knowledge.sections import Section

SEPARATORS = ",;\t|"
MAX_CELL_CHARACTERS = 1_000_000
LOOKED_AT_CHARACTERS = 20_000

csv.field_size_limit(MAX_CELL_CHARACTERS)


def read(content: bytes) -> tuple[str, list[Section]]:
    text = clean(decode(content))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator(text)))
    except csv.Error as exc:
        raise refused("document_broken") from exc
    return "", tables.sections("", rows)


def separator(text: str) -> str:
    """The sign that parts most of the first rows into equally many cells."""
    lines = text[:LOOKED_AT_CHARACTERS].split("\n")[:50]

    def evenness(sign: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=sign) if row]
        usual = max(set(counts), key=counts.count) if counts else 0
        return (counts.count(usual) if usual > 1 else 0, usual)

    return max(SEPARATORS, key=evenness)
