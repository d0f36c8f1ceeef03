"""Whatever a model writes, a vendor takes what we make of it."""

import pytest

import f.channels.registry as registry
from f.agent.guards import formatted
from f.channels.messages import Recipient
from tests.channels.test_sending import REFERENCE, bot, graph, number, page  # noqa: F401

WRITTEN = {
    "long": "word " * 5000,
    "one word": "x" * 20_000,
    "only emoji": "🧑‍🚒" * 3000,
    "only marks": "** __ ~~ `` ``````",
    "half marks": "**bold _and `code\n```\nopen [link](",
    "controls": "a\x00b\x07c\u202ed\ue000 e",
    "half characters": "a \ud800 b \udfff c",
    "nothing": " \n\t ",
    "a table": "| a | b |\n|---|---|\n| 1 | 2 |",
    "html": "<script>alert(1)</script><b>&amp;</b>",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("kind", ["telegram", "messenger", "twilio", "whatsapp"])
def test_l10_a_spoiled_reply_is_sent_in_pieces_that_the_vendor_takes(kind, text, request):
    stand_in = {"telegram": "bot", "messenger": "page", "twilio": "number", "whatsapp": "graph"}
    api, credentials = request.getfixturevalue(stand_in[kind])
    library = registry.library(kind)

    for piece in library.split_text(formatted(text)):
        library.send_text(credentials, Recipient("7700077"), piece, REFERENCE)

    assert all(one.text.strip() for one in api.accepted)
