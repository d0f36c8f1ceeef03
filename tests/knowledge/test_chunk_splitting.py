"""Chunks hold every word, none of them too many, each with the headings above it."""

import re
import string

from hypothesis import given, settings
from hypothesis import strategies as st
from semantic_text_splitter import TextSplitter

from f.knowledge.chunks import MAX_BLOCK_CHARACTERS, Chunk, embedding_text, split
from f.knowledge.extraction import Extracted
from f.knowledge.sections import Section
from tests.knowledge.reading_here import extract

SPLITTER = TextSplitter.from_tiktoken_model("gpt-4o", 200)

ASCII = string.ascii_letters + string.digits
words = st.text(ASCII, min_size=1, max_size=12)
words_of_any_script = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)


def texts_of(words):
    return st.lists(words, min_size=1, max_size=400).map(" ".join)


media_types = st.sampled_from(["text/plain", "text/markdown"])


def split_text(text: str, media_type: str = "text/plain") -> list[Chunk]:
    return split(Extracted("Title", media_type, [Section(["Title", "Part"], 3, text)]))


@settings(deadline=None, max_examples=60)
@given(text=texts_of(words), media_type=media_types)
def test_every_word_is_whole_in_a_chunk(text, media_type):
    found = " ".join(chunk.content for chunk in split_text(text, media_type)).split()

    assert found == text.split()


# Scripts without spaces, and signs inside a word, may be parted where Unicode ends a sentence.
@settings(deadline=None, max_examples=60)
@given(text=texts_of(words_of_any_script), media_type=media_types)
def test_every_character_of_any_script_is_in_a_chunk(text, media_type):
    found = "".join(chunk.content for chunk in split_text(text, media_type))

    assert "".join(found.split()) == "".join(text.split())


@settings(deadline=None, max_examples=30)
@given(text=texts_of(words_of_any_script))
def test_no_chunk_is_over_the_limit(text):
    for chunk in split_text(text):
        # A splitter with the same room leaves it whole.
        assert SPLITTER.chunks(chunk.content) == [chunk.content]


def test_chunks_keep_their_place_headings_and_page():
    found = split_text("One sentence. " * 200)

    assert [chunk.position for chunk in found] == list(range(len(found)))
    assert {(tuple(chunk.heading_path), chunk.page) for chunk in found} == {(("Title", "Part"), 3)}


def test_headings_are_never_mixed_in_one_chunk():
    extracted = extract("a.md", b"# A\n\nOne.\n\n## B\n\nTwo.\n\n## C\n\nThree.")

    assert [(chunk.heading_path, chunk.content) for chunk in split(extracted)] == [
        (["A"], "One."),
        (["A", "B"], "Two."),
        (["A", "C"], "Three."),
    ]


def test_a_text_longer_than_a_block_loses_no_word():
    text = "\n\n".join(f"Paragraph {number} says something." for number in range(2000))

    found = " ".join(chunk.content for chunk in split_text(text))

    assert len(text) > 2 * MAX_BLOCK_CHARACTERS
    assert re.findall(r"\d+", found) == [str(number) for number in range(2000)]


def test_title_and_headings_are_embedded_with_the_text_but_not_stored_in_it():
    chunk = Chunk(0, ["Guide", "Prices"], None, "Two euros.")

    assert embedding_text("Handbook", chunk) == "Handbook > Guide > Prices\nTwo euros."
    assert embedding_text("Guide", chunk) == "Guide > Prices\nTwo euros."
