"""What a picture or a recording is, told by its first bytes; names and headers are only claims."""

import struct

# What models take as pictures, and what endpoints for transcription take as recordings.
PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
RECORDINGS = {
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/wav": "wav",
    "audio/flac": "flac",
    "audio/webm": "webm",
}
STARTS = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"OggS": "audio/ogg",
    b"ID3": "audio/mpeg",
    b"\xff\xfb": "audio/mpeg",
    b"\xff\xf3": "audio/mpeg",
    b"\xff\xf2": "audio/mpeg",
    b"fLaC": "audio/flac",
    b"\x1a\x45\xdf\xa3": "audio/webm",
}
OPUS_RATE = 48_000
# Of a voice message in AAC or MP3, where no look into its index tells how long it is.
BYTES_PER_SECOND = 8_000


def tell(content: bytes) -> str | None:
    """One of PICTURES or RECORDINGS; None for everything else."""
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(content[8:12])
    if content[4:8] == b"ftyp":
        return "audio/mp4"
    return next((kind for start, kind in STARTS.items() if content.startswith(start)), None)


def seconds_of(content: bytes) -> int:
    """How long a recording takes, at least 1; exact for Opus in Ogg, which vendors make of voice
    messages, else a guess from its size."""
    last_page = content.rfind(b"OggS")
    if b"OpusHead" in content[:200] and last_page >= 0 and len(content) >= last_page + 14:
        (samples,) = struct.unpack_from("<q", content, last_page + 6)
        return max(1, min(samples // OPUS_RATE, 24 * 3600))
    return max(1, len(content) // BYTES_PER_SECOND)
