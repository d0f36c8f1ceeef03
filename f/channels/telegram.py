"""Telegram Bot API: prove a webhook, read it, send text."""

from f.channels.parts import parts

# What a pressed button is kept under; messages have `chat:number`.
BUTTON_PREFIX = "button:"

__getattr__ = parts(
    {
        "RULES": "f.channels.telegram_sending:RULES",
        "acknowledged": "f.channels.answers:acknowledged",
        "answer_press": "f.channels.telegram_sending:answer_press",
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


def confirm_press(credentials: dict, message_id: str) -> None:
    """Of what is no press nothing is imported: most webhooks bring none."""
    if message_id.startswith(BUTTON_PREFIX):
        __getattr__("answer_press")(credentials, message_id.removeprefix(BUTTON_PREFIX))
