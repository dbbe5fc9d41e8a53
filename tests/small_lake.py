"""A small lake that is written without Spark, for tests of what reads one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from deltalake import write_deltalake

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.lake import tables
from pipeline.lake.types import arrow_schema
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2021, 10, 31)
# Half hours from 00:00 UTC on the day on which London's clocks go back: 01:00, 01:30, 01:00, 01:30, 02:00 by the clock.
VALUES = ("0.100000", "0.200000", "0.300000", "0.400000", "0.500000")


def reading(meter: str, number: int, value: str, **other: Any) -> dict[str, Any]:
    """A half hour's reading of the feed `electricity`, by its number on the day."""
    row = {
        "feed": "electricity",
        "meter_id": meter,
        "direction": "import",
        "interval_start": datetime(2021, 10, 31, number // 2, number % 2 * 30, tzinfo=UTC),
        "interval_minutes": 30,
        "local_date": DAY,
        "consumption": Decimal(value),
        "unit": "kWh",
        "file_id": 1,
        "row_number": number + 1,
        "batch_id": 1,
    }
    return row | other


def half_hour(number: int, total: str, meters: int) -> dict[str, Any]:
    """A half hour of gold.total_consumption_half_hour."""
    shared = {name: value for name, value in reading("", number, total).items() if name in tables.HALF_HOUR.names}
    return shared | {"total_kwh": Decimal(total), "meterpoint_count": meters}


def day(meter: str, total: str, day: date = DAY) -> dict[str, Any]:
    """A row of gold.meter_day."""
    return {
        "feed": "electricity",
        "meter_id": meter,
        "direction": "import",
        "local_date": day,
        "consumption": Decimal(total),
        "unit": "kWh",
        "intervals_received": 5,
        "intervals_expected": 50,
    }


def write(context: Context, table: tables.Table, rows: list[dict[str, Any]]) -> None:
    """Append rows to a table; what they do not say is NULL."""
    found = pa.Table.from_pylist(rows, schema=arrow_schema(table))
    write_deltalake(tables.address(context.settings, table), found, mode="append", partition_by=[*table.partition_by])


def small_lake(folder: Path) -> Context:
    """A lake of one delivery with five half hours of the meter m1, and two values in Wh of the meter w1."""
    feeds = (
        Feed(name="electricity", format="split_json", path=str(folder / "in"), time_zone="Europe/London"),
        Feed(name="gas", format="smrt", path=str(folder / "gas")),
    )
    context = Context(Settings(lake=str(folder / "lake"), feeds=feeds), log=Log("", quiet=True))
    write(context, tables.INGESTION_LOG, [{"file_id": 1, "feed": "electricity", "status": "loaded", "batch_id": 1}])
    readings = [reading("m1", number, value) for number, value in enumerate(VALUES)]
    # Half of the last digit of a kWh, and a little less.
    readings += [reading("w1", number, value, unit="Wh") for number, value in enumerate(("0.000500", "0.000499"))]
    write(context, tables.READINGS, readings)
    write(
        context,
        tables.METER_DAY,
        [day("m1", "1.500000"), day("m1", "0.300000", date(2021, 11, 1)), day("w1", "0.000001")],
    )
    write(
        context,
        tables.HALF_HOUR,
        [half_hour(0, "0.000001", 2), half_hour(1, "2.000000", 3), half_hour(4, "0.500000", 1)],
    )
    return context
