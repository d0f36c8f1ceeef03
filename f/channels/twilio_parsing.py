"""Read what Twilio posts: a WhatsApp message, its status, or an event of a Conversation.

Sources: https://www.twilio.com/docs/messaging/guides/webhook-request and
https://www.twilio.com/docs/conversations/conversations-webhooks
"""

import re
from dataclasses import replace
from datetime import datetime
from urllib.parse import parse_qsl, quote

from f.channels.content import Content, media_of, unseen
from f.channels.messages import Delivery, Ignored, InboundMessage, Item, OptOut, Receipt, Request
from f.channels.twilio_sending import CODES
from f.channels.vendor_json import identifier, items, load_or_none, mapping, words

NAME_LIMIT = 256
URL_LIMIT = 2000
MOST_FILES = 10
MEDIA_URL = "https://mcs.us1.twilio.com"
PREFIX = "whatsapp:"
PHONE = re.compile(r"\+?([0-9]{5,20})")
MESSAGE_STATES = ("MessageStatus", "SmsStatus")
# Ours are marked so, that a Conversation does not make us answer ourselves.
OUR_MARK = "chatmill"


def parse(request: Request) -> list[Delivery]:
    """One form, one item. Never raises: a field too many or too few is not the sender's to mend."""
    form = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    if "EventType" in form and "ConversationSid" in form:
        return [Delivery(identifier(form.get("AccountSid")), _read_event(form))]
    status = next((form[name] for name in MESSAGE_STATES if form.get(name)), "received")
    if "MessageStatus" in form or status != "received":
        reference = request.query.get("reference")
        return [Delivery(_sender(form, "From"), [_read_status(form, status, reference)])]
    message = _read_message(form)
    return [Delivery(_sender(form, "To"), [message, *_more_files(message, form)])]


def bare(address: str | None) -> str:
    """Without the channel's prefix and the plus: digits, or a business-scoped id."""
    rest = (address or "").removeprefix(PREFIX)
    phone = PHONE.fullmatch(rest)
    return phone[1] if phone else rest


def _sender(form: dict, name: str) -> str | None:
    """Our own number; a message to a pool of numbers names the messaging service instead."""
    return identifier(bare(form.get(name))) or identifier(form.get("MessagingServiceSid"))


def _read_message(form: dict) -> Item:
    message_id = _first(form, "MessageSid", "SmsMessageSid", "SmsSid")
    if message_id is None:
        return Ignored("no_message_id")
    if not form.get("From", "").startswith(PREFIX):
        return Ignored("not_whatsapp", message_id)
    sender = bare(form["From"])
    contact_key = identifier(bare(form.get("ExternalUserId"))) or identifier(sender)
    if contact_key is None:
        return Ignored("no_sender", message_id)
    if form.get("OptOutType") in ("STOP", "START"):
        return OptOut(contact_key, form["OptOutType"] == "STOP")  # Twilio has answered it
    if form.get("OptOutType") == "HELP":
        return Ignored("answered_by_vendor", message_id)
    content = _content(form)
    if content is None:
        return Ignored("unreadable", message_id)
    return InboundMessage(
        provider_message_id=message_id,
        contact_key=contact_key,
        contact_name=words(form.get("ProfileName"), NAME_LIMIT) or None,
        contact_phone=sender if PHONE.fullmatch(sender) else None,
        kind=content.kind,
        text=content.text,
        media=content.media,
        reply_to=_first(form, "OriginalRepliedMessageSid"),
        referral=_referral(form),
    )


def _more_files(first: Item, form: dict) -> list[Item]:
    """Several files may hang on one message; each is one of ours, of one album."""
    if not isinstance(first, InboundMessage):
        return []
    found = []
    for number in range(1, MOST_FILES):
        url = words(form.get(f"MediaUrl{number}"), URL_LIMIT)
        if not url:
            break
        media_type = words(form.get(f"MediaContentType{number}"), NAME_LIMIT)
        found.append(_another_file(first, number, _file_of(media_type, url, media_type)))
    return found


def _another_file(first: InboundMessage, number: int, media: dict) -> InboundMessage:
    return replace(
        first,
        provider_message_id=f"{first.provider_message_id[:500]}#{number}",
        kind="media",
        text="",
        media=media,
        album_id=first.provider_message_id,
        heading=first.text,
    )


def _content(form: dict) -> Content | None:
    text = words(form.get("Body"))
    pressed = words(form.get("ButtonText")) or words(form.get("ListTitle"))
    if pressed:
        return Content("button", pressed)
    if form.get("MediaUrl0"):
        return _media(form, text)
    if form.get("Latitude") and form.get("Longitude"):
        point = f"{form['Latitude']}, {form['Longitude']}"
        place = [words(form.get(name), NAME_LIMIT) for name in ("Label", "Address")]
        return Content("location", "\n".join(line for line in [*place, point[:60]] if line))
    if form.get("MessageType") == "contacts":
        return Content("contacts")
    if form.get("InteractiveData") or form.get("FlowData"):
        return Content("form", text)
    if text.strip():
        return Content("text", text)
    # Only of text it is certain that nothing was said.
    return None if form.get("MessageType", "text") == "text" else unseen()


