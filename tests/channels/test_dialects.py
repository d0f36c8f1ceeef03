"""What a model writes in Markdown, in the words of each vendor, cut where it may be cut."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.splitting import CLUSTERS, LIMITS, faults_of
from bench.texts import PARTS, texts
from f.channels import dialects, markdown, registry
from f.channels.options import chosen, taken_apart
from f.channels.rich_text import RichText

SAMPLE = """# Delivery
It is **fast**, *cheap* and ~~slow~~ `safe`.
- [Prices](https://a.example/p)
  - 2*3*4 and snake_case
| City | Days |
|---|---|
| Lisbon | 1 |"""


def test_markdown_becomes_whatsapps_own_signs():
    assert dialects.whatsapp(markdown.read(SAMPLE)) == (
        "*Delivery*\n"
        "It is *fast*, _cheap_ and ~slow~ `safe`.\n"
        "• Prices (https://a.example/p)\n"
        "  ◦ 2*3*4 and snake_case\n"
        "City | Days\n"
        "Lisbon | 1"
    )


def test_messenger_shows_no_signs_at_all():
    assert dialects.plain(markdown.read("**Yes**: `1` [here](https://a.example)")) == (
        "Yes: 1 here (https://a.example)"
    )


def test_telegrams_marks_stand_beside_the_text_in_utf_16_units():
    text, entities = dialects.telegram(markdown.read("😀 **fat** [x](https://a.example)"))

    assert text == "😀 fat x"
    assert entities == [
        {"type": "bold", "offset": 3, "length": 3},
        {"type": "text_link", "offset": 7, "length": 1, "url": "https://a.example"},
    ]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("**bold\nover lines**", "**bold\nover lines**"),  # WhatsApp has no such thing
        ("**a**b", "ab"),  # nor marks inside a word
        ("** not bold **", "** not bold **"),
        (r"\*kept\*", "*kept*"),
        ("```\nx = **1**\n```", "```x = **1**```"),
        ("***both***", "_*both*_"),
        ("", ""),
    ],
)
def test_signs_that_would_do_nothing_are_not_written(source, shown):
    assert dialects.whatsapp(markdown.read(source)) == shown


@given(st.lists(st.sampled_from(PARTS)).map("".join))
@settings(deadline=None, max_examples=60)
def test_markdown_that_is_written_back_reads_the_same(source):
    rich = markdown.read(source)

    assert markdown.read(markdown.write(rich)).text == rich.text


@given(st.text())
@settings(deadline=None, max_examples=60)
def test_any_words_survive_being_written_as_markdown(text):
    rich = RichText(text.replace("\r", ""))

    assert markdown.read(markdown.write(rich)).text == rich.text


@pytest.mark.parametrize("kind", LIMITS)
def test_t04_t05_t10_generated_texts_keep_limits_words_and_marks(kind):
    """60 of the 10,000 that `python -m bench.splitting` takes."""
    long = "Word " * 2000 + "**fat and long " * 500 + "**"
    for text in [*texts(60), "x" * 100_000, CLUSTERS * 1_000, long]:
        assert faults_of(kind, text) == []


def test_a_link_and_a_code_are_not_cut_in_two():
    pieces = registry.library("twilio").split_text("a " * 790 + "[our prices](https://a.example/p)")

    assert len(pieces) == 2
    assert pieces[1] == "[our prices](https://a.example/p)"


def test_bold_that_is_cut_is_bold_in_both_pieces():
    first, second = registry.library("twilio").split_text("**" + "word " * 400 + "end**")

    assert first.startswith("**") and first.endswith("**")
    assert second.startswith("**") and second.endswith("**")


def test_options_stand_at_the_end_and_a_number_chooses_one():
    words, options = taken_apart("Which?\n- [Red](reply:)\n- [Blue one](reply:)")

    assert (words, [option.title for option in options]) == ("Which?", ["Red", "Blue one"])
    assert chosen(" 2.", "Which?\n- [Red](reply:)\n- [Blue one](reply:)") == "Blue one"
    assert chosen("3", "Which?\n- [Red](reply:)") is None
    assert chosen("2", "no options") is None
