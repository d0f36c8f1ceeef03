"""Rich text in the words of each vendor: WhatsApp's signs, Telegram's entities, plain text.

Sources: https://faq.whatsapp.com/539178204879377, https://core.telegram.org/bots/api#messageentity
"""

from f.channels.rich_text import EMPHASIS, RichText, Span, utf16_length

WHATSAPP_SIGNS = {"bold": "*", "italic": "_", "strike": "~"}
TELEGRAM_TYPES = {
    "bold": "bold",
    "italic": "italic",
    "strike": "strikethrough",
    "code": "code",
    "pre": "pre",
    "link": "text_link",
}
MOST_ENTITIES = 100  # the next are ignored by Telegram, so they need not be sent


def plain(rich: RichText) -> str:
    """For channels that show signs as they are: addresses stand behind their words."""
    return _with_signs(rich, _addresses(rich))


def whatsapp(rich: RichText) -> str:
    signs = _addresses(rich)
    for span in rich.spans:
        if span.kind == "pre":
            signs.append((span.start, span.end, "```", "```"))
        elif span.kind == "code" and not _spoils(span, rich.text, "`"):
            signs.append((span.start, span.end, "`", "`"))
        elif span.kind in EMPHASIS:
            sign = WHATSAPP_SIGNS[span.kind]
            signs += [(start, end, sign, sign) for start, end in _words_of(span, rich.text)]
    return _with_signs(rich, signs)


def _addresses(rich: RichText) -> list[tuple[int, int, str, str]]:
    return [
        (span.start, span.end, "", f" ({span.value})")
        for span in rich.spans
        if span.kind == "link" and rich.text[span.start : span.end] != span.value
    ]


def _spoils(span: Span, text: str, sign: str) -> bool:
    inside = text[span.start : span.end]
    return sign in inside or "\n" in inside


def _words_of(span: Span, text: str) -> list[tuple[int, int]]:
    """WhatsApp's signs work in one line, at the ends of words, with no space inside."""
    found, start = [], span.start
    for line in text[span.start : span.end].split("\n"):
        inner = line.strip()
        first = start + (len(line) - len(line.lstrip()))
        last = first + len(inner)
        start += len(line) + 1
        is_apart = not (text[first - 1 : first].isalnum() or text[last : last + 1].isalnum())
        if inner and is_apart:
            found.append((first, last))
    return found


def _with_signs(rich: RichText, signs: list[tuple[int, int, str, str]]) -> str:
    """`signs`: (start, end, before, behind); the outer ones open first and close last."""
    signs = sorted(signs, key=lambda one: (one[0], -one[1]))
    opening: dict[int, list[str]] = {}
    closing: dict[int, list[str]] = {}
    for start, end, before, behind in signs:
        opening.setdefault(start, []).append(before)
        closing.setdefault(end, []).append(behind)
    written, position = [], 0
    for at in sorted({*opening, *closing}):
        written.append(rich.text[position:at])
        written += closing.get(at, [])[::-1]
        written += opening.get(at, [])
        position = at
    return "".join([*written, rich.text[position:]])


def telegram(rich: RichText) -> tuple[str, list[dict]]:
    """The text and its entities, whose places are counted in UTF-16 units."""
    entities = []
    for span in rich.spans[:MOST_ENTITIES]:
        entity = {
            "type": TELEGRAM_TYPES[span.kind],
            "offset": utf16_length(rich.text[: span.start]),
            "length": utf16_length(rich.text[span.start : span.end]),
        }
        if span.kind == "link":
            entity["url"] = span.value
        if span.kind == "pre" and span.value:
            entity["language"] = span.value
        entities.append(entity)
    return rich.text, entities
