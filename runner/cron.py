"""Six-field cron expressions (seconds first) in a time zone, as Windmill's schedules write them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter
from croniter.croniter import CroniterError

FIELD_COUNT = 6


class InvalidCron(ValueError):
    """The expression is not a cron expression, or its time never comes."""


class InvalidTimeZone(InvalidCron):
    """There is no such time zone."""


@dataclass(frozen=True)
class Cron:
    expression: str
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime:
        """The first tick later than `moment`, in the schedule's own time zone."""
        tick = self._following(moment.astimezone(self.zone))
        # A clock change may repeat an hour; a job at a fixed hour then runs the first time only.
        while tick.fold and self._has_fixed_hours():
            tick = self._following(tick)
        return tick

    def _following(self, moment: datetime) -> datetime:
        ticks = croniter(self.expression, moment, ret_type=datetime, second_at_beginning=True)
        return ticks.get_next()

    def _has_fixed_hours(self) -> bool:
        return not self.expression.split()[2].startswith("*")


def parse_cron(expression: str, time_zone: str) -> Cron:
    fields = str(expression).split()
    if len(fields) != FIELD_COUNT:
        raise InvalidCron(f"'{expression}' has {len(fields)} fields; write six, seconds first")
    cron = Cron(" ".join(fields), _zone(time_zone))
    try:
        cron.next_after(datetime.now(UTC))
    except CroniterError as error:
        raise InvalidCron(f"'{expression}' is not a cron expression: {error}") from error
    return cron


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidTimeZone(f"'{name}' is not a time zone; write one like Europe/Rome") from error
