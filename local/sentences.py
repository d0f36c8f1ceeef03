"""Whole sentences out of whatever text a tool answered with: JSON, Markdown or plain."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from local.tables import is_table_row, rows_as_sentences

SENTENCE_END = re.compile(r"(?<=[.!?。！？])[\"')\]]*\s+(?=[\"'(\[]?[^\sa-z])|(?<=[。！？])")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|approx|incl|no|vs|mr|mrs|ms|dr|st)\.$", re.I)
HEADING = re.compile(r"\s*#{1,6}\s+(.+?)#*\s*$")
NEW_PARAGRAPH = re.compile(r"\s*(?:[-*+•]|\d+[.)]|>)\s")
RULE = re.compile(r"\s*[-=_*]{3,}\s*$")
FEWEST_WORDS = 3
LONGEST_SENTENCE = 450


@dataclass(frozen=True)
class Passage:
    heading: str
    text: str


@dataclass(frozen=True)
class Sentence:
    """`heading` is what it stands under: a question in the text counts as one."""

    text: str
    heading: str
    passage: int


def sentences_of(answers: list[str]) -> list[Sentence]:
    """In the order of the passages; headings, questions, markup and repetitions left out."""
    found: dict[str, Sentence] = {}
    passages = [passage for answer in answers for passage in passages_of(answer)]
    for number, passage in enumerate(passages):
        heading = passage.heading
        for text, is_heading in parts_of(passage.text):
            if is_heading:
                heading = text
            elif is_sentence(text):
                found.setdefault(text, Sentence(text, heading, number))
    return list(found.values())


def passages_of(answer: str) -> list[Passage]:
    try:
        return list(passages_in(json.loads(answer)))
    except ValueError:
        return [Passage("", answer)]


def passages_in(value: object) -> Iterator[Passage]:
    """Only what is named as text: ids and scores are not said to anybody."""
    if isinstance(value, str):
        yield Passage("", value)
    elif isinstance(value, list):
        for item in value:
            yield from passages_in(item)
    elif isinstance(value, dict):
        for name in ("text", "content"):
            if isinstance(value.get(name), str):
                yield Passage(heading_of(value), value[name])
                return
        for name in ("passages", "results", "content"):
            yield from passages_in(value.get(name))


def heading_of(value: dict) -> str:
    headings = value.get("heading") or value.get("heading_path") or ""
    heading = headings if isinstance(headings, str) else " > ".join(map(str, headings))
    title = str(value.get("title") or "")
    return heading if heading.startswith(title) else f"{title}: {heading}".rstrip(": ")


def parts_of(text: str) -> Iterator[tuple[str, bool]]:
    """Sentences, and whether each is rather a heading of those after it."""
    for block in blocks_of(text):
        heading = HEADING.match(block[0])
        if heading:
            yield plain(heading[1]), True
        elif is_table_row(block[0]):
            yield from ((sentence, False) for sentence in map(plain, rows_as_sentences(block)))
        else:
            for sentence in split(plain(" ".join(block))):
                yield sentence, sentence.endswith("?")


def blocks_of(text: str) -> Iterator[list[str]]:
    """Lines that belong together: a paragraph, a list item, a table, a heading."""
    block: list[str] = []
    for line in text.splitlines():
        is_apart = not line.strip() or RULE.match(line)
        if block and (is_apart or begins_block(line, block[0])):
            yield block
            block = []
        if not is_apart:
            block.append(line.strip())
    if block:
        yield block


def begins_block(line: str, first: str) -> bool:
    is_marked = HEADING.match(line) or HEADING.match(first) or NEW_PARAGRAPH.match(line)
    return bool(is_marked) or is_table_row(line) != is_table_row(first)


def plain(markdown: str) -> str:
    text = re.sub(r"^(?:[-*+•>]|\d+[.)])\s+", "", markdown)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__|`|(?<!\w)[*_]|[*_](?!\w))", "", text)
    return re.sub(r"\s+", " ", text).strip()


def split(paragraph: str) -> list[str]:
    parts: list[str] = []
    for part in SENTENCE_END.split(paragraph):
        if parts and ABBREVIATION.search(parts[-1]):
            parts[-1] = f"{parts[-1]} {part}"
        elif part.strip():
            parts.append(part.strip())
    return parts


def is_sentence(text: str) -> bool:
    words = re.findall(r"\w+", text)
    is_long_enough = len(words) >= FEWEST_WORDS or re.search(r"[^\x00-\u024f]{6}", text)
    return bool(is_long_enough) and len(text) <= LONGEST_SENTENCE and not text.endswith(":")
