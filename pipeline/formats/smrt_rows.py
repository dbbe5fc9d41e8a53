"""SMRT: CONSU rows of one meter, judged in Python with the rules of smrt.py."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from pipeline.clock.local_time import wall_clock
from pipeline.formats.row_judge import (
    Reading,
    Row,
    RowJudge,
    is_in_range,
    is_on_grid,
    is_plausible,
    time_of,
    usable_energy,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.config.settings import Feed

_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2}) ([0-9]{2})([0-9]{2})")
_DIGITS = re.compile(r"[0-9]+")


def readings(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """The readings that pass, at most one for each row."""
    for row in rows:
        if row["raw"] is not None or not _DIGITS.fullmatch(row["meter_number"]):
            continue
        time = time_of(_TIME.fullmatch(f"{row['measurement_date']} {row['measurement_time']}"))
        start = time and time.replace(tzinfo=UTC)
        local = start and wall_clock(start, feed.time_zone)
        energy = usable_energy(row["consumption"])
        if start is None or local is None or energy is None or not is_in_range(start, local.date(), feed, received):
            continue
        if is_on_grid(start, feed) and is_plausible(energy, feed):
            yield Reading(row["row_number"], feed.direction, start, feed.minutes, local.date(), energy, None)


ROW_JUDGE = RowJudge(lambda _: ("meter_number", "measurement_date", "measurement_time", "consumption", "raw"), readings)
