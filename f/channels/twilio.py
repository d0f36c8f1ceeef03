"""WhatsApp through Twilio, messages and Conversations: prove a webhook, read it, send text."""

from f.channels.parts import parts

__getattr__ = parts(
    {
        "RULES": "f.channels.twilio_sending:RULES",
        "acknowledged": "f.channels.answers:acknowledged_in_twiml",
        "check": "f.channels.twilio_setup:check",
        "handshake": "f.channels.signatures:refuse_handshake",
        "parse": "f.channels.twilio_parsing:parse",
        "send_template": "f.channels.twilio_sending:send_template",
        "send_text": "f.channels.twilio_sending:send_text",
        "show_typing": "f.channels.twilio_sending:show_typing",
        "split_text": "f.channels.twilio_sending:split_text",
        "verify": "f.channels.signatures:verify_twilio",
    }
)


def subscribe(credentials: dict) -> None:
    """Nothing to call: a sender's addresses are entered in Twilio's console."""
