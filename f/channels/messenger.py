"""Facebook Messenger: prove a webhook, read it, send text."""

from f.channels.answers import acknowledged
from f.channels.messenger_parsing import parse
from f.channels.messenger_sending import RULES, send_text, show_typing, split_text
from f.channels.meta_setup import check_page as check
from f.channels.meta_setup import subscribe_page as subscribe
from f.channels.signatures import confirm_meta as handshake
from f.channels.signatures import verify_meta as verify

__all__ = [
    "RULES",
    "acknowledged",
    "check",
    "handshake",
    "parse",
    "send_text",
    "show_typing",
    "split_text",
    "subscribe",
    "verify",
]
