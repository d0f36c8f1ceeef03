"""Read what Telegram posts: one update at a time, of a private chat or of a group.

Source: https://core.telegram.org/bots/api#update
"""

import re

from f.channels.content import UNSEEN
from f.channels.messages import (
    Delivery,
    Edit,
    GroupMove,
    Ignored,
    InboundMessage,
    Item,
    OptOut,
    Request,
)
from f.channels.telegram import BUTTON_PREFIX
from f.channels.telegram_content import mentioned_names, read_content, read_origin
from f.channels.vendor_json import identifier, load, mapping, timestamp, whole_number, words

NAME_LIMIT = 256
GROUPS = ("group", "supergroup")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,12})?")

# What a chat shows of itself: nobody asked anything.
SERVICE = frozenset(
    {
        *("new_chat_members", "left_chat_member", "new_chat_title", "new_chat_photo"),
        *("delete_chat_photo", "group_chat_created", "supergroup_chat_created"),
        *("migrate_to_chat_id", "migrate_from_chat_id", "pinned_message", "forum_topic_created"),
        *("forum_topic_edited", "forum_topic_closed", "forum_topic_reopened"),
        *("message_auto_delete_timer_changed", "write_access_allowed", "successful_payment"),
        *("refunded_payment", "users_shared", "chat_shared", "boost_added"),
        *("video_chat_started", "video_chat_ended", "giveaway", "giveaway_winners"),
    }
)


def parse(request: Request) -> list[Delivery]:
    """Whose bot it is says the address alone: an update names no bot. Raises only where it is no
    JSON."""
    update = mapping(load(request.body))
    for kind, read in READERS.items():
        if isinstance(update.get(kind), dict):
            return [Delivery(None, [read(update[kind])])]
    kinds = [words(key, 40) for key in update if key != "update_id"]
    return [Delivery(None, [Ignored(f"update:{kinds[0]}" if kinds else "no_update")])]


def address_of(message: dict) -> str | None:
    """Where an answer goes: the chat, with its topic behind a slash."""
    chat_id = whole_number(mapping(message.get("chat")).get("id"))
    topic = whole_number(message.get("message_thread_id"))
    is_topic = message.get("is_topic_message") is True
    return f"{chat_id}/{topic}" if chat_id and topic and is_topic else chat_id


def message_key(message: dict) -> str | None:
    """Message ids count in each chat anew."""
    chat_id = whole_number(mapping(message.get("chat")).get("id"))
    message_id = whole_number(message.get("message_id"))
    return f"{chat_id}:{message_id}" if chat_id and message_id else None


def _read_message(message: dict) -> Item:
    key, address = message_key(message), address_of(message)
    if key is None or address is None:
        return Ignored("no_message_id")
    moved_to = whole_number(message.get("migrate_to_chat_id"))
    if moved_to:  # whoever did it: an admin may be anonymous
        return GroupMove(whole_number(mapping(message.get("chat")).get("id")), moved_to)
    sender = mapping(message.get("from"))
    if sender.get("is_bot") is True or message.get("sender_chat"):
        return Ignored("not_a_person", key)
    service = SERVICE.intersection(message)
    if service:
        return Ignored(f"service:{sorted(service)[0]}", key)
    content = read_content(message)
    if content is None:
        return Ignored("unreadable", key)
    is_group = mapping(message.get("chat")).get("type") in GROUPS
    return InboundMessage(
        provider_message_id=key,
        contact_key=identifier(sender.get("id")) or address,
        contact_name=_name_of(sender),
        kind=content.kind,
        text=content.text,
        media=content.media,
        sent_at=timestamp(message.get("date")),
        reply_to=message_key(_in_same_chat(message)),
        group_id=address if is_group else None,
        mentioned=tuple(mentioned_names(message)),
        referral=read_origin(message),
        album_id=identifier(message.get("media_group_id")),
        language=language_of(sender),
    )


def _in_same_chat(message: dict) -> dict:
    """The message that is answered, which old samples show without its chat."""
    quoted = mapping(message.get("reply_to_message"))
    return {**quoted, "chat": message.get("chat")} if quoted else {}


def _read_edit(message: dict) -> Item:
    key, content = message_key(message), read_content(message)
    if key is None or content is None or (content.media or {}).get("type") == UNSEEN:
        return Ignored("edited_unreadable", key)
    return Edit(key, content.text)


def _read_button(callback: dict) -> Item:
    """What was pressed; the message may be too old for Telegram to show more than its chat."""
    message, sender = mapping(callback.get("message")), mapping(callback.get("from"))
    callback_id, contact_key = identifier(callback.get("id")), identifier(sender.get("id"))
    pressed, address = words(callback.get("data"), 64), address_of(message)
    key = callback_id and f"{BUTTON_PREFIX}{callback_id[:500]}"
    if not (key and contact_key and pressed and address):
        return Ignored("button_without_chat", key)
    is_group = mapping(message.get("chat")).get("type") in GROUPS
    return InboundMessage(
        provider_message_id=key,
        contact_key=contact_key,
        contact_name=_name_of(sender),
        kind="button",
        text=pressed,
        reply_to=message_key(message),
        group_id=address if is_group else None,
        is_addressed=is_group,
        language=language_of(sender),
    )


def _read_membership(change: dict) -> Item:
    """Blocking the bot in a private chat is how a person opts out on Telegram."""
    chat = mapping(change.get("chat"))
    status = words(mapping(change.get("new_chat_member")).get("status"), 40)
    contact_key = identifier(chat.get("id"))
    if chat.get("type") != "private" or contact_key is None:
        return Ignored(f"membership:{status}")
    return OptOut(contact_key, status == "kicked")


def _ignored(reason: str):
    return lambda _: Ignored(reason)


def language_of(sender: dict) -> str | None:
    """An IETF tag; anything else says nothing."""
    tag = words(sender.get("language_code"), 16)
    return tag if LANGUAGE.fullmatch(tag) else None


def _name_of(sender: dict) -> str | None:
    names = (words(sender.get(key), NAME_LIMIT) for key in ("first_name", "last_name"))
    return " ".join(name for name in names if name) or None


READERS = {
    "message": _read_message,
    "edited_message": _read_edit,
    "callback_query": _read_button,
    "my_chat_member": _read_membership,
    "channel_post": _ignored("channel_post"),
    "edited_channel_post": _ignored("channel_post"),
}
