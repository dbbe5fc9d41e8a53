"""The feed's local clock: what it shows at an instant, which days are long or short, how instants are written. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from pipeline.clock.zones import zone_info

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

DAY = timedelta(days=1)
DAY_MINUTES = 1440
# A reading of at least this length is one of a whole local day: 23 hours when the clocks go forward.
SHORTEST_DAY_MINUTES = 1380
NAMES = {15: "quarter hour", 30: "half hour", 60: "hour", DAY_MINUTES: "day"}


class LocalClock:
    """The wall clock of a zone, a region or an offset."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.zone: tzinfo = zone_info(name)

    def wall(self, instant: datetime) -> datetime:
        """What the clock shows at an instant, without a zone."""
        return instant.astimezone(self.zone).replace(tzinfo=None)

    def shows(self, wall: datetime) -> bool:
        """Whether the clock ever shows this time: false in the hour that is skipped in spring."""
        return self.wall(wall.replace(tzinfo=self.zone).astimezone(UTC)) == wall

    def day_length(self, day: date) -> timedelta:
        """From a local day's first instant to the next day's: 23, 24 or 25 hours in most zones."""
        starts = [datetime.combine(each, time.min, self.zone).astimezone(UTC) for each in (day, day + DAY)]
        return starts[1] - starts[0]

    def part_of_day(self, instant: datetime, day: date) -> float:
        """How much of a local day has passed at an instant, 0 to 1."""
        start = datetime.combine(day, time.min, self.zone).astimezone(UTC)
        return (instant - start) / (self.day_length(day) or DAY)

    def odd_days(self, days: Iterable[date]) -> list[tuple[date, timedelta]]:
        """The days that are longer or shorter than 24 hours, with their lengths."""
        return [(day, length) for day in days if (length := self.day_length(day)) != DAY]

    def text(self, instant: datetime) -> str:
        """An instant for a sentence, `2021-10-31 01:30 BST`: the abbreviation makes the repeated hour unambiguous."""
        return f"{instant.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"

    def both(self, instant: datetime) -> str:
        """An instant for a sentence, also in UTC if that differs."""
        local, moment = self.text(instant), utc(instant)
        return local if local == moment.replace("Z", " UTC") else f"{local} ({moment})"

    def exact(self, instant: datetime) -> str:
        """An instant for a table, `2021-10-31 01:30+01:00`."""
        return instant.astimezone(self.zone).isoformat(sep=" ", timespec="minutes")


def utc(instant: datetime) -> str:
    """An instant in UTC, `2021-10-31 00:30Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")


def clock_text(minute: int) -> str:
    """A minute of the day as a clock shows it: `01:30`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def interval_name(minutes: int, count: int = 1) -> str:
    """What an interval is called: `half hour`, `half hours`, `interval of 20 minutes`."""
    plural = "" if count == 1 else "s"
    if minutes in NAMES:
        return NAMES[minutes] + plural
    return f"interval{plural} of {minutes} minutes"
