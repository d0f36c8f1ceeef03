"""Channels that webhooks come to."""

import pytest

from tests.channels.vendors import add_channel, post
from tests.channels.webhooks import TWILIO_MESSAGE, reply_taken_as, says


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


@pytest.fixture
def sent(query, windmill):
    """A reply of ours that Twilio took as SM9."""
    add_channel(query, "twilio", "14155238886")
    post("twilio", "14155238886", TWILIO_MESSAGE | {"To": "whatsapp:+14155238886", "Body": "Hello"})
    reply_taken_as(query, "SM9")
