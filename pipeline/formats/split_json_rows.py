"""Split JSON: rows of one meter, judged in Python with the rules of split_json.py."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from pipeline.clock.local_time import instants
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
from pipeline.formats.row_rules import BLANKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.config.settings import Feed

_LABEL = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})")

# What pandas and Excel make of an id: a number with a fraction, or with an exponent and its sign. `12E5` is an id.
NO_ID = r"(?:-?[0-9]+(?:[.][0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-][0-9]+)|true|false)"
_NO_ID = re.compile(NO_ID)


def _is_id(meter: str | None) -> bool:
    return meter is not None and not is_blank(meter) and not _NO_ID.fullmatch(meter.strip(BLANKS))


def readings(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """The readings that pass, at most one for each row; occurrences of a repeated time have their own instants."""
    names = feed.columns
    times = ((row, time_of(_LABEL.fullmatch(row[names.interval_start] or ""))) for row in rows)
    labelled = [(row, local) for row, local in times if local is not None]
    # Rejected rows are occurrences too (contract, section 2).
    occurrences = Counter(local for _, local in labelled)
    newest_first = bool(labelled) and labelled[-1][1] < labelled[0][1]
    seen: set[datetime] = set()
    for row, local in labelled:
        is_first = local not in seen
        seen.add(local)
        energy = usable_energy(row[names.consumption])
        if row["raw"] is not None or not _is_id(row[names.meter_id]) or energy is None or not is_on_grid(local, feed):
            continue
        at = instants(local, feed.time_zone)
        if at and is_in_range(at[0], local.date(), feed, received) and is_plausible(energy, feed):
            start = at[-1] if occurrences[local] > 1 and is_first == newest_first else at[0]
            yield Reading(row["row_number"], feed.direction, start, feed.minutes, local.date(), energy, None)


def _columns(feed: Feed) -> tuple[str, ...]:
    return feed.columns.meter_id, feed.columns.interval_start, feed.columns.consumption, "raw"


ROW_JUDGE = RowJudge(_columns, readings, trims_meter=True)
