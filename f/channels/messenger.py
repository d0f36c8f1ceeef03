"""Facebook Messenger: prove a webhook, read it, send text."""

from f.channels.parts import parts

__getattr__ = parts(
    {
        "RULES": "f.channels.messenger_sending:RULES",
        "acknowledged": "f.channels.answers:acknowledged",
        "check": "f.channels.meta_setup:check_page",
        "handshake": "f.channels.signatures:confirm_meta",
        "parse": "f.channels.messenger_parsing:parse",
        "send_text": "f.channels.messenger_sending:send_text",
        "show_typing": "f.channels.messenger_sending:show_typing",
        "split_text": "f.channels.messenger_sending:split_text",
        "subscribe": "f.channels.meta_setup:subscribe_page",
        "verify": "f.channels.signatures:verify_meta",
    }
)
