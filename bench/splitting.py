"""./chatmill bench splitting: 10,000 generated texts through split and convert, for each channel.

    ./chatmill bench splitting [COUNT]

Holds: every piece is within the vendor's limit in the vendor's unit, no word is lost, every mark
that we wrote is closed.
"""

import sys
import time

from bench.texts import texts
from f.channels import (
    dialects,
    markdown,
    messenger_sending,
    registry,
    telegram_sending,
    twilio_sending,
    web,
    whatsapp_sending,
)
from f.channels.rich_text import RichText, utf16_length

LIMITS = {
    "whatsapp": (whatsapp_sending.TEXT_LIMIT, dialects.whatsapp),
    "twilio": (twilio_sending.TEXT_LIMIT, dialects.whatsapp),
    "messenger": (messenger_sending.TEXT_LIMIT, dialects.plain),
    "telegram": (telegram_sending.TEXT_LIMIT, lambda rich: dialects.telegram(rich)[0]),
    "web": (web.TEXT_LIMIT, lambda rich: rich.text),
}


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else 10_000
    million = "x" * 1_000_000
    for kind in LIMITS:
        started = time.perf_counter()
        pieces = faults = 0
        for text in [*texts(count), million, "**" * 300_000, "[a](https://a.example) " * 20_000]:
            cut = registry.library(kind).split_text(text)
            found = faults_in(kind, text, cut)
            faults += len(found)
            pieces += len(cut)
            for fault in found[:3]:
                print(f"{kind}: {fault}: {text[:120]!r}")
        seconds = time.perf_counter() - started
        print(f"{kind:10} {count + 3} texts, {pieces} pieces, {faults} faults, {seconds:.1f} s")
    return 0


def faults_of(kind: str, text: str) -> list[str]:
    return faults_in(kind, text, registry.library(kind).split_text(text))


def faults_in(kind: str, text: str, cut: list[str]) -> list[str]:
    limit, render = LIMITS[kind]
    pieces = [markdown.read(piece) for piece in cut]
    faults = [
        f"{utf16_length(render(piece))} units"
        for piece in pieces
        if utf16_length(render(piece)) > limit
    ]
    said = _letters("".join(piece.text for piece in pieces))
    if said != _letters(markdown.read(text).text):
        faults.append("text lost")
    return faults + [fault for piece in pieces for fault in _unbalanced(kind, piece)]


def _letters(text: str) -> str:
    return "".join(text.split())


def _unbalanced(kind: str, piece: RichText) -> list[str]:
    if kind == "telegram":
        return _wrong_entities(piece)
    if kind in ("whatsapp", "twilio"):
        # What we add must come in pairs, and away from it the words are as they were.
        written = dialects.whatsapp(piece)
        added = {sign: written.count(sign) - piece.text.count(sign) for sign in "*_~"}
        addresses = [one.value for one in piece.spans if one.kind == "link"]
        for sign in added:
            added[sign] -= sum(address.count(sign) for address in addresses)
        return [f"{sign} unbalanced" for sign, number in added.items() if number % 2]
    return []


def _wrong_entities(piece: RichText) -> list[str]:
    text, entities = dialects.telegram(piece)
    units = text.encode("utf-16-le")
    faults, open_until = [], []
    for entity in entities:
        start, end = entity["offset"], entity["offset"] + entity["length"]
        if not 0 <= start < end <= len(units) // 2:
            faults.append(f"entity {start}-{end} outside")
        units[2 * start : 2 * end].decode("utf-16-le")  # raises where an emoji is broken
        open_until = [one for one in open_until if one > start]
        if any(one < end for one in open_until):
            faults.append(f"entity {start}-{end} crosses another")
        open_until.append(end)
    return faults


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
