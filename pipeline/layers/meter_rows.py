"""Where a meter is in the lake: the keys of its rows in bronze, and how many rows the other tables have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from pipeline import formats
from pipeline.deliveries import erased, ingestion_log
from pipeline.deliveries.delivery import LOADED, WITHDRAWN
from pipeline.lake import access, tables
from pipeline.layers.judged import judged

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import Column, DataFrame

    from pipeline.deliveries.delivery import Delivery
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# Reference tables whose rows name a meterpoint.
OF_METERPOINTS = tuple(table for table in tables.SNAPSHOTS if "meterpoint_id" in table.names)
# Rows whose fields may be in the wrong columns: the meter may be anywhere in them.
PERHAPS_SHIFTED = (
    "FIELD_COUNT",
    "METER_ID_MISSING",
    "METER_ID_INVALID",
    "DIRECTION_UNKNOWN",
    "INTERVAL_START_INVALID",
    "CONSUMPTION_INVALID",
)


@dataclass(frozen=True)
class Found:
    """A meter's keys in each bronze table, and its counts as on the certificate."""

    keys: dict[Table, pa.Table]
    counts: dict[str, int]
    file_ids: set[int]
    # Whether the reason of a refused delivery quotes it.
    is_quoted: bool

    @property
    def is_nothing(self) -> bool:
        """Whether the meter is nowhere."""
        return not self.is_quoted and not any(self.counts.values())


def look_for(context: Context, meter: str) -> Found:
    """Everything there is of the meter; starts Spark."""
    known = ingestion_log.logged(context)
    context.expect(formats.weighed(context.settings, known))
    context.spark  # noqa: B018 - column expressions need it
    keys = {table: rows.select(*table.key).distinct().toArrow() for table, rows in _rows(context, known, meter)}
    counts = {
        "bronze_rows": sum(found.num_rows for table, found in keys.items() if table not in OF_METERPOINTS),
        **_count(context, meter),
        "reference_rows": sum(found.num_rows for table, found in keys.items() if table in OF_METERPOINTS),
    }
    file_ids = {number for found in keys.values() for number in found["file_id"].to_pylist()}
    is_quoted = any(each.reason and erased.without(each.reason, meter) != each.reason for each in known)
    return Found(keys, counts, file_ids, is_quoted)


def _count(context: Context, meter: str) -> dict[str, int]:
    its = F.col("meter_id") == meter
    wanted = {
        "readings": (tables.READINGS, its),
        "rejected_rows": (tables.REJECTED, _is_its(meter)),
        "gold_days": (tables.METER_DAY, its),
        "restatements": (tables.RESTATEMENTS, its),
    }
    return {name: access.read(context, table).where(which).count() for name, (table, which) in wanted.items()}


def _is_its(meter: str) -> Column:
    """Rows of the meter; a rejected row may hold it anywhere, but then is not another meter's."""
    somewhere = F.col("meter_id").isNull() | F.col("reason_code").isin(*PERHAPS_SHIFTED)
    named = F.col("raw").rlike("(?U)" + erased.whole(meter))
    return (F.col("meter_id") == meter) | (F.col("reason_code").isNotNull() & somewhere & named)


def _rows(context: Context, known: list[Delivery], meter: str) -> list[tuple[Table, DataFrame]]:
    """The rows of each bronze table that name the meter."""
    found = []
    for feed in context.settings.feeds:
        kept = [each for each in known if each.feed == feed.name and each.status in {LOADED, WITHDRAWN}]
        if kept:
            found.append((formats.bronze_table(feed), judged(context, feed, kept).where(_is_its(meter))))
    found += [(table, access.read(context, table).where(F.trim("meterpoint_id") == meter)) for table in OF_METERPOINTS]
    return found
