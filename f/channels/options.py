"""What a contact may answer with one touch: Markdown links to `reply:`, one in a line, at the end.

Channels with buttons show them as such; in others they are numbered, and a number that comes back
stands for its words.
"""

import re
from dataclasses import dataclass

OPTION = re.compile(
    r"[ \t]*(?:[-*+•][ \t]+|\d{1,2}[.)][ \t]+)?\[([^\[\]\n]{1,200})\]\(reply:\)[ \t]*"
)
NUMBER = re.compile(r"\W*([0-9]{1,2})\W*")
MOST = 10


@dataclass(frozen=True)
class Option:
    title: str


def taken_apart(text: str) -> tuple[str, list[Option]]:
    """The words, and the options that stand at their end."""
    lines = text.rstrip().split("\n")
    first = len(lines)
    while first and OPTION.fullmatch(lines[first - 1]):
        first -= 1
    options = [Option(OPTION.fullmatch(line)[1].strip()) for line in lines[first:]][:MOST]
    return "\n".join(lines[:first]), [option for option in options if option.title]


def with_options(text: str, options: list[Option]) -> str:
    lines = [f"- [{option.title}](reply:)" for option in options]
    return "\n".join([text, *lines] if text else lines)


def numbered(options: list[Option]) -> str:
    return "\n".join(f"{number}. {option.title}" for number, option in enumerate(options, 1))


def chosen(text: str, asked: str) -> str | None:
    """The words that a number stands for, when `asked` was our last message."""
    number = NUMBER.fullmatch(text)
    if number is None:
        return None
    options = taken_apart(asked)[1]
    index = int(number[1]) - 1
    return options[index].title if 0 <= index < len(options) else None
