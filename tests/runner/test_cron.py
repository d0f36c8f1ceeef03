"""When a schedule is due, also around the two nights on which the clocks change."""

from datetime import UTC, datetime

import pytest

from runner.cron import InvalidCron, InvalidTimeZone, parse_cron


def ticks(expression: str, after: str, count: int, zone: str = "Europe/Berlin") -> list[str]:
    cron, moment, found = parse_cron(expression, zone), datetime.fromisoformat(after), []
    for _ in range(count):
        moment = cron.next_after(moment)
        found.append(moment.astimezone(UTC).strftime("%m-%d %H:%M:%S"))
    return found


def test_seconds_come_first():
    found = ticks("*/20 30 6 * * *", "2026-01-05T00:00:00+00:00", 4, zone="Etc/UTC")

    assert found == ["01-05 06:30:00", "01-05 06:30:20", "01-05 06:30:40", "01-06 06:30:00"]


def test_a_schedule_keeps_to_the_hour_of_its_own_time_zone():
    found = ticks("0 0 6 * * *", "2026-03-28T00:00:00+00:00", 3)

    assert found == ["03-28 05:00:00", "03-29 04:00:00", "03-30 04:00:00"]


def test_an_hour_that_is_left_out_in_spring_is_made_up_for_once():
    found = ticks("0 30 2 * * *", "2026-03-28T12:00:00+00:00", 2)

    assert found == ["03-29 01:00:00", "03-30 00:30:00"]


def test_an_hour_that_comes_twice_in_autumn_runs_a_daily_schedule_once():
    found = ticks("0 30 2 * * *", "2026-10-24T12:00:00+00:00", 2)

    assert found == ["10-25 00:30:00", "10-26 01:30:00"]


def test_an_hour_that_comes_twice_in_autumn_runs_an_hourly_schedule_twice():
    found = ticks("0 30 * * * *", "2026-10-25T00:00:00+00:00", 3)

    assert found == ["10-25 00:30:00", "10-25 01:30:00", "10-25 02:30:00"]


def test_every_half_hour_goes_on_through_the_hour_left_out():
    found = ticks("0 */30 * * * *", "2026-03-29T00:15:00+00:00", 3)

    assert found == ["03-29 00:30:00", "03-29 01:00:00", "03-29 01:30:00"]


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "61 * * * * *",
        "0 0 25 * * *",
        "hello",
        "",
        "@daily",
        "0 0 0 31 2 *",
        "0 0 0 * * * 2030",
    ],
)
def test_what_is_no_cron_with_seconds_is_refused(expression):
    with pytest.raises(InvalidCron):
        parse_cron(expression, "Etc/UTC")


@pytest.mark.parametrize("zone", ["Europe/Rom", "", "../etc/passwd", "+02:00", "None"])
def test_what_is_no_time_zone_is_refused(zone):
    with pytest.raises(InvalidTimeZone):
        parse_cron("0 0 0 * * *", zone)
