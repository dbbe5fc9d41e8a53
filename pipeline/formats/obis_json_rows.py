"""OBIS JSON: records of one meter, judged in Python with the rules of obis_json.py."""

from __future__ import annotations

import re
from datetime import UTC
from itertools import chain
from typing import TYPE_CHECKING

from pipeline.clock.local_time import wall_clock
from pipeline.formats.obis_document import DIRECTION_OF, TAGS
from pipeline.formats.row_judge import (
    PASSED,
    Reading,
    Refusal,
    Row,
    RowJudge,
    beyond_all_years,
    energy_of,
    is_blank,
    json_object,
    json_value,
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

_LABEL = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.]0+)?)?Z")


def judged(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """Judged readings: of a record one for each of its codes, of a refused one without any code that one."""
    for row in rows:
        time = time_of(_LABEL.fullmatch(row["timestamp"] or ""))
        start = time and time.replace(tzinfo=UTC)
        local = start and wall_clock(start, feed.time_zone)
        if start is None or local is None:
            continue
        label = shown(row["timestamp"])
        broken = chain(
            _broken(row), out_of_range(start, local.date(), label, feed, received), off_grid(start, label, feed)
        )
        of_record = next(broken, PASSED)
        quality = None if is_blank(row["quality"]) else row["quality"]
        for code, text in row["obis"] or [(None, None)]:
            direction = code and DIRECTION_OF.get(code.upper())
            energy = energy_of(text)
            verdict = of_record
            if verdict == PASSED:
                if code is None:
                    continue
                verdict = next(unusable(energy, f"{code}: {shown(text)}", feed), PASSED)
            yield Reading(row["row_number"], direction, start, feed.minutes, local.date(), energy, quality, *verdict)


def _broken(row: Row) -> Iterator[Refusal]:
    if row["raw"] is not None:
        yield "FIELD_COUNT", "a key stands twice in the record"
    if is_blank(row["muid"]):
        yield "METER_ID_MISSING", "no muid"


def unread(row: Row, feed: Feed, received: datetime) -> Refusal | None:  # noqa: ARG001 - a format's
    """Why a row of which `judged` says nothing is refused; None for one without any code."""
    if refused := next(_broken(row), None):
        return refused
    if (time := time_of(_LABEL.fullmatch(row["timestamp"] or ""))) is not None:
        is_placed = wall_clock(time.replace(tzinfo=UTC), feed.time_zone) is not None
        return None if is_placed else beyond_all_years(time, shown(row["timestamp"]), feed)
    return "INTERVAL_START_INVALID", f"no time, or not YYYY-MM-DDTHH:MM:SSZ: {shown(row['timestamp'])}"


def as_received(row: Row, feed: Feed) -> str:  # noqa: ARG001 - the same for every feed
    """The record as JSON: of one that was taken apart what is known of it."""
    if row["raw"] is not None:
        return str(row["raw"])
    members = {name: json_value(row[name]) for name in ("measurement", "timestamp") if row[name] is not None}
    members["tags"] = json_object({name: json_value(row[name]) for name in TAGS if row[name] is not None})
    if row["obis"] is not None:
        members["obis"] = json_object({code: json_value(text) for code, text in row["obis"]})
    return json_object(members)


ROW_JUDGE = RowJudge(lambda _: ("muid", "timestamp", "quality", "obis", "raw"), judged, as_received)
