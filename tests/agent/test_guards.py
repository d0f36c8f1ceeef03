"""What a contact may read."""

import pytest

from f.agent.guards import guard


@pytest.mark.parametrize(
    ("text", "allowed", "expected"),
    [
        ("All good.", "", ("All good.", "ok")),
        ("  ", "", ("I do not know.", "empty")),
        ("See https://a.example/x.", "… https://a.example/x …", ("See https://a.example/x.", "ok")),
        ("See https://b.example", "https://a.example", ("I do not know.", "foreign_link")),
        ("HTTPS://B.example", "", ("I do not know.", "foreign_link")),
        ("See a.example/ref", "https://a.example/refund", ("I do not know.", "foreign_link")),
        ("See a.example/refund.", "https://a.example/refund", ("See a.example/refund.", "ok")),
        ("Pay at evil.example/pay", "", ("I do not know.", "foreign_link")),
        ("www.evil.example", "", ("I do not know.", "foreign_link")),
        (
            "Write to help@a.example, 24/7, e.g. now.",
            "",
            ("Write to help@a.example, 24/7, e.g. now.", "ok"),
        ),
    ],
)
def test_only_words_and_known_links_reach_a_contact(text, allowed, expected):
    assert guard(text, "I do not know.", allowed) == expected
