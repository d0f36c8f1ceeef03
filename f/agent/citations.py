"""Which passages a reply rests on: named by number, and only those that were found."""

import json
import re

from f.agent.plain_text import sentences, spoken

NUMBERS = re.compile(r"\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
# A sentence that stands in a passage rests on it, named or not; shorter ones stand everywhere.
LEAST_WORDS = 5


def renumbered(text: str, first: int) -> tuple[str, list[str]]:
    """What the knowledge tool told, its passages numbered through the turn from `first`; and the
    passages' texts, with what was told around them."""
    told = json.loads(text)
    passages = told["passages"]
    for number, passage in enumerate(passages, start=first):
        passage["source"] = number
    return json.dumps(told, ensure_ascii=False), [_whole(passage) for passage in passages]


def _whole(passage: dict) -> str:
    return "\n".join(passage[name] for name in ("before", "text", "after") if name in passage)


def without_numbers(reply: str) -> str:
    return NUMBERS.sub("", reply).strip()


def cited(reply: str, passages: list[dict], texts: list[str]) -> list[dict]:
    """`passages`: what the receipt keeps of all that were found, in order; `texts`: their words.

    Each cited one with its `number` and `how`: number (the model named it) or words (the reply
    says a sentence of it). A number that nothing was found under is nobody's.
    """
    named = {int(one) for match in NUMBERS.findall(reply) for one in match.split(",")}
    said = [spoken(one) for one in sentences(without_numbers(reply))]
    long = [one for one in said if one.count(" ") + 1 >= LEAST_WORDS]
    found = []
    for number, (passage, text) in enumerate(zip(passages, texts, strict=True), start=1):
        plain = f" {spoken(text)} "
        is_said = any(f" {sentence} " in plain for sentence in long)
        if number in named or is_said:
            how = "number" if number in named else "words"
            found.append({**passage, "number": number, "how": how})
    return found
