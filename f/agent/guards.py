"""What must be true of a reply before a contact reads it."""

import re

MAX_REPLY_CHARACTERS = 8000
# With a scheme, with www, or a host with a path: what a chat app makes clickable.
LINK = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]]+|(?<![@\w.-])(?:[\w-]+\.)+[a-z]{2,}/[^\s<>\"')\]]*",
    re.IGNORECASE,
)


def guard(text: str, unknown_reply: str, allowed_text: str) -> tuple[str, str]:
    """The reply to send and why: `ok`, `empty` or `foreign_link`.

    `allowed_text`: everything a link may come from. A reply with another link is not mended but
    replaced: who invents a link may have invented the rest.
    """
    reply = text.strip()[:MAX_REPLY_CHARACTERS]
    if not reply:
        return unknown_reply, "empty"
    if links_in(reply) - links_in(allowed_text):
        return unknown_reply, "foreign_link"
    return reply, "ok"


def links_in(text: str) -> set[str]:
    """Whole links: one that merely begins like a known one is another."""
    found = (link.lower().rstrip(".,;:!?/*_`") for link in LINK.findall(text))
    return {re.sub(r"^https?://", "", link) for link in found}
