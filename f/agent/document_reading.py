"""A document that a contact sent, as text, by the readers that sources are read with."""

from f.knowledge.extraction import MAX_BYTES, extract

__all__ = ["MAX_BYTES", "text_of"]

MAX_CHARACTERS = 300_000


def text_of(file_name: str, content: bytes) -> str:
    """Raises InputRefused with a code of f/knowledge/refusals.py."""
    sections = extract(file_name, content).sections
    parts = ["\n".join([" > ".join(one.heading_path), one.text]).strip() for one in sections]
    return "\n\n".join(parts)[:MAX_CHARACTERS]
