"""Split JSON: rows of one meter, judged in Python by the rules of split_json.py."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from pipeline.formats.row_judge import Reading, Row, RowJudge, is_blank, is_on_grid, time_of, usable_energy
from pipeline.local_time import instants

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.config import Feed

_LABEL = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})")


def readings(rows: list[Row], feed: Feed) -> Iterator[Reading]:
    """The readings that pass, one a row at most; of repeated local times each occurrence has its own instant."""
    names = feed.columns
    times = ((row, time_of(_LABEL.fullmatch(row[names.interval_start] or ""))) for row in rows)
    labelled = [(row, local) for row, local in times if local is not None]
    # Rows that do not pass are occurrences too (contract, section 2).
    occurrences = Counter(local for _, local in labelled)
    newest_first = bool(labelled) and labelled[-1][1] < labelled[0][1]
    seen: set[datetime] = set()
    for row, local in labelled:
        is_first = local not in seen
        seen.add(local)
        energy = usable_energy(row[names.consumption])
        if row["raw"] is not None or is_blank(row[names.meter_id]) or energy is None or not is_on_grid(local, feed):
            continue
        if at := instants(local, feed.time_zone):
            start = at[-1] if occurrences[local] > 1 and is_first == newest_first else at[0]
            yield Reading(row["row_number"], feed.direction, start, feed.minutes, local.date(), energy, None)


def _columns(feed: Feed) -> tuple[str, ...]:
    return feed.columns.meter_id, feed.columns.interval_start, feed.columns.consumption, "raw"


ROW_JUDGE = RowJudge(_columns, readings)
