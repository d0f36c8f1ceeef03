"""Read what WhatsApp tells besides messages: edits, changed numbers, handovers, notices.

Source: https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages
"""

from f.channels.content import unseen
from f.channels.messages import (
    Edit,
    Handover,
    Ignored,
    Item,
    NewIdentity,
    Notice,
    Reaction,
    Revocation,
)
from f.channels.vendor_json import identifier, items, mapping, words
from f.channels.whatsapp_content import read_content

WORD_LIMIT = 64

# Who may own a thread; with any of these roles it is not ours to answer.
OTHER_OWNERS = frozenset({"ai_agent", "escalation", "human", "business_agent"})


def _read_reaction(message: dict) -> Item | None:
    reaction = mapping(message.get("reaction"))
    message_id = identifier(reaction.get("message_id"))
    if message_id is None:
        return None
    return Reaction(message_id, words(reaction.get("emoji"), WORD_LIMIT) or None)


def _read_edit(message: dict) -> Item | None:
    edit = mapping(message.get("edit"))
    original_id, changed = identifier(edit.get("original_message_id")), mapping(edit.get("message"))
    content = read_content(words(changed.get("type"), WORD_LIMIT), changed)
    if original_id is None or content in (None, unseen()):
        return None
    return Edit(original_id, content.text)


def _read_revoke(message: dict) -> Item | None:
    original_id = identifier(mapping(message.get("revoke")).get("original_message_id"))
    return Revocation(original_id) if original_id else None


def _read_system(message: dict) -> Item | None:
    """A person's number, or the business-scoped id that goes with it, is another from now on."""
    system = mapping(message.get("system"))
    old_key = identifier(message.get("from_user_id")) or identifier(message.get("from"))
    new_phone = identifier(system.get("wa_id")) or identifier(system.get("new_wa_id"))
    new_key = identifier(system.get("user_id")) or new_phone
    if words(system.get("type")) == "customer_identity_changed" or not (old_key and new_key):
        return None
    return NewIdentity(old_key, new_key, new_phone)


EVENTS = {
    "reaction": _read_reaction,
    "edit": _read_edit,
    "revoke": _read_revoke,
    "system": _read_system,
}


def _read_standby(value: dict) -> list[Item]:
    """Another agent holds the conversation; sending would take it over.

    The ids stay out: the same message may come again on `messages` and must count then.
    """
    nested = mapping(value.get("standby")).values()
    return [Ignored("standby") for each in nested for _ in items(each)]


def _read_handover(value: dict) -> list[Item]:
    """`new_owner_role` says who has the thread; the directions' names are contradictory."""
    contact_key = identifier(mapping(value.get("sender")).get("phone_number"))
    change = mapping(value.get(words(value.get("type"), WORD_LIMIT)))
    new_owner = words(change.get("new_owner_role"), WORD_LIMIT)
    if contact_key is None or not new_owner:
        return [Ignored(f"handover:{words(value.get('type'), WORD_LIMIT)}")]
    return [Handover(contact_key, new_owner not in OTHER_OWNERS, new_owner)]


def _read_preferences(value: dict) -> list[Item]:
    """About marketing, which we never send: a person who wants none may still ask questions."""
    found = [mapping(item) for item in items(value.get("user_preferences"))]
    return [Ignored(f"marketing:{words(item.get('value'), WORD_LIMIT)}") for item in found]


def _read_new_user_ids(value: dict) -> list[Item]:
    changes = [mapping(mapping(item).get("user_id")) for item in items(value.get("user_id_update"))]
    changes.append(mapping(mapping(value).get("user_id")))
    return [
        NewIdentity(old_key, new_key)
        for change in changes
        if (old_key := identifier(change.get("previous")))
        and (new_key := identifier(change.get("current")))
    ]


OTHER_FIELDS = {
    "standby": _read_standby,
    "messaging_handovers": _read_handover,
    "user_preferences": _read_preferences,
    "user_id_update": _read_new_user_ids,
}

# A person should know; each with the key under which Meta says what it is.
FIELDS_OF_THE_ACCOUNT = {
    "account_update": "event",
    "account_alerts": "alert_info",
    "phone_number_quality_update": "event",
    "business_capability_update": "max_daily_conversation_per_phone",
    "message_template_status_update": "event",
}


def notices_of(field: str, value: dict) -> list[Item]:
    said = value.get(FIELDS_OF_THE_ACCOUNT[field])
    subject = mapping(said).get("alert_type") if isinstance(said, dict) else said
    return [Notice(field, identifier(subject) or "")]
