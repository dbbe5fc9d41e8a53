"""Green Button: interval readings of one meter, judged in Python with the rules of green_button.py."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from pipeline.clock.local_time import day_minutes, day_start, wall_clock
from pipeline.formats.green_button_document import DESCRIBED
from pipeline.formats.row_judge import (
    PASSED,
    Reading,
    Refusal,
    Row,
    RowJudge,
    energy_of,
    json_object,
    json_value,
    out_of_range,
    shown,
    unusable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from pipeline.config.feeds import Feed

# What an IntervalReading says, as bronze names it.
SAID = ("start", "duration", "value", "quality", "cost", "tou", "consumption_tier", "cpp")
WATT_HOURS = "72"
# The power of ten that turns Wh into the feed's unit.
POWER_OF = {"Wh": 0, "kWh": -3}
DIRECTION_OF = {"1": "import", "19": "export"}
# Accumulation behaviours of registers that only grow: their readings are no energy of an interval.
REGISTERS = ("1", "3")
HOUR, DAY = 3600, 24 * 3600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds since 1970 of the years 1 to 9999.
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_799
_START, _DURATION = re.compile(r"[+-]?[0-9]{1,12}"), re.compile(r"[0-9]{1,9}")
_MULTIPLIER = re.compile(r"[+-]?[0-9]{1,3}")

NO_METER = "no UsagePoint with a link of its own"
NO_TYPE = "no ReadingType is linked, so its unit is not known"


class _Interval(NamedTuple):
    """When a row's interval begins, its local time then, and its seconds."""

    start: datetime
    local: datetime
    seconds: int


def judged(rows: list[Row], feed: Feed, received: datetime) -> Iterator[Reading]:
    """Judged readings, one a row at most."""
    for row in rows:
        interval = _interval(row, feed)
        if interval is None or is_other(row):
            continue
        start, local, seconds = interval
        day, said = local.date(), shown(row["start"])
        direction = DIRECTION_OF.get(row["flow_direction"]) if row["flow_direction"] else feed.direction
        energy = _energy(row, feed)
        broken = chain(
            _broken(row, direction),
            out_of_range(start, day, said, feed, received),
            _off_grid(interval, row, feed),
            unusable(energy, f"value {shown(row['value'])}{_times(row)}", feed) if row["uom"] else _without_type(),
        )
        verdict = next(broken, PASSED)
        minutes = seconds // 60
        yield Reading(row["row_number"], direction, start, minutes, day, energy, row["quality"] or None, *verdict)


def is_other(row: Row) -> bool:
    """Whether a row is of another quantity than energy of an interval."""
    return row["uom"] is not None and (row["uom"] != WATT_HOURS or row["accumulation_behaviour"] in REGISTERS)


def start_of(row: Row) -> datetime | None:
    """The start of the row's interval; None where the row says no start or no duration."""
    if not _START.fullmatch(row["start"] or "") or not _DURATION.fullmatch(row["duration"] or ""):
        return None
    if not FIRST_SECOND <= int(row["start"]) <= LAST_SECOND:
        return None
    return EPOCH + timedelta(seconds=int(row["start"]))


def _interval(row: Row, feed: Feed) -> _Interval | None:
    """None where the row says no interval, or one that no local clock shows in the years 1 to 9999."""
    start = start_of(row)
    local = start and wall_clock(start, feed.time_zone)
    return _Interval(start, local, int(row["duration"])) if start and local else None


def _energy(row: Row, feed: Feed) -> Decimal | None:
    multiplier = row["power_of_ten_multiplier"] or "0"
    if row["value"] is None or row["uom"] is None or not _MULTIPLIER.fullmatch(multiplier):
        return None
    return energy_of(f"{row['value']}e{int(multiplier) + POWER_OF[feed.unit]}")


def _broken(row: Row, direction: str | None) -> Iterator[Refusal]:
    if not row["usage_point"]:
        yield "METER_ID_MISSING", NO_METER
    if direction is None:
        yield "DIRECTION_UNKNOWN", f"flowDirection {shown(row['flow_direction'])} is neither import (1) nor export (19)"


def _off_grid(interval: _Interval, row: Row, feed: Feed) -> Iterator[Refusal]:
    """An interval is a part of an hour, whole hours that divide a day, or a whole local day."""
    start, local, seconds = interval
    fits = seconds > 0 and seconds % 60 == 0 and (HOUR % seconds == 0 or (seconds % HOUR == 0 and DAY % seconds == 0))
    if fits and (local.minute * 60 + local.second) % min(seconds, HOUR) == 0:
        return
    day = local.date()
    if seconds != day_minutes(day, feed.time_zone) * 60 or start != day_start(day, feed.time_zone):
        yield "OFF_GRID", f"{shown(row['start'])} for {shown(row['duration'])} seconds is no part of an hour or a day"


def _without_type() -> Iterator[Refusal]:
    yield "CONSUMPTION_INVALID", NO_TYPE


def _times(row: Row) -> str:
    multiplier = row["power_of_ten_multiplier"]
    return f" times ten to {shown(multiplier)}" if multiplier else ""


def as_received(row: Row, feed: Feed) -> str:  # noqa: ARG001 - the same for every feed
    """The reading and what describes it, as JSON."""
    return json_object({name: json_value(row[name]) for name in (*DESCRIBED, *SAID) if row[name] is not None})


ROW_JUDGE = RowJudge(lambda _: (*DESCRIBED, *SAID), judged, as_received)
