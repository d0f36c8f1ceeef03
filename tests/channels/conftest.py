"""Channels that webhooks come to."""

import pytest

from tests.channels.vendors import add_channel
from tests.channels.webhooks import reply_taken_as, says


@pytest.fixture
def page(query, windmill):
    return add_channel(query, "messenger", "1")


@pytest.fixture
def number(query, windmill):
    return add_channel(query, "whatsapp", "100")


@pytest.fixture
def replied(query, page):
    """A reply of ours to the contact: its own id; the vendor's is m_out."""
    says("Hello")
    return reply_taken_as(query, "m_out")


@pytest.fixture
def bot(query, windmill):
    return add_channel(query, "telegram", "4242", settings={"names": ["AcmeHelpBot"]})
