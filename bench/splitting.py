"""./chatmill bench splitting: 10,000 generated texts through split and convert, for each channel.

Holds: every piece is within the vendor's limit in the vendor's unit, no word is lost, every mark
that we wrote is closed.
"""

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor

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
from f.channels.text import joins

LIMITS = {
    "whatsapp": (whatsapp_sending.TEXT_LIMIT, dialects.whatsapp),
    "twilio": (twilio_sending.TEXT_LIMIT, dialects.whatsapp),
    "messenger": (messenger_sending.TEXT_LIMIT, dialects.plain),
    "telegram": (telegram_sending.TEXT_LIMIT, lambda rich: dialects.telegram(rich)[0]),
    "web": (web.TEXT_LIMIT, lambda rich: rich.text),
}


# No space to cut at, and letters of many parts.
CLUSTERS = "👨‍👩‍👧‍👦e\u0301🇩🇪क्षि👍🏽o\u0308"
LONG = ("x" * 1_000_000, CLUSTERS * 20_000, "**" * 300_000, "[a](https://a.example) " * 20_000)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    kinds = options.channels or list(LIMITS)
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        reports = list(pool.map(report_of, kinds, [options.texts] * len(kinds)))
    for report, _ in reports:
        print(report)
    return 1 if any(faults for _, faults in reports) else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chatmill bench splitting", description=__doc__)
    parser.add_argument("--texts", type=int, default=10_000, help="how many; 10,000")
    parser.add_argument("channels", nargs="*", metavar="CHANNEL", help=", ".join(LIMITS))
    options = parser.parse_args(arguments)
    unknown = [one for one in options.channels if one not in LIMITS]
    if unknown:
        parser.error(f"there is no channel {unknown[0]}")
    return options


def report_of(kind: str, count: int) -> tuple[str, int]:
    """What is printed of a channel, and how many faults it has."""
    started = time.perf_counter()
    lines, pieces, faults = [], 0, 0
    for text in [*texts(count), *LONG]:
        cut = registry.library(kind).split_text(text)
        found = faults_in(kind, text, cut)
        faults += len(found)
        pieces += len(cut)
        lines += [f"{kind}: {fault}: {text[:120]!r}" for fault in found[:3]]
    seconds = time.perf_counter() - started
    total = (
        f"{kind:10} {count + len(LONG)} texts, {pieces} pieces, {faults} faults, {seconds:.1f} s"
    )
    return "\n".join([*lines[:30], total]), faults


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
    faults += _broken_letters(markdown.read(text).text, [piece.text for piece in pieces])
    return faults + [fault for piece in pieces for fault in _unbalanced(kind, piece)]


def _broken_letters(text: str, pieces: list[str]) -> list[str]:
    """Where a piece begins in the middle of an emoji or an accented letter."""
    faults, end = [], 0
    for piece in pieces:
        start = text.find(piece, end)
        if start < 0:
            continue  # blank lines were joined: what is lost is counted elsewhere
        if 0 < start == end and joins(text, start):
            faults.append("letter broken")
        end = start + len(piece)
    return faults


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
