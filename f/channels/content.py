"""What a message says, whichever vendor brought it."""

from dataclasses import dataclass

UNSEEN = "unsupported"


@dataclass(frozen=True)
class Content:
    kind: str
    text: str = ""
    media: dict | None = None


def named(media: dict) -> str:
    """What a message without words is shown as: a person would be told as much."""
    return f"[{'voice message' if media['is_voice'] else media['type']}]"


def unseen(text: str = "") -> Content:
    """What the contact sees and we are not shown, or can't make words of: a poll, a dice, a story.
    It is kept like a file that nobody can open, so that they are told so in a sentence."""
    return Content("media", text, media_of(UNSEEN))


def media_of(
    kind: str,
    provider_media_id: str | None = None,
    url: str | None = None,
    media_type: str | None = None,
    sha256: str | None = None,
    file_name: str | None = None,
    is_voice: bool = False,
    size_bytes: int | None = None,
    error_code: str | None = None,
) -> dict:
    """A file as the inbox keeps it: by the vendor's id or address, with what is claimed of it.

    `kind`: image, audio, video, document, sticker, or what unseen() has. `error_code`: no file will
    ever come.
    """
    found = {
        "type": kind,
        "provider_media_id": provider_media_id,
        "url": url,
        "media_type": media_type,
        "sha256": sha256,
        "file_name": file_name,
        "is_voice": is_voice,
        "size_bytes": size_bytes,
        "error_code": error_code,
    }
    return found
