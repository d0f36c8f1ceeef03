"""A voice message in words, by an OpenAI-compatible /audio/transcriptions endpoint.

https://platform.openai.com/docs/api-reference/audio/createTranscription
"""

import secrets
from dataclasses import dataclass

from f.agent.completion import MOST_TEXT_CHARACTERS, MOST_TOKENS
from f.agent.model_http import post
from f.agent.model_slot import ModelSlot
from f.agent.openai_model import OpenAIModel
from f.shared.errors import UpstreamDown
from f.shared.media_types import RECORDINGS, seconds_of
from f.shared.text import storable

SECONDS = 40
MAX_BYTES = 16 * 1024 * 1024  # endpoints take 25 MB, vendors of channels 16


@dataclass(frozen=True)
class Transcript:
    """`input_tokens`: where the vendor is paid by time, a second counts as a token."""

    text: str
    model: str
    input_tokens: int
    output_tokens: int
    is_estimated: bool = False


def transcribe(slot: ModelSlot, content: bytes, media_type: str) -> Transcript:
    """Raises what model_http.post does."""
    url = (slot.base_url or OpenAIModel.default_url).rstrip("/") + "/audio/transcriptions"
    form_type, body = _form(slot.model, content, media_type)
    headers = {"authorization": f"Bearer {slot.key}", "content-type": form_type}
    answer = post(url, headers, body, SECONDS)
    text = answer.get("text")
    if not isinstance(text, str):
        raise UpstreamDown("the transcription has no text")
    counted, is_estimated = _usage(answer.get("usage"), content)
    words = storable(text).strip()[:MOST_TEXT_CHARACTERS]
    return Transcript(words, slot.model, *counted, is_estimated)


def _usage(usage: object, content: bytes) -> tuple[tuple[int, int], bool]:
    told = usage if isinstance(usage, dict) else {}
    if told.get("type") == "tokens":
        counts = (told.get("input_tokens"), told.get("output_tokens"))
    else:
        counts = (_whole(told.get("seconds")), 0)
    if all(type(count) is int and 0 <= count <= MOST_TOKENS for count in counts):
        return counts, False
    return (seconds_of(content), 0), True


def _whole(seconds: object) -> int | None:
    is_number = isinstance(seconds, int | float) and 0 <= seconds <= MOST_TOKENS
    return max(1, round(seconds)) if is_number else None


def _form(model: str, content: bytes, media_type: str) -> tuple[str, bytes]:
    """multipart/form-data; the name's ending is how the endpoint tells the format."""
    border = secrets.token_hex(16)
    field = '--{border}\r\ncontent-disposition: form-data; name="{name}"'
    fields = {"model": model, "response_format": "json"}
    head = "".join(
        field.format(border=border, name=name) + f"\r\n\r\n{value}\r\n"
        for name, value in fields.items()
    )
    head += field.format(border=border, name="file")
    head += f'; filename="voice.{RECORDINGS[media_type]}"\r\ncontent-type: {media_type}\r\n\r\n'
    body = head.encode() + content + f"\r\n--{border}--\r\n".encode()
    return f"multipart/form-data; boundary={border}", body
