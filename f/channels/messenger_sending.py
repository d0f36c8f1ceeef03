"""Send text, quick replies and signs of life through Messenger, and say what a refusal means.

Source: https://developers.facebook.com/docs/messenger-platform/reference/send-api
"""

import f.channels.dialects as dialects
import f.channels.graph as graph
import f.channels.markdown as markdown
from f.channels.messages import Recipient
from f.channels.options import Option, numbered, taken_apart
from f.channels.refusals import Codes
from f.channels.rules import Rate, Rules
from f.channels.splitting import split_markdown
from f.channels.vendor_json import identifier
from f.shared.errors import DeliveryUnknown

TEXT_LIMIT = 2000
MOST_REPLIES, REPLY_LIMIT = 13, 20

CODES = Codes(
    later=(1, 2, 1200),
    too_fast=(4, 32, 613, 80006),
    needs_a_person=(10, "100/33", 190, 200, 230, 368),
    window_closed=("10/2018278", "10/2534022"),
    troubles={
        "permission_missing": (10, 200, 230),
        "account_unknown": ("100/33",),
        "account_restricted": (368,),
    },
    gone=(551, "551/1545041", "100/2018001", "10/1545041"),
)

RULES = Rules(window_hours=24, account=Rate(300, 300), typing_seconds=18)


def split_text(text: str) -> list[str]:
    return split_markdown(text, TEXT_LIMIT, dialects.plain, shows_options=False)


def send_text(credentials: dict, to: Recipient, text: str, client_reference: str) -> str:
    """Send one message; its echo brings `client_reference` back."""
    words, options = taken_apart(text)
    body, replies = dialects.plain(markdown.read(words)), _quick_replies(options)
    if options and not (replies and body):
        body, replies = "\n".join(part for part in (body, numbered(options)) if part), None
    message = {"text": body, "metadata": client_reference}
    if replies:
        message["quick_replies"] = replies
    answer = _post(
        credentials,
        {"recipient": {"id": to.address}, "messaging_type": "RESPONSE", "message": message},
    )
    message_id = identifier(answer.get("message_id"))
    if message_id is None:
        raise DeliveryUnknown("Messenger took the message and gave no id for it.")
    return message_id


def show_typing(credentials: dict, to: Recipient) -> None:
    for action in ("mark_seen", "typing_on"):
        _post(credentials, {"recipient": {"id": to.address}, "sender_action": action})


def _post(credentials: dict, body: dict) -> dict:
    path = f"/messages{graph.proof_of(credentials)}"
    return graph.call(credentials, "POST", path, body, CODES, "Messenger")


def _quick_replies(options: list[Option]) -> list[dict] | None:
    if len(options) > MOST_REPLIES or any(len(one.title) > REPLY_LIMIT for one in options):
        return None
    return [
        {"content_type": "text", "title": option.title, "payload": f"option:{number}"}
        for number, option in enumerate(options, 1)
    ]
