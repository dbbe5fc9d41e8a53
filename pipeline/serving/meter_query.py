"""A query for one meter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.serving.parameters import instant_of, zone_or

if TYPE_CHECKING:
    from datetime import date, datetime

    from pipeline.config.feeds import Feed


@dataclass(frozen=True)
class MeterQuery:
    """A query for one meter: the span [first, last), in days of the zone or in instants."""

    meter: str
    first: date | datetime
    last: date | datetime
    granularity: str
    tz: str | None
    direction: str | None
    version: str

    def span(self, feed: Feed) -> tuple[datetime, datetime]:
        """The span as UTC instants; days are in the requested zone, else in the feed's."""
        zone = zone_or(self.tz, feed.time_zone)
        return instant_of(self.first, zone), instant_of(self.last, zone)
