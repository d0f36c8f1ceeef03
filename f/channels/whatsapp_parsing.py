"""Read what WhatsApp Cloud posts into messages, receipts, echoes and things to ignore.

Source: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components
Whatever the JSON holds, every item of a batch comes out as something: a batch refused for one
odd item would be sent again for days, and its other messages would be lost with it.
"""

from f.channels.content import Content
from f.channels.messages import (
    Delivery,
    Echo,
    Ignored,
    InboundMessage,
    Item,
    Notice,
    Receipt,
    Request,
)
from f.channels.vendor_json import identifier, items, load, mapping, timestamp, words
from f.channels.whatsapp_codes import CODES
from f.channels.whatsapp_content import read_content, read_referral
from f.channels.whatsapp_events import EVENTS, FIELDS_OF_THE_ACCOUNT, OTHER_FIELDS, notices_of

NAME_LIMIT = 256
WORD_LIMIT = 64  # names of fields, kinds and states
PARTICIPANT = ("recipient_participant_id", "recipient_participant_user_id")


def parse(request: Request) -> list[Delivery]:
    """Everything in the body, by the phone number it was for; raises only where it is no JSON."""
    notification = mapping(load(request.body))
    if notification.get("object") != "whatsapp_business_account":
        return [Delivery(None, [Ignored("not_whatsapp")])]
    by_account: dict[str | None, list[Item]] = {}
    for entry in items(notification.get("entry")):
        for change in items(mapping(entry).get("changes")) or [None]:
            account_id, found = _read_change(mapping(change))
            by_account.setdefault(account_id, []).extend(found)
    if not by_account:
        return [Delivery(None, [Ignored("no_entries")])]
    return [Delivery(account_id, found) for account_id, found in by_account.items()]


def _read_change(change: dict) -> tuple[str | None, list[Item]]:
    field = words(change.get("field"), WORD_LIMIT)
    value = mapping(change.get("value"))
    account_id = _account_of(value)
    if field in FIELDS_OF_THE_ACCOUNT:
        return account_id, notices_of(field, value)
    read = FIELDS.get(field)
    if read is None:
        return account_id, [Ignored(f"field:{field}" if field else "no_field")]
    found = read(value) or [Ignored(f"empty:{field}")]
    if account_id is None:
        # Only the signed body may say whose message it is, never the address it was posted to.
        return None, [Ignored("no_account") for _ in found]
    return account_id, found


def _account_of(value: dict) -> str | None:
    """`messaging_handovers` is the one field that names the number in `recipient`."""
    named = mapping(value.get("metadata")) or mapping(value.get("recipient"))
    return identifier(named.get("phone_number_id"))


def _read_messages(value: dict) -> list[Item]:
    contacts = [mapping(contact) for contact in items(value.get("contacts"))]
    messages = [_read_message(mapping(item), contacts) for item in items(value.get("messages"))]
    receipts = [_read_status(mapping(item)) for item in items(value.get("statuses"))]
    errors = [_read_error(mapping(item)) for item in items(value.get("errors"))]
    return [*messages, *receipts, *errors]


def _read_message(message: dict, contacts: list[dict]) -> Item:
    message_id = identifier(message.get("id"))
    if message_id is None:
        return Ignored("no_message_id")
    kind = _kind_of(message)
    if kind in EVENTS:
        return EVENTS[kind](message) or Ignored(kind, message_id)
    content = read_content(kind, message)
    if content is None:
        return Ignored(f"unreadable:{kind}", message_id)
    return _read_sender(message_id, content, message, _contact_of(message, contacts))


def _read_sender(
    message_id: str, content: Content, message: dict, contact: dict
) -> InboundMessage | Ignored:
    contact_phone = identifier(message.get("from")) or identifier(contact.get("wa_id"))
    contact_key = (
        identifier(message.get("from_user_id"))
        or identifier(contact.get("user_id"))
        or contact_phone
    )
    if contact_key is None:
        return Ignored("no_sender", message_id)
    return InboundMessage(
        provider_message_id=message_id,
        contact_key=contact_key,
        contact_name=words(mapping(contact.get("profile")).get("name"), NAME_LIMIT) or None,
        contact_phone=contact_phone,
        kind=content.kind,
        text=content.text,
        media=content.media,
        sent_at=timestamp(message.get("timestamp")),
        reply_to=identifier(mapping(message.get("context")).get("id")),
        group_id=identifier(message.get("group_id")),
        referral=read_referral(message),
    )


def _kind_of(message: dict) -> str:
    """The kind it states; some locations are seen without one."""
    stated = words(message.get("type"), WORD_LIMIT)
    return stated or ("location" if "location" in message else "")


def _contact_of(message: dict, contacts: list[dict]) -> dict:
    """The sender's card: found by any id they share, since `contacts` has no promised order.

    The parent id helps where Meta's own samples spell `user_id` in two ways. A message that names
    no sender at all belongs to the only card there is.
    """
    sender = {
        "wa_id": identifier(message.get("from")),
        "user_id": identifier(message.get("from_user_id")),
        "parent_user_id": identifier(message.get("from_parent_user_id")),
    }
    if not any(sender.values()):
        return contacts[0] if len(contacts) == 1 else {}
    for contact in contacts:
        if any(value and identifier(contact.get(key)) == value for key, value in sender.items()):
            return contact
    return {}


def _read_status(status: dict) -> Receipt | Ignored:
    message_id = identifier(status.get("id"))
    state = words(status.get("status"), WORD_LIMIT)
    if message_id is None or not state:
        return Ignored("no_status", message_id)
    errors = items(status.get("errors"))
    error = mapping(errors[0]) if errors else {}
    return Receipt(
        provider_message_id=message_id,
        status=state,
        occurred_at=timestamp(status.get("timestamp")),
        client_reference=identifier(status.get("biz_opaque_callback_data")),
        error_code=identifier(error.get("code")),
        failure=CODES.meaning(identifier(error.get("code"))),
        participant=next(filter(None, (identifier(status.get(key)) for key in PARTICIPANT)), None),
    )


def _read_error(error: dict) -> Notice:
    """An error of the number, with no message of anybody's to answer."""
    return Notice("account_error", identifier(error.get("code")) or "")


def _read_echoes(value: dict) -> list[Item]:
    return [_read_echo(mapping(item)) for item in items(value.get("message_echoes"))]


def _read_echo(echo: dict) -> Echo | Ignored:
    """Edited or taken back counts too: a teammate is at the conversation."""
    message_id = identifier(echo.get("id"))
    contact_phone = identifier(echo.get("to"))
    contact_key = identifier(echo.get("to_user_id")) or contact_phone
    if message_id is None or contact_key is None:
        return Ignored("no_contact", message_id)
    kind = _kind_of(echo)
    content = read_content(kind, echo)
    return Echo(
        provider_message_id=message_id,
        contact_key=contact_key,
        contact_phone=contact_phone,
        kind=content.kind if content else kind,
        text=content.text if content else "",
        sent_at=timestamp(echo.get("timestamp")),
    )


FIELDS = {
    "messages": _read_messages,
    "smb_message_echoes": _read_echoes,
} | OTHER_FIELDS
