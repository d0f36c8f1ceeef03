"""Telegram Bot API: prove a webhook, read it, send text."""

from f.channels.parts import parts

__getattr__ = parts(
    {
        "RULES": "f.channels.telegram_sending:RULES",
        "acknowledged": "f.channels.answers:acknowledged",
        "check": "f.channels.telegram_setup:check",
        "handshake": "f.channels.signatures:refuse_handshake",
        "parse": "f.channels.telegram_parsing:parse",
        "send_text": "f.channels.telegram_sending:send_text",
        "show_typing": "f.channels.telegram_sending:show_typing",
        "split_text": "f.channels.telegram_sending:split_text",
        "subscribe": "f.channels.telegram_setup:subscribe",
        "verify": "f.channels.signatures:verify_telegram",
    }
)
