"""What a message says, whichever vendor brought it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Content:
    kind: str
    text: str = ""
    media: dict | None = None


def named(media: dict) -> str:
    """What a message without words is shown as: a person would be told as much."""
    return f"[{'voice message' if media['is_voice'] else media['type']}]"


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

    `kind`: image, audio, video, document or sticker. `error_code`: no file will ever come.
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
