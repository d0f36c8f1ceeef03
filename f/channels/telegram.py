"""Telegram Bot API: prove a webhook, read it, send text."""

from f.channels.messages import Delivery
from f.channels.parts import parts

# What a pressed button is kept under; messages have `chat:number`.
BUTTON_PREFIX = "button:"

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


def accepted(deliveries: list[Delivery]) -> dict:
    """A pressed button stops waiting by the answer to its webhook: Telegram carries out the call in
    it and tells nobody what became of it, so that no message may be sent this way; of a press
    nobody needs to know. A call of our own would keep Telegram waiting for both."""
    answer = __getattr__("acknowledged")(None)
    for item in (item for delivery in deliveries for item in delivery.items):
        key = getattr(item, "provider_message_id", None) or ""
        if key.startswith(BUTTON_PREFIX):
            press_id = key.removeprefix(BUTTON_PREFIX)
            answer["result"] = {"method": "answerCallbackQuery", "callback_query_id": press_id}
    return answer
