"""What must be true of a reply before a contact reads it."""

import re

MAX_REPLY_CHARACTERS = 8000
URL = re.compile(r"https?://[^\s<>\"')\]]+", re.IGNORECASE)


def guard(text: str, unknown_reply: str, allowed_text: str) -> tuple[str, str]:
    """The reply to send and why: `ok`, `empty` or `foreign_link`.

    `allowed_text`: everything a link may come from. A reply with another link is not mended but
    replaced: who invents a link may have invented the rest.
    """
    reply = text.strip()[:MAX_REPLY_CHARACTERS]
    if not reply:
        return unknown_reply, "empty"
    if any(url.rstrip(".,;:!?") not in allowed_text for url in URL.findall(reply)):
        return unknown_reply, "foreign_link"
    return reply, "ok"
