"""Sections to chunks: pieces of about 200 tokens that end where a thought ends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import semantic_text_splitter  # pin: semantic-text-splitter==0.33.1

import f.knowledge.file_types as file_types
from f.knowledge.extraction import Extracted
from f.knowledge.refusals import refused

MAX_TOKENS = 200
# This vocabulary is inside the package; that other models count a little differently is no harm.
VOCABULARY = "gpt-4o"
# 10 MB of prose give 13,000; a file of nothing but headings would give a million.
MAX_CHUNKS = 30_000
# The splitter's time grows faster than the text: seconds for 10 MB in blocks, minutes in one.
MAX_BLOCK_CHARACTERS = 20_000
ENDLESS_WORD = re.compile(r"\S{500}(?=\S)")


@dataclass(frozen=True)
class Chunk:
    position: int
    heading_path: list[str]
    page: int | None
    content: str
    question: str | None = None


def split(extracted: Extracted) -> list[Chunk]:
    """Raises InputRefused when there would be too many."""
    splitter = splitter_for(extracted.media_type)
    chunks: list[Chunk] = []
    for section in extracted.sections:
        for block in blocks(ENDLESS_WORD.sub(r"\g<0> ", section.text)):
            for content in splitter.chunks(block):
                chunks.append(
                    Chunk(
                        position=len(chunks),
                        heading_path=section.heading_path,
                        page=section.page,
                        content=content,
                        question=section.question,
                    )
                )
        if len(chunks) > MAX_CHUNKS:
            raise refused("document_too_large")
    return chunks


def splitter_for(media_type: str):
    """The other formats were read into Markdown: its tables and lists are kept whole."""
    if media_type in (file_types.TEXT, file_types.PDF, file_types.CSV, file_types.XLSX):
        return semantic_text_splitter.TextSplitter.from_tiktoken_model(VOCABULARY, MAX_TOKENS)
    return semantic_text_splitter.MarkdownSplitter.from_tiktoken_model(VOCABULARY, MAX_TOKENS)


def blocks(text: str) -> Iterator[str]:
    start = 0
    while len(text) - start > MAX_BLOCK_CHARACTERS:
        end = start + MAX_BLOCK_CHARACTERS
        breaks = (text.rfind(mark, start + 1, end) for mark in ("\n\n", "\n", " "))
        end = next((found for found in breaks if found > 0), end)
        yield text[start:end]
        start = end
    yield text[start:]


def embedding_texts(title: str, chunk: Chunk) -> list[str]:
    """What the vector is made of: the mean of what the model makes of each of these texts.

    People ask in nearly the words of a question that the document asks itself, so it counts once
    more for itself.
    """
    text = embedding_text(title, chunk)
    return [text, chunk.question] if chunk.question else [text]


def embedding_text(title: str, chunk: Chunk) -> str:
    """A piece alone often lacks the word that people ask with."""
    path = chunk.heading_path if chunk.heading_path[:1] == [title] else [title, *chunk.heading_path]
    lines = [" > ".join(filter(None, path)), chunk.content]
    if chunk.question and chunk.question not in path:
        lines.insert(1, chunk.question)
    return "\n".join(filter(None, lines))
