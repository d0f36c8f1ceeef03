"""Telegram Bot API: prove a webhook, read it, send text."""

from f.channels.answers import acknowledged
from f.channels.signatures import refuse_handshake as handshake
from f.channels.signatures import verify_telegram as verify
from f.channels.telegram_parsing import parse
from f.channels.telegram_sending import RULES, send_text, show_typing, split_text
from f.channels.telegram_setup import check, subscribe

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
