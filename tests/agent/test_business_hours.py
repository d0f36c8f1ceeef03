"""When a person is there, in the organization's own time."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from f.agent.business_hours import in_words, is_open, next_opening

HOURS = {"mon": [["09:00", "12:00"], ["13:00", "18:00"]], "tue": [["09:00", "24:00"]]}
MONDAY = datetime(2026, 11, 23, 12, 30, tzinfo=ZoneInfo("Europe/Lisbon"))


@pytest.mark.parametrize(
    ("hour", "expected"), [(8, False), (9, True), (12, False), (13, True), (18, False)]
)
def test_somebody_is_there_between_opening_and_closing(hour, expected):
    assert is_open(HOURS, MONDAY.replace(hour=hour, minute=0)) is expected


def test_a_dates_own_hours_go_before_its_weekdays():
    assert not is_open({**HOURS, "2026-11-23": []}, MONDAY.replace(hour=10))


def test_the_next_opening_may_be_next_week():
    assert next_opening(HOURS, MONDAY).hour == 13
    assert next_opening({"sun": [["10:00", "11:00"]]}, MONDAY).day == 29
    assert next_opening({}, MONDAY) is None


@pytest.mark.parametrize(
    "hours", [{"mon": "all day"}, {"mon": [["9", "18:00"]]}, {"mon": [[1, 2]]}]
)
def test_hours_that_are_no_hours_are_closed(hours):
    assert in_words(hours, MONDAY)["week"]["mon"] == "closed"
