"""Read what a Telegram message says, kind by kind, and whom it names.

Source: https://core.telegram.org/bots/api#message
"""

from f.channels.content import Content, media_of, unseen
from f.channels.vendor_json import identifier, items, mapping, words

NAME_LIMIT = 256
MEDIA = ("voice", "audio", "video_note", "video", "animation", "document", "sticker")
# What people send and we make no words of; any other kind is taken for what a chat shows of itself.
WITHOUT_WORDS = ("poll", "dice", "story", "paid_media", "game", "checklist", "invoice")


def read_content(message: dict) -> Content | None:
    """None for a kind that we do not know and for a message that says nothing."""
    text = words(message.get("text"))
    if text.strip():
        return Content("text", text)
    if sizes := [mapping(one) for one in items(message.get("photo"))]:
        return _photo(sizes, message)
    for kind in MEDIA:  # an animation is shown as a document too, and comes first
        if isinstance(message.get(kind), dict):
            return _file(kind, message)
    if isinstance(message.get("venue"), dict) or isinstance(message.get("location"), dict):
        return Content("location", _place(message))
    if isinstance(message.get("contact"), dict):
        return Content("contacts")  # another person's number is not passed on as words
    if any(isinstance(message.get(kind), dict) for kind in WITHOUT_WORDS):
        return unseen(words(message.get("caption")))
    return None


def mentioned_names(message: dict) -> list[str]:
    """Who an entity names: users by name or id, the bot behind a command. Offsets count UTF-16
    units."""
    text = words(message.get("text")) or words(message.get("caption"))
    found = items(message.get("entities")) + items(message.get("caption_entities"))
    names = [_name_in(text, mapping(entity)) for entity in found]
    return [name for name in names if name]


def _name_in(text: str, entity: dict) -> str | None:
    if entity.get("type") == "mention":
        return _utf16_slice(text, entity).removeprefix("@").casefold()
    if entity.get("type") == "bot_command":
        return _utf16_slice(text, entity).partition("@")[2].casefold()
    if entity.get("type") == "text_mention":
        return identifier(mapping(entity.get("user")).get("id"))
    return None


def _utf16_slice(text: str, entity: dict) -> str:
    offset, length = entity.get("offset"), entity.get("length")
    if not (isinstance(offset, int) and isinstance(length, int) and 0 <= offset and 0 < length):
        return ""
    units = text.encode("utf-16-le", "surrogatepass")[2 * offset : 2 * (offset + length)]
    return units.decode("utf-16-le", "replace")


def read_origin(message: dict) -> str | None:
    """Words that the sender only passed on are somebody else's."""
    origin = mapping(message.get("forward_origin")) or mapping(message.get("forward_from"))
    if not origin and "forward_date" not in message:
        return None
    named = mapping(origin.get("sender_user")) or mapping(origin.get("chat")) or origin
    name = words(named.get("title"), NAME_LIMIT) or words(named.get("first_name"), NAME_LIMIT)
    return f"forwarded message{f' of {name}' if name else ''}"


def _photo(sizes: list[dict], message: dict) -> Content:
    """Telegram makes every photo a JPEG of several sizes; the widest is the one to read."""
    widest = max(sizes, key=lambda one: one.get("width") if _is_count(one.get("width")) else 0)
    media = _media("image", {**widest, "mime_type": "image/jpeg"})
    return Content("media", words(message.get("caption")), media)


def _file(kind: str, message: dict) -> Content:
    body = mapping(message.get(kind))
    media_kind = {"voice": "audio", "video_note": "video", "animation": "video"}.get(kind, kind)
    text = words(message.get("caption"))
    if kind == "sticker":
        text = words(body.get("emoji"), 16)
    return Content("media", text, _media(media_kind, body, is_voice=kind == "voice"))


def _media(kind: str, body: dict, is_voice: bool = False) -> dict:
    return media_of(
        kind,
        provider_media_id=identifier(body.get("file_id")),
        media_type=words(body.get("mime_type"), NAME_LIMIT) or None,
        file_name=words(body.get("file_name"), NAME_LIMIT) or None,
        is_voice=is_voice,
        size_bytes=body.get("file_size") if _is_count(body.get("file_size")) else None,
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _place(message: dict) -> str:
    venue = mapping(message.get("venue"))
    point = mapping(venue.get("location")) or mapping(message.get("location"))
    lines = [words(venue.get(key), NAME_LIMIT) for key in ("title", "address")]
    lines.append(", ".join(str(point[key]) for key in ("latitude", "longitude") if key in point))
    return "\n".join(line for line in lines if line)[:1000]
