"""Seeded sample deliveries of the formats with many readings in a row: OBIS JSON and interval arrays. Pure."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

SOLAR_METERS = [f"LT-PV-{number:03d}" for number in range(1, 5)]
VILNIUS = ZoneInfo("Europe/Vilnius")
IMPORT, EXPORT = "0100011D00FF", "0100021D00FF"
QUARTER = timedelta(minutes=15)
NIGHT_ENDS, NIGHT_BEGINS = 6, 19
# Meters of two clients, with the minutes of their intervals; 1440 is one value a day.
ARRAY_METERS = {
    "VNO-0001": ("northern", 60),
    "VNO-0002": ("northern", 30),
    "VNO-0003": ("northern", 15),
    "VNO-0004": ("southern", 60),
    "VNO-0005": ("southern", 1440),
    "VNO-0006": ("southern", 30),
}
# These always send a list of a normal day's length: wall-clock positions.
WALL_CLOCK = {"VNO-0004", "VNO-0006"}


def solar(dice: random.Random, days: list[date]) -> Iterator[tuple[str, bytes, datetime]]:
    """OBIS JSON, (path, bytes, time of arrival): one file a UTC day, newest first, and what comes with it."""
    arrival = datetime(2021, 3, 30, 5, tzinfo=UTC)
    for day in days:
        arrival = max(arrival, datetime(day.year, day.month, day.day, 5, tzinfo=UTC) + timedelta(days=1))
        records = [_record(dice, meter, moment) for moment in _quarters(day) for meter in SOLAR_METERS]
        yield f"{day}.json", _obis(records[::-1]), arrival
    first = datetime(2021, 3, 28, 10, tzinfo=UTC)
    fixed = [_record(dice, SOLAR_METERS[0], first + QUARTER * n, "corrected") for n in range(4)]
    yield "2021-03-28-correction.json", _obis(fixed), arrival + timedelta(hours=1)
    mixed = [
        _record(dice, SOLAR_METERS[1], first) | {EXPORT: -0.5},  # its import is accepted, its export is not
        _record(dice, "", first),
    ]
    yield "2021-03-28-mixed.json", _obis(mixed), arrival + timedelta(hours=2)
    register = [_record(dice, SOLAR_METERS[2], first) | {"0100010800FF": 48211.5}]
    yield "registers.json", _obis(register), arrival + timedelta(hours=3)


def _quarters(day: date) -> list[datetime]:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return [start + QUARTER * n for n in range(96)]


def _record(dice: random.Random, meter: str, moment: datetime, quality: str = "measured") -> dict[str, Any]:
    """A household with solar panels: it imports at night and exports by day; exact thousandths of a kWh."""
    by_day = NIGHT_ENDS <= moment.hour < NIGHT_BEGINS
    drawn, fed = dice.randrange(20, 60) if by_day else dice.randrange(60, 240), dice.randrange(0, 400) * by_day
    return {
        "measurement": "energy",
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tags": {"muid": meter, "quality": quality},
        IMPORT: drawn / 1000,
        EXPORT: fed / 1000,
    }


def _obis(records: list[dict[str, Any]]) -> bytes:
    return json.dumps({"data": records}).encode()


def vilnius(dice: random.Random, days: list[date]) -> Iterator[tuple[str, bytes, datetime]]:
    """Interval arrays in Wh, (path, bytes, time of arrival): one file a day with all meters of both clients."""
    arrival = datetime(2021, 3, 30, 4, tzinfo=UTC)
    whole = b""
    for day in days:
        arrival = max(arrival, datetime(day.year, day.month, day.day, 4, tzinfo=UTC) + timedelta(days=1))
        rows = [
            (client, day, meter, _list(dice, day, meter, minutes)) for meter, (client, minutes) in ARRAY_METERS.items()
        ]
        whole = _parquet(rows)
        yield f"{day}.parquet", whole, arrival
    odd = [
        ("northern", days[0], "VNO-0001", [100] * 23),  # one hour short on a normal day
        ("northern", days[0], "VNO-0002", [100, -5, *[100] * 46]),
    ]
    yield "odd-rows.parquet", _parquet(odd), arrival + timedelta(hours=1)
    yield "cut.parquet", whole[: len(whole) // 2], arrival + timedelta(hours=2)


def _list(dice: random.Random, day: date, meter: str, minutes: int) -> list[int | None]:
    local = datetime(day.year, day.month, day.day, tzinfo=VILNIUS)
    tomorrow = day + timedelta(days=1)
    end = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=VILNIUS)
    true_minutes = int((end.astimezone(UTC) - local.astimezone(UTC)).total_seconds()) // 60
    count = 1 if minutes == 24 * 60 else (24 * 60 if meter in WALL_CLOCK else true_minutes) // minutes
    values: list[int | None] = [dice.randrange(3, 12) * minutes for _ in range(count)]
    if meter in WALL_CLOCK:
        for position in range(count):
            label = local + timedelta(minutes=minutes * position)  # wall-clock arithmetic
            if label.astimezone(UTC).astimezone(VILNIUS).replace(tzinfo=None) != label.replace(tzinfo=None):
                values[position] = None  # the hour that was skipped
    return values


def _parquet(rows: Sequence[tuple[str, date, str, Sequence[int | None]]]) -> bytes:
    out = io.BytesIO()
    table = pa.table(
        {
            "client_id": pa.array([row[0] for row in rows]),
            "date": pa.array([row[1] for row in rows], pa.date32()),
            "ext_dev_ref": pa.array([row[2] for row in rows]),
            "energy_consumption": pa.array([row[3] for row in rows], pa.list_(pa.int64())),
            "resolution": pa.array([f"PT{24 * 60 // max(1, len(row[3]))}M" for row in rows]),
        }
    )
    pq.write_table(table, out)
    return out.getvalue()
