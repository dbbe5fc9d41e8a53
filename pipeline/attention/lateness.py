"""Which feeds are late. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from pipeline.clock.zones import zone_info

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed

DAY = timedelta(days=1)


def due(feed: Feed, day: date) -> datetime:
    """When readings of that local day must be there: the day after, by the feed's `expected_by`, else at its start."""
    at = time.fromisoformat(feed.expected_by or "00:00")
    return datetime.combine(day + DAY, at, zone_info(feed.time_zone)).astimezone(UTC)


def late_since(feed: Feed, last_day: date, now: datetime) -> datetime | None:
    """Since when the day after the last one with readings is late; None if it is not."""
    expected = due(feed, last_day + DAY)
    return expected if expected <= now else None
