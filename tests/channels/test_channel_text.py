"""Text is cut where a reader would cut it, and nothing of it is lost."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from f.channels.rich_text import RichText, utf16_length
from f.channels.splitting import split_markdown, split_rich


def split(text: str, limit: int) -> list[str]:
    """Words without any marks, so that only where they are cut shows."""
    return [piece.text for piece in split_rich(RichText(text), limit, lambda rich: rich.text)]


FAMILY = "👨‍👩‍👧‍👦"
PARTS = [
    *(FAMILY, "👍🏽", "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️", "é", "ö̲", "각", "क्षि", "น้ำ", "\r\n"),
    *(" ", "\n", "\n\n", ". ", "! ", "word", "。", "مرحبا", "```", "https://a.example/b?c"),
]
EUROPEAN_OR_EMOJI = st.characters(max_codepoint=0x24F) | st.characters(
    min_codepoint=0x1F1E6, max_codepoint=0x1FAFF
)
MIXED = st.lists(st.sampled_from(PARTS) | EUROPEAN_OR_EMOJI).map("".join)


@given(MIXED | st.text(), st.integers(1, 40))
@example("a" + "\u0301" * 50, 5)
@example(" " * 50 + "a", 5)
@settings(deadline=None)
def test_pieces_keep_to_the_limit_and_lose_nothing_but_white_space(text, limit):
    pieces = split(text, limit)

    assert all(0 < len(piece) <= limit and piece.strip() for piece in pieces)
    assert _without_space("".join(pieces)) == _without_space(text)


@given(MIXED, st.integers(12, 40))
@settings(deadline=None)
def test_no_emoji_and_no_accented_letter_is_broken(text, limit):
    clusters = _clusters(text.strip())

    pieces = split(text, limit)

    if all(utf16_length(cluster) <= limit for cluster in clusters):
        assert [cluster for piece in pieces for cluster in _clusters(piece)] == clusters


@given(st.lists(st.text("abc", min_size=1, max_size=9), min_size=1), st.integers(9, 40))
@settings(deadline=None)
def test_no_word_is_broken_that_fits(words, limit):
    assert " ".join(split(" ".join(words), limit)).split() == words


@pytest.mark.parametrize(
    "text, pieces",
    [
        ("One two.\n\nThree four five", ["One two.", "Three four five"]),
        ("One two three\nfour five six", ["One two three", "four five six"]),
        ("One two. Three four five six", ["One two.", "Three four five six"]),
        ("one two three four five", ["one two three four", "five"]),
        (
            "今日は晴れです。明日は雨が降るそうです。",
            ["今日は晴れです。", "明日は雨が降るそうです。"],
        ),
    ],
)
def test_paragraphs_come_before_lines_before_sentences_before_words(text, pieces):
    assert split(text, 19) == pieces


def test_a_code_block_that_fits_stays_whole():
    code = "```\nfirst line\nsecond line\n```"

    pieces = split_markdown(f"Try this one:\n\n{code}", 34, lambda rich: rich.text, True)

    assert pieces == ["Try this one:", code]


def test_a_text_that_fits_is_one_piece_and_blanks_are_none():
    assert split("  hello ", 5) == ["hello"]
    assert split(" \n ", 5) == []


def test_t05_a_word_of_a_megabyte_is_cut_at_the_limit():
    pieces = split("x" * 1_000_000, 4096)

    assert len(pieces) == 245
    assert "".join(pieces) == "x" * 1_000_000


def test_t04_a_letter_with_more_marks_than_fit_is_cut_rather_than_refused():
    assert [len(piece) for piece in split("a" + "\u0301" * 9, 5)] == [5, 5]


def _without_space(text: str) -> str:
    return "".join(text.split())


def _clusters(text: str) -> list[str]:
    regex = pytest.importorskip("regex", reason="it judges what one letter is")
    return [cluster for cluster in regex.findall(r"\X", text) if cluster.strip()]
