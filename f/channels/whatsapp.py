"""WhatsApp Cloud API: prove a webhook, read it, send text."""

from f.channels.parts import parts

__getattr__ = parts(
    {
        "RULES": "f.channels.whatsapp_sending:RULES",
        "acknowledged": "f.channels.answers:acknowledged",
        "check": "f.channels.meta_setup:check_number",
        "handshake": "f.channels.signatures:confirm_meta",
        "parse": "f.channels.whatsapp_parsing:parse",
        "send_template": "f.channels.whatsapp_sending:send_template",
        "send_text": "f.channels.whatsapp_sending:send_text",
        "show_typing": "f.channels.whatsapp_sending:show_typing",
        "split_text": "f.channels.whatsapp_sending:split_text",
        "subscribe": "f.channels.meta_setup:subscribe_number",
        "verify": "f.channels.signatures:verify_meta",
    }
)
