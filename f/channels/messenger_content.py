"""Read what a Messenger message says, and the files that hang on it.

Source: https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messages
"""

from f.channels.content import Content, media_of, unseen
from f.channels.vendor_json import identifier, items, mapping, words

NAME_LIMIT = 256
FILES = {"image": "image", "audio": "audio", "video": "video", "file": "document"}
SHARED = frozenset(
    {
        *("fallback", "template", "reel", "ig_reel", "post", "ig_post"),
        *("story_mention", "ig_story"),
    }
)
MOST_CARDS = 10


def read_content(message: dict) -> Content | None:
    """None for a message that says nothing. A quick reply's title is what the contact read."""
    text = words(message.get("text"))
    attachments = [mapping(one) for one in items(message.get("attachments"))]
    if message.get("quick_reply") and text.strip():
        return Content("button", text)
    text = words("\n".join(line for line in (text, *_shared(attachments, text)) if line))
    if "sticker_id" in message or any(one.get("type") == "sticker" for one in attachments):
        return Content("media", text, media_of("sticker", url=_url(attachments)))
    for attachment in attachments:
        content = _read_attachment(attachment, text)
        if content:
            return content
    if text.strip() and SHARED.issuperset(map(_kind, attachments)):
        return Content("text", text)
    return unseen(text) if attachments else None


def read_more_files(message: dict) -> list[Content]:
    """What hangs on the message beside the first file, which read_content() gives."""
    attachments = [mapping(one) for one in items(message.get("attachments"))]
    found = [_read_attachment(one, "") for one in attachments if _kind(one) in FILES]
    return [content for content in found[1:] if content]


def _read_attachment(attachment: dict, text: str) -> Content | None:
    kind, payload = _kind(attachment), mapping(attachment.get("payload"))
    if kind in FILES:
        url = words(payload.get("url"), 4096) or None
        # Voice clips come as MP4 and with no other sign than being audio.
        return Content("media", text, media_of(FILES[kind], url=url, is_voice=kind == "audio"))
    if kind == "location":
        point = mapping(payload.get("coordinates"))
        place = ", ".join(str(point[key]) for key in ("lat", "long") if key in point)
        return Content("location", "\n".join(one for one in (text, place[:200]) if one))
    return None


def _kind(attachment: dict) -> str:
    return words(attachment.get("type"), NAME_LIMIT)


def _shared(attachments: list[dict], text: str) -> list[str]:
    """Links, posts and products: each as its title and its address, or what stands on its cards.
    Of a link that Meta could not read there is nothing but what the text says."""
    return [
        line
        for attachment in attachments[:MOST_CARDS]
        if _kind(attachment) in SHARED
        for line in _card(attachment, mapping(attachment.get("payload")))
        if line not in text
    ]


def _card(attachment: dict, payload: dict) -> list[str]:
    titles = (attachment.get("title"), payload.get("title"), payload.get("text"))
    links = (attachment.get("url"), attachment.get("URL"), payload.get("url"))
    shown = [_first(titles)[:NAME_LIMIT], _first(links)]
    elements = payload.get("elements") or mapping(payload.get("product")).get("elements")
    for element in map(mapping, items(elements)[:MOST_CARDS]):
        named = [words(element.get(key), NAME_LIMIT) for key in ("title", "subtitle")]
        shown.append(": ".join(name for name in named if name))
    return [line for line in shown if line]


def _first(found: tuple) -> str:
    return next((words(one) for one in found if words(one)), "")


def _url(attachments: list[dict]) -> str | None:
    found = (words(mapping(one.get("payload")).get("url"), 4096) for one in attachments)
    return next((url for url in found if url), None)


def read_referral(referral: dict) -> str | None:
    """The link or advertisement that the contact came by: somebody else's words."""
    ad = mapping(referral.get("ads_context_data"))
    parts = [
        words(ad.get("ad_title"), 1000),
        words(referral.get("source"), NAME_LIMIT),
        words(referral.get("ref"), NAME_LIMIT),
        identifier(referral.get("ad_id")) or "",
    ]
    return "\n".join(part for part in parts if part) or None
