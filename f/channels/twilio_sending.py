"""Send text and signs of life through Twilio, to a contact or into a Conversation.

Sources: https://www.twilio.com/docs/messaging/api/message-resource,
https://www.twilio.com/docs/conversations/api/conversation-message-resource and, for the codes,
https://www.twilio.com/docs/api/errors
"""

import base64
import json
from urllib.parse import quote

import f.channels.dialects as dialects
import f.channels.markdown as markdown
from f.channels.messages import Recipient
from f.channels.options import numbered, taken_apart
from f.channels.refusals import Codes, refusal
from f.channels.rules import Rate, Rules
from f.channels.splitting import split_markdown
from f.channels.vendor_json import identifier, object_in, words
from f.shared.errors import DeliveryUnknown, Misconfigured, UpstreamError
from f.shared.http import request

API_URL = "https://api.twilio.com"
CONVERSATIONS_URL = "https://conversations.twilio.com"
MESSAGING_URL = "https://messaging.twilio.com"
TEXT_LIMIT = 1600
OUR_MARK = {"chatmill": True}

CODES = Codes(
    later=(20500, 20503, 63009, 63010, 63012),
    too_fast=(20429, 21611, 30001, 63017, 63018),
    needs_a_person=(20003, 20404, 63001, 63002, 63003, 63007, 63015, 63051),
    window_closed=(63016,),
    gone=(21610, 63014, 63033),
    troubles={
        "account_unknown": (20404, 63003),
        "account_restricted": (63001, 63002, 63007, 63051),
    },
)

RULES = Rules(window_hours=24, pair=Rate(1 / 6, 45), account=Rate(80, 80), typing_seconds=24)


def split_text(text: str) -> list[str]:
    return split_markdown(text, TEXT_LIMIT, dialects.whatsapp, shows_options=False)


def send_text(credentials: dict, to: Recipient, text: str, client_reference: str) -> str:
    """Send one message. Buttons would need a template of each, so options are numbered."""
    said, options = taken_apart(text)
    body = dialects.whatsapp(markdown.read(said))
    body = "\n".join(part for part in (body, numbered(options)) if part)
    answer = (
        _into_conversation(credentials, to, body, client_reference)
        if to.is_group
        else _to_contact(credentials, to, {"Body": body}, client_reference)
    )
    return _message_id(answer)


def send_template(credentials: dict, to: Recipient, template: dict, client_reference: str) -> str:
    """`template`: {content_sid}, approved by Meta, without variables."""
    if not template.get("content_sid"):
        raise Misconfigured("The channel's template has no content_sid.", "template_incomplete")
    content = {"ContentSid": template["content_sid"]}
    return _message_id(_to_contact(credentials, to, content, client_reference))


def show_typing(credentials: dict, to: Recipient) -> None:
    """Marks the contact's message as read and shows that an answer comes; not in Conversations."""
    if to.is_group or not to.reply_to:
        return
    # Of several files on one message, ours are numbered behind its id.
    form = {"messageId": to.reply_to.partition("#")[0], "channel": "whatsapp"}
    _post(credentials, MESSAGING_URL, "/v2/Indicators/Typing.json", form)


def _to_contact(credentials: dict, to: Recipient, content: dict, client_reference: str) -> dict:
    form = {"To": f"whatsapp:{_with_plus(to.address)}", **content}
    if credentials.get("messaging_service_sid"):
        form["MessagingServiceSid"] = credentials["messaging_service_sid"]
    else:
        form["From"] = f"whatsapp:{_with_plus(credentials['account_id'])}"
    if credentials.get("webhook_url"):
        # Comes back with each status, and is signed with it.
        form["StatusCallback"] = f"{credentials['webhook_url']}?reference={client_reference}"
    sid = quote(credentials.get("account_sid") or "", safe="")
    return _post(credentials, API_URL, f"/2010-04-01/Accounts/{sid}/Messages.json", form)


def _into_conversation(credentials: dict, to: Recipient, body: str, client_reference: str) -> dict:
    """Marked as ours, so that its webhook is not taken for somebody's message."""
    form = {"Author": "chatmill", "Body": body, "Attributes": json.dumps(OUR_MARK)}
    path = f"/v1/Conversations/{quote(to.address, safe='')}/Messages"
    return _post(credentials, CONVERSATIONS_URL, path, form)


def _with_plus(address: str) -> str:
    return f"+{address}" if address.isdigit() else address


def _post(credentials: dict, base_url: str, path: str, form: dict) -> dict:
    return _call(credentials, "POST", base_url, path, form)


def get(credentials: dict, base_url: str, path: str) -> dict:
    return _call(credentials, "GET", base_url, path, None)


def _call(credentials: dict, method: str, base_url: str, path: str, form: dict | None) -> dict:
    url = (credentials.get("api_url") or base_url).rstrip("/") + path
    try:
        answer = request(method, url, headers=authorization(credentials), form=form)
    except UpstreamError as exc:
        if exc.status is None:
            raise
        said = object_in(exc.body)
        code, details = identifier(said.get("code")), words(said.get("message"), 200)
        raise refusal(CODES, "Twilio", credentials, exc, code, details) from exc
    return object_in(answer.body)


def authorization(credentials: dict) -> dict[str, str]:
    """Raises Misconfigured."""
    account_sid, auth_token = credentials.get("account_sid"), credentials.get("auth_token")
    if not (account_sid and auth_token):
        raise Misconfigured(f"{credentials['account_id']} has no Twilio credentials yet.")
    user = credentials.get("api_key") or account_sid
    password = credentials.get("api_secret") if credentials.get("api_key") else auth_token
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"authorization": f"Basic {basic}"}


def _message_id(answer: dict) -> str:
    message_id = identifier(answer.get("sid"))
    if message_id is None:
        raise DeliveryUnknown("Twilio took the message and gave no id for it.")
    return message_id
