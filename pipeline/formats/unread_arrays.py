"""Why a row with an array for its day gave no reading, of any format: rules of time that the judge is silent about."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING

from pipeline.clock.local_time import day_minutes, day_start
from pipeline.formats.row_judge import beyond_all_years, out_of_range, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from pipeline.config.feeds import Feed
    from pipeline.formats.row_judge import Refusal


def broken(  # noqa: PLR0913 - all are independent
    day: date | None, text: str | None, size: int, feed: Feed, received: datetime, *, has_places: bool
) -> Iterator[Refusal]:
    """What is wrong with a row's day or the `size` of its array; nothing where that has places on the day."""
    said = shown(text)
    if day is None:
        yield "INTERVAL_START_INVALID", f"not a day: {said}"
        return
    yield from day_out_of_range(day, said, feed, received)
    length = day_minutes(day, feed.time_zone)
    if not length:
        yield "LOCAL_TIME_NONEXISTENT", f"{said} does not exist in {feed.time_zone}: the day was skipped"
    elif not has_places:
        yield "ARRAY_LENGTH_INVALID", f"a list of {size} on a day of {length} minutes"


def day_out_of_range(day: date, said: str, feed: Feed, received: datetime) -> Iterator[Refusal]:
    """A day begins in the feed's span."""
    start = day_start(day, feed.time_zone)
    if start is not None:
        yield from out_of_range(start, day, said, feed, received)
    else:  # its midnight is before all years, or after them
        yield beyond_all_years(datetime.combine(day, time.min), said, feed)
