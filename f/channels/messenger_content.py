"""Read what a Messenger message says, and the files that hang on it.

Source: https://developers.facebook.com/docs/messenger-platform/reference/webhook-events/messages
"""

from f.channels.content import Content, media_of, unseen
from f.channels.vendor_json import identifier, items, mapping, words

NAME_LIMIT = 256
FILES = {"image": "image", "audio": "audio", "video": "video", "file": "document"}
SHARED = ("fallback", "template", "reel", "ig_reel", "post", "ig_post", "story_mention", "ig_story")


def read_content(message: dict) -> Content | None:
    """None for a message that says nothing. A quick reply's title is what the contact read."""
    text = words(message.get("text"))
    attachments = [mapping(one) for one in items(message.get("attachments"))]
    if message.get("quick_reply") and text.strip():
        return Content("button", text)
    if "sticker_id" in message or any(one.get("type") == "sticker" for one in attachments):
        return Content("media", text, media_of("sticker", url=_url(attachments)))
    for attachment in attachments:
        content = _read_attachment(attachment, text)
        if content:
            return content
    if attachments:
        return unseen(text)
    return Content("text", text) if text.strip() else None


def read_more_files(message: dict) -> list[Content]:
    """What hangs on the message beside the first file, which read_content() gives."""
    attachments = [mapping(one) for one in items(message.get("attachments"))]
    found = [_read_attachment(one, "") for one in attachments if words(one.get("type")) in FILES]
    return [content for content in found[1:] if content]


def _read_attachment(attachment: dict, text: str) -> Content | None:
    kind, payload = words(attachment.get("type"), NAME_LIMIT), mapping(attachment.get("payload"))
    if kind in FILES:
        url = words(payload.get("url"), 4096) or None
        # Voice clips come as MP4 and with no other sign than being audio.
        return Content("media", text, media_of(FILES[kind], url=url, is_voice=kind == "audio"))
    if kind == "location":
        point = mapping(payload.get("coordinates"))
        place = ", ".join(str(point[key]) for key in ("lat", "long") if key in point)
        return Content("location", "\n".join(one for one in (text, place[:200]) if one))
    if kind in SHARED:
        named = [attachment.get("title"), payload.get("title")]
        links = [attachment.get("url"), attachment.get("URL"), payload.get("url")]
        titles, links = ([words(one) for one in found if words(one)] for found in (named, links))
        shown = [*(title[:NAME_LIMIT] for title in titles[:1]), *links[:1]]
        return Content("text", "\n".join([text, *shown] if text else shown)) if shown else None
    return None


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
