"""OBIS JSON: records of one meter, judged in Python with the rules of obis_json.py."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING

from pipeline.clock.local_time import wall_clock
from pipeline.formats.obis_document import DIRECTION_OF
from pipeline.formats.row_judge import (
    Reading,
    Row,
    RowJudge,
    is_blank,
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

_LABEL = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.]0+)?)?Z")


def readings(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """The readings that pass: for each record, one for each code with a usable value."""
    for row in rows:
        if row["raw"] is not None or is_blank(row["muid"]):
            continue
        time = time_of(_LABEL.fullmatch(row["timestamp"] or ""))
        start = time and time.replace(tzinfo=UTC)
        local = start and wall_clock(start, feed.time_zone)
        if start is None or local is None or not is_on_grid(start, feed):
            continue
        if not is_in_range(start, local.date(), feed, received):
            continue
        quality = None if is_blank(row["quality"]) else row["quality"]
        for code, text in row["obis"] or ():
            if (energy := usable_energy(text)) is not None and is_plausible(energy, feed):
                direction = DIRECTION_OF.get(code.upper())
                yield Reading(row["row_number"], direction, start, feed.minutes, local.date(), energy, quality)


ROW_JUDGE = RowJudge(lambda _: ("muid", "timestamp", "quality", "obis", "raw"), readings)
