"""Split JSON: rows of one meter, judged in Python with the rules of split_json.py."""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from pipeline.clock.local_time import first_instant, instants
from pipeline.formats.row_judge import (
    PASSED,
    Reading,
    Refusal,
    Row,
    RowJudge,
    beyond_all_years,
    energy_of,
    json_array,
    off_grid,
    out_of_range,
    shown,
    time_of,
    unusable,
)
from pipeline.formats.row_rules import BLANKS, is_lost_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.config.feeds import Feed

_LABEL = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})")


def judged(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """Judged readings, one a row at most; of repeated local times each occurrence has its own instant."""
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
        at = instants(local, feed.time_zone)
        start = at[0] if at else first_instant(local, feed.time_zone)
        if start is None:
            continue
        label, text = shown(row[names.interval_start]), row[names.consumption]
        energy = energy_of(text)
        broken = chain(
            _broken(row, feed, exists=bool(at)),
            out_of_range(start, local.date(), label, feed, received),
            off_grid(local, label, feed),
            unusable(energy, f"consumption {shown(text)}", feed),
        )
        verdict = next(broken, PASSED)
        if at and occurrences[local] > 1 and is_first == newest_first:
            start = at[-1]
        yield Reading(row["row_number"], feed.direction, start, feed.minutes, local.date(), energy, None, *verdict)


def _broken(row: Row, feed: Feed, *, exists: bool) -> Iterator[Refusal]:
    meter = (row[feed.columns.meter_id] or "").strip(BLANKS)
    if row["raw"] is not None:
        yield "FIELD_COUNT", "the row is shorter or longer than columns"
    if not meter:
        yield "METER_ID_MISSING", "no meter id"
    elif is_lost_id(meter):
        yield "METER_ID_INVALID", f"meter {shown(meter)} is a number that lost digits, or a flag: no id"
    if not exists:
        said = f"{shown(row[feed.columns.interval_start])} does not exist in {feed.time_zone}"
        yield "LOCAL_TIME_NONEXISTENT", f"{said}: the clocks went forward"


def unread(row: Row, feed: Feed, received: datetime) -> Refusal | None:  # noqa: ARG001 - a format's
    """Why a row of which `judged` says nothing is refused."""
    label = row[feed.columns.interval_start]
    if refused := next(_broken(row, feed, exists=True), None):
        return refused
    if (time := time_of(_LABEL.fullmatch(label or ""))) is not None:
        return beyond_all_years(time, shown(label), feed)
    return "INTERVAL_START_INVALID", f"not YYYY-MM-DD HH:MM:SS: {shown(label)}"


def as_received(row: Row, feed: Feed) -> str:
    """The row as JSON: of one that was taken apart its three cells."""
    names = feed.columns
    if row["raw"] is not None:
        return str(row["raw"])
    return json_array(row[name] for name in (names.interval_start, names.meter_id, names.consumption))


def _columns(feed: Feed) -> tuple[str, ...]:
    return feed.columns.meter_id, feed.columns.interval_start, feed.columns.consumption, "raw"


ROW_JUDGE = RowJudge(_columns, judged, as_received, trims_meter=True)