def _media(form: dict, text: str) -> Content:
    """Of a document, the body is the name of the file and no word of the contact's."""
    media_type = words(form.get("MediaContentType0"), NAME_LIMIT)
    if media_type == "text/vcard":
        return Content("contacts")
    kind = words(form.get("MessageType"), NAME_LIMIT) or media_type
    media = _file_of(kind, words(form.get("MediaUrl0"), URL_LIMIT), media_type)
    if media["type"] == "document":
        return Content("media", "", media | {"file_name": text[:NAME_LIMIT] or None})
    return Content("media", text, media)


def _file_of(kind: str, url: str, media_type: str) -> dict:
    """`kind`: a type of message, or of media."""
    kind = kind.partition("/")[0]
    if kind not in ("image", "video", "audio", "document", "sticker"):
        kind = "document"
    return media_of(kind, url=url, media_type=media_type or None, is_voice=kind == "audio")


def _referral(form: dict) -> str | None:
    names = ("ReferralHeadline", "ReferralBody", "ReferralSourceUrl")
    return "\n".join(line for name in names if (line := words(form.get(name), 1000))) or None


def _read_status(form: dict, status: str, reference: object) -> Item:
    message_id = _first(form, "MessageSid", "SmsSid")
    if message_id is None:
        return Ignored("no_status")
    return Receipt(
        provider_message_id=message_id,
        status=words(status, 64),
        client_reference=identifier(reference),
        error_code=_code_of(form),
        failure=CODES.meaning(_code_of(form)),
    )


def _code_of(form: dict) -> str | None:
    """A Conversation's receipt has 0 where nothing is wrong."""
    code = _first(form, "ErrorCode")
    return None if code == "0" else code


def _read_event(form: dict) -> list[Item]:
    event = words(form.get("EventType"), 64)
    if event == "onDeliveryUpdated":
        receipt = _read_status(form, form.get("Status", ""), None)
        if isinstance(receipt, Ignored):
            return [receipt]
        # A Conversation tells of each of its participants apart.
        return [replace(receipt, participant=_first(form, "ParticipantSid") or "not_named")]
    message_id, group_id = _first(form, "MessageSid"), _first(form, "ConversationSid")
    if event != "onMessageAdded" or message_id is None:
        return [Ignored(f"event:{event}")]
    author = words(form.get("Author"), 512)
    if form.get("Source", "").upper() == "API" or OUR_MARK in form.get("Attributes", ""):
        return [Ignored("echo", message_id)]
    if not author.startswith(PREFIX):  # a teammate in Twilio's console, a number by SMS
        return [Ignored("not_whatsapp", message_id)]
    files = _conversation_files(form)
    text = words(form.get("Body"))
    if not (text.strip() or files):
        return [Ignored("unreadable", message_id)]
    first = InboundMessage(
        provider_message_id=message_id,
        contact_key=bare(author),
        contact_phone=bare(author) if PHONE.fullmatch(bare(author)) else None,
        kind="media" if files else "text",
        text=text,
        media=files[0] if files else None,
        sent_at=_iso_time(form.get("DateCreated")),
        group_id=group_id,
    )
    more = [_another_file(first, number, file) for number, file in enumerate(files[1:], 1)]
    return [first, *more]


def _conversation_files(form: dict) -> list[dict]:
    told = [mapping(one) for one in items(load_or_none(form.get("Media", "")))]
    return [_conversation_file(form, one) for one in told[:MOST_FILES]]


def _conversation_file(form: dict, told: dict) -> dict:
    media_type, media_id = words(told.get("ContentType"), NAME_LIMIT), identifier(told.get("Sid"))
    kind = media_type.partition("/")[0]
    return media_of(
        kind if kind in ("image", "audio", "video") else "document",
        provider_media_id=media_id,
        url=_media_url(form, media_id),
        media_type=media_type or None,
        file_name=words(told.get("Filename"), NAME_LIMIT) or None,
        is_voice=kind == "audio",
    )


def _media_url(form: dict, media_id: str | None) -> str | None:
    service_id = identifier(form.get("ChatServiceSid"))
    if not (service_id and media_id):
        return None
    return f"{MEDIA_URL}/v1/Services/{quote(service_id)}/Media/{quote(media_id)}/Content"


def _iso_time(value: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(value or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def _first(form: dict, *names: str) -> str | None:
    return next((found for name in names if (found := identifier(form.get(name)))), None)
