"""When a person of the organization is there, from chatbots.business_hours."""

import json
import re
from datetime import datetime, timedelta

from f.agent.tool_context import ToolContext

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


def is_open(hours: dict, now: datetime) -> bool:
    """`now` is where the organization is."""
    clock = now.strftime("%H:%M")
    return any(opens <= clock < closes for opens, closes in _spans(hours, now))


def next_opening(hours: dict, now: datetime) -> datetime | None:
    """When somebody is there again, within two weeks; None: nobody knows."""
    for days in range(15):
        day = now + timedelta(days=days)
        for opens, _ in _spans(hours, day):
            hour, minute = map(int, opens.split(":"))
            at = day.replace(hour=hour, minute=minute, second=0, microsecond=0)
            if at > now:
                return at
    return None


def in_words(hours: dict, now: datetime) -> dict:
    """Plain facts for a model to tell in the contact's language."""
    coming = next_opening(hours, now)
    return {
        "now": now.strftime("%A %d %B %Y %H:%M"),
        "is_open": is_open(hours, now),
        "opens_next": coming and coming.strftime("%A %d %B %H:%M"),
        "week": {day: ", ".join(map("-".join, _valid(hours.get(day)))) or "closed" for day in DAYS},
    }


def _spans(hours: dict, day: datetime) -> list[tuple[str, str]]:
    """A date's own hours go before its weekday's."""
    return _valid(hours.get(day.strftime("%Y-%m-%d"), hours.get(DAYS[day.weekday()])))


def _valid(spans: object) -> list[tuple[str, str]]:
    """Sorted; what is no span of times is left out."""
    if not isinstance(spans, list):
        return []
    found = [tuple(span) for span in spans if isinstance(span, list) and len(span) == 2]
    return sorted(
        span
        for span in found
        if all(isinstance(one, str) and TIME.fullmatch(one) for one in span) and span[0] < span[1]
    )


class BusinessHoursTool:
    name = "business_hours"
    description = "When people of the organization are there: now, next, and in the week."
    parameters = {"type": "object", "properties": {}, "additionalProperties": False}

    def __init__(self, context: ToolContext):
        self._context = context

    def run(self, arguments: dict) -> tuple[str, dict]:
        told = in_words(self._context.business_hours, self._context.now)
        return json.dumps(told, ensure_ascii=False), {"is_open": told["is_open"]}
