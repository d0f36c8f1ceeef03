"""How a file ends for its uploader."""

from f.knowledge.extraction import extract
from f.knowledge.refusals import SENTENCES
from f.shared.errors import InputRefused


def outcome(name: str, content: bytes, read=extract) -> str:
    """`read`, or the code that it is refused with."""
    try:
        read(name, content)
    except InputRefused as refusal:
        assert str(refusal) == SENTENCES[refusal.code]
        return refusal.code
    return "read"
