"""SMRT: CONSU rows of one meter, judged in Python with the rules of smrt.py."""

from __future__ import annotations

import re
from datetime import UTC
from itertools import chain
from typing import TYPE_CHECKING

from pipeline.clock.local_time import wall_clock
from pipeline.formats.row_judge import (
    PASSED,
    Reading,
    Refusal,
    Row,
    RowJudge,
    beyond_all_years,
    energy_of,
    off_grid,
    out_of_range,
    shown,
    time_of,
    unusable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from pipeline.config.feeds import Feed

# The fields of a CONSU line after the record's type, as bronze names them.
NAMES = ("meter_number", "measurement_date", "measurement_time", "consumption")
FIELDS = 1 + len(NAMES)
_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2}) ([0-9]{2})([0-9]{2})")
_DIGITS = re.compile(r"[0-9]+")


def judged(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """Judged readings, one a row at most."""
    for row in rows:
        label = f"{row['measurement_date']} {row['measurement_time']}"
        time = time_of(_TIME.fullmatch(label))
        start = time and time.replace(tzinfo=UTC)
        local = start and wall_clock(start, feed.time_zone)
        if start is None or local is None:
            continue
        energy = energy_of(row["consumption"])
        broken = chain(
            _broken(row),
            out_of_range(start, local.date(), shown(label), feed, received),
            off_grid(start, f"time {shown(row['measurement_time'])}", feed),
            unusable(energy, f"consumption {shown(row['consumption'])}", feed),
        )
        verdict = next(broken, PASSED)
        yield Reading(row["row_number"], feed.direction, start, feed.minutes, local.date(), energy, None, *verdict)


def _broken(row: Row) -> Iterator[Refusal]:
    meter = row["meter_number"]
    if row["raw"] is not None:
        yield "FIELD_COUNT", f"not {FIELDS} fields, or an open quote"
    if not meter:
        yield "METER_ID_MISSING", "no meter number"
    elif not _DIGITS.fullmatch(meter):
        yield "METER_ID_INVALID", f"meter {shown(meter)} is not digits"


def unread(row: Row, feed: Feed, received: datetime) -> Refusal | None:  # noqa: ARG001 - a format's
    """Why a row of which `judged` says nothing is refused."""
    label = " ".join(text for text in (row["measurement_date"], row["measurement_time"]) if text is not None)
    if refused := next(_broken(row), None):
        return refused
    if (time := time_of(_TIME.fullmatch(label))) is not None:
        return beyond_all_years(time, shown(label), feed)
    return "INTERVAL_START_INVALID", f"no such date or time: {shown(label)}"


def as_received(row: Row, feed: Feed) -> str:  # noqa: ARG001 - the same for every feed
    """The line; of one that was taken apart its fields, quoted as the sender quotes them."""
    *quoted, consumption = (row[name] for name in NAMES)
    fields = ['"CONSU"', *(f'"{field}"' for field in quoted if field is not None)]
    if row["raw"] is not None:
        return str(row["raw"])
    return ",".join(fields if consumption is None else [*fields, consumption])


ROW_JUDGE = RowJudge(lambda _: (*NAMES, "raw"), judged, as_received)
