"""WhatsApp Cloud API: prove a webhook, read it, send text."""

from f.channels.answers import acknowledged
from f.channels.meta_setup import check_number as check
from f.channels.meta_setup import subscribe_number as subscribe
from f.channels.signatures import confirm_meta as handshake
from f.channels.signatures import verify_meta as verify
from f.channels.whatsapp_parsing import parse
from f.channels.whatsapp_sending import RULES, send_template, send_text, show_typing, split_text

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
