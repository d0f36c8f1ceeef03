"""What a vendor gets in answer to its webhook, in the form of a Windmill result."""

from f.channels.messages import WebhookRefused

TWIML = "text/xml"


def acknowledged(refusal: WebhookRefused | None) -> dict:
    """200 once everything is stored; else the refusal in words."""
    if refusal is None:
        return {"windmill_status_code": 200, "result": {"status": "ok"}}
    error = {"code": refusal.code, "message": str(refusal)}
    return {"windmill_status_code": refusal.status, "result": {"error": error}}


def acknowledged_in_twiml(refusal: WebhookRefused | None) -> dict:
    """Twilio would send any text in the answer to the contact: so there is none, ever."""
    status = 200 if refusal is None else refusal.status
    return {
        "windmill_status_code": status,
        "windmill_content_type": TWIML,
        "result": "<Response/>",
    }
