"""Text for a terminal of 80 columns: colours only where they are seen, lines that fit."""

import os
import sys
import textwrap

WIDTH = 78
CODES = {"bold": "1", "dim": "2", "green": "32", "red": "31"}


def paint(text: str, colour: str) -> str:
    is_seen = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\033[{CODES[colour]}m{text}\033[0m" if is_seen else text


def heading(text: str) -> None:
    print(f"\n{paint(text, 'bold')}")


def wrapped(text: str, indent: str = "  ") -> str:
    lines = text.splitlines() or [""]
    return "\n".join(
        textwrap.fill(line, WIDTH, initial_indent=indent, subsequent_indent=indent)
        for line in lines
    )


def shortened(text: str, length: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"
