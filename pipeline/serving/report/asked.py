"""What a report is about, and the condition on rows that follows from it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import UsageError, printable


@dataclass(frozen=True)
class Asked:
    """What a report is about: a feed, one meter of it or all, and local days from `first` up to before `end`."""

    feed: str
    meter: str | None = None
    first: date | None = None
    end: date | None = None
    # The days that the feed's readings may be of; an earlier version also loaded others.
    earliest: date = date.min
    latest: date = date.max

    @classmethod
    def of(cls, feed: str, meter: str | None, first: str | None, end: str | None) -> Asked:
        """From the command line's texts; raises UsageError for an invalid day or an empty range."""
        days = [_day(option, text) for option, text in (("--from", first), ("--to", end))]
        if days[0] and days[1] and days[0] >= days[1]:
            raise UsageError(f"--from {days[0]} is not before --to {days[1]}: --to is the day after the last one")
        return cls(feed, meter, days[0], days[1])

    @property
    def condition(self) -> pc.Expression:
        """The condition on rows of silver.readings and gold.missing_intervals."""
        in_range = (pc.field("local_date") >= pa.scalar(self.earliest)) & (
            pc.field("local_date") <= pa.scalar(self.latest)
        )
        return self._asked_for & in_range

    @property
    def out_of_range(self) -> pc.Expression:
        """The condition on rows that were asked for, but are of days that a report cannot show."""
        day = pc.field("local_date")
        return self._asked_for & ((day < pa.scalar(self.earliest)) | (day > pa.scalar(self.latest)))

    @property
    def _asked_for(self) -> pc.Expression:
        found = pc.field("feed") == self.feed
        if self.meter is not None:
            found &= pc.field("meter_id") == self.meter
        if self.first:
            found &= pc.field("local_date") >= pa.scalar(self.first)
        if self.end:
            found &= pc.field("local_date") < pa.scalar(self.end)
        return found

    @property
    def title(self) -> str:
        """The report's heading."""
        of_meter = f", meter {printable(self.meter)}" if self.meter is not None else ""
        return f"Meter readings of {self.feed}{of_meter}"

    @property
    def in_words(self) -> str:
        """Which readings were asked for, for a message."""
        parts = [f"feed {self.feed!r}", f"meter {self.meter!r}" if self.meter is not None else ""]
        parts += [f"from {self.first}" if self.first else "", f"before {self.end}" if self.end else ""]
        return ", ".join(filter(None, parts))


def _day(option: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is not a day: write it as 2021-03-28") from None
