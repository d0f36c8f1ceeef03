"""Read what Messenger posts: events of several Pages, messages and much else.

Source: https://developers.facebook.com/docs/messenger-platform/reference/webhook-events
"""

import hashlib
from dataclasses import replace

from f.channels.messages import (
    Delivery,
    Echo,
    Edit,
    Handover,
    Ignored,
    InboundMessage,
    Item,
    Notice,
    Reaction,
    Receipt,
    Request,
    Watermark,
)
from f.channels.messenger_content import read_content, read_more_files, read_referral
from f.channels.vendor_json import identifier, items, load, mapping, milliseconds, words

WORD_LIMIT = 64


def parse(request: Request) -> list[Delivery]:
    """Everything in the body, by the Page it was for; raises only where it is no JSON."""
    notification = mapping(load(request.body))
    if notification.get("object") != "page":
        return [Delivery(None, [Ignored("not_messenger")])]
    by_page: dict[str | None, list[Item]] = {}
    for entry in map(mapping, items(notification.get("entry"))):
        by_page.setdefault(identifier(entry.get("id")), []).extend(_read_entry(entry))
    if not by_page:
        return [Delivery(None, [Ignored("no_entries")])]
    return [Delivery(page_id, found) for page_id, found in by_page.items()]


def _read_entry(entry: dict) -> list[Item]:
    """`standby` is what another app is answering: reading along is all that is allowed."""
    page_id = identifier(entry.get("id"))
    if page_id is None:
        return [Ignored("no_account")]
    found = [item for event in items(entry.get("messaging")) for item in _read(event, page_id)]
    found += [Ignored("standby") for _ in items(entry.get("standby"))]
    changes = [words(mapping(one).get("field"), WORD_LIMIT) for one in items(entry.get("changes"))]
    return [*found, *(Ignored(f"field:{field}") for field in changes)] or [Ignored("empty")]


def _read(event: object, page_id: str) -> list[Item]:
    event = mapping(event)
    for kind, read in READERS.items():
        if isinstance(event.get(kind), dict):
            return read(event, event[kind], page_id)
    kinds = [words(key, WORD_LIMIT) for key in event if key not in ADDRESSES]
    return [Ignored(f"event:{kinds[0]}" if kinds else "no_event")]


def _contact(event: dict, page_id: str) -> str | None:
    """Whoever of the two is not the Page: recorded deliveries have them in both orders."""
    sides = [mapping(event.get(side)) for side in ("sender", "recipient")]
    ids = [identifier(side.get("id")) for side in sides]
    return next((one for one in ids if one and one != page_id), None)


def _read_message(event: dict, message: dict, page_id: str) -> list[Item]:
    message_id, contact_key = identifier(message.get("mid")), _contact(event, page_id)
    if message_id is None or contact_key is None:
        return [Ignored("no_sender" if message_id else "no_message_id", message_id)]
    content = read_content(message)
    if message.get("is_echo") is True:
        return [_echo(event, message, message_id, contact_key)]
    if content is None:
        return [Ignored("unreadable", message_id)]
    first = InboundMessage(
        provider_message_id=message_id,
        contact_key=contact_key,
        kind=content.kind,
        text=content.text,
        media=content.media,
        sent_at=milliseconds(event.get("timestamp")),
        reply_to=identifier(mapping(message.get("reply_to")).get("mid")),
        referral=read_referral(mapping(message.get("referral"))),
    )
    return [first, *_more_files(first, message)]


def _more_files(first: InboundMessage, message: dict) -> list[Item]:
    """Several files may hang on one message; each is one of ours, of one album."""
    return [
        replace(
            first,
            provider_message_id=f"{first.provider_message_id[:500]}#{number}",
            kind=content.kind,
            text="",
            media=content.media,
            album_id=first.provider_message_id,
            heading=first.text,
        )
        for number, content in enumerate(read_more_files(message), 1)
    ]


def _echo(event: dict, message: dict, message_id: str, contact_key: str) -> Echo:
    content = read_content(message)
    return Echo(
        provider_message_id=message_id,
        contact_key=contact_key,
        kind=content.kind if content else "unreadable",
        text=content.text if content else "",
        sent_at=milliseconds(event.get("timestamp")),
        app_id=identifier(message.get("app_id")),
        client_reference=identifier(message.get("metadata")),
    )


def _read_edit(event: dict, edit: dict, page_id: str) -> list[Item]:
    message_id, text = identifier(edit.get("mid")), words(edit.get("text"))
    return [Edit(message_id, text) if message_id and text else Ignored("edited_unreadable")]


def _read_postback(event: dict, postback: dict, page_id: str) -> list[Item]:
    """A pressed button; older traffic has no message id, so what it is makes one."""
    contact_key = _contact(event, page_id)
    text = words(postback.get("title")) or words(postback.get("payload"))
    if contact_key is None or not text:
        return [Ignored("postback_empty")]
    sent_at = milliseconds(event.get("timestamp"))
    unnamed = hashlib.sha256(f"{contact_key} {sent_at} {text}".encode()).hexdigest()[:32]
    return [
        InboundMessage(
            provider_message_id=identifier(postback.get("mid")) or f"postback:{unnamed}",
            contact_key=contact_key,
            kind="button",
            text=text,
            sent_at=sent_at,
            referral=read_referral(mapping(postback.get("referral"))),
        )
    ]


def _read_reaction(event: dict, reaction: dict, page_id: str) -> list[Item]:
    message_id = identifier(reaction.get("mid"))
    if message_id is None:
        return [Ignored("reaction")]
    is_gone = words(reaction.get("action")) == "unreact"
    return [Reaction(message_id, None if is_gone else words(reaction.get("emoji"), 32) or None)]


def _read_delivery(event: dict, delivery: dict, page_id: str) -> list[Item]:
    """Names the messages now and then, and always how far it goes."""
    named = [identifier(one) for one in items(delivery.get("mids"))]
    receipts = [Receipt(one, "delivered") for one in named if one]
    return [*receipts, *_watermark(event, delivery, page_id, "delivered")]


def _read_read(event: dict, read: dict, page_id: str) -> list[Item]:
    return _watermark(event, read, page_id, "read")


def _watermark(event: dict, body: dict, page_id: str, status: str) -> list[Item]:
    contact_key, up_to = _contact(event, page_id), milliseconds(body.get("watermark"))
    if contact_key is None or up_to is None:
        return [Ignored("no_watermark")]
    return [Watermark(contact_key, status, up_to)]


def _read_control(event: dict, control: dict, page_id: str) -> list[Item]:
    """Only an app that is named can be ours; when the thread was taken, it is somebody else's."""
    contact_key = _contact(event, page_id)
    if contact_key is None:
        return [Ignored("handover")]
    return [Handover(contact_key, False, identifier(control.get("new_owner_app_id")))]


def _read_policy(event: dict, policy: dict, page_id: str) -> list[Item]:
    return [Notice("policy_enforcement", words(policy.get("action"), WORD_LIMIT))]


ADDRESSES = ("sender", "recipient", "timestamp")
READERS = {
    "message": _read_message,
    "message_edit": _read_edit,
    "postback": _read_postback,
    "reaction": _read_reaction,
    "delivery": _read_delivery,
    "read": _read_read,
    "pass_thread_control": _read_control,
    "take_thread_control": _read_control,
    "policy-enforcement": _read_policy,
    "policy_enforcement": _read_policy,
}
