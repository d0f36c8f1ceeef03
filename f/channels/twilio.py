"""WhatsApp through Twilio, messages and Conversations: prove a webhook, read it, send text."""

from f.channels.answers import acknowledged_in_twiml as acknowledged
from f.channels.signatures import refuse_handshake as handshake
from f.channels.signatures import verify_twilio as verify
from f.channels.twilio_parsing import parse
from f.channels.twilio_sending import RULES, send_template, send_text, show_typing, split_text
from f.channels.twilio_setup import check

__all__ = [
    "RULES",
    "acknowledged",
    "check",
    "handshake",
    "parse",
    "send_template",
    "send_text",
    "show_typing",
    "split_text",
    "subscribe",
    "verify",
]


def subscribe(credentials: dict) -> None:
    """Nothing to call: a sender's addresses are entered in Twilio's console."""
