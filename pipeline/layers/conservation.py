"""Conservation: no row of a delivery is lost or counted twice between the log, bronze and the rejected rows."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline import formats
from pipeline.deliveries.delivery import LOADED, WITHDRAWN
from pipeline.lake import access, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipeline.deliveries.delivery import Delivery
    from pipeline.runtime.context import Context

# For a delivery: rows in bronze, distinct row numbers among them, distinct row numbers among the rejected.
Rows = tuple[int, int, int]
NONE = (0, 0, 0)


def rows_of_deliveries(context: Context) -> dict[int, Rows]:
    """file_id -> its rows in bronze and silver.rejected_readings; one Spark job for all tables."""
    feeds = [formats.bronze_table(feed) for feed in context.settings.feeds]
    parts = [_keys(context, table, "bronze", None) for table in feeds]
    # A snapshot's row numbers run through its three tables.
    parts += [_keys(context, table, "bronze", None) for table in tables.SNAPSHOTS]
    parts.append(_keys(context, tables.REJECTED, None, "rejected"))
    counted = (
        reduce(DataFrame.unionByName, parts)
        .groupBy("file_id")
        .agg(F.count("bronze").alias("rows"), *(F.count_distinct(name).alias(name) for name in ("bronze", "rejected")))
    )
    return {row["file_id"]: (row["rows"], row["bronze"], row["rejected"]) for row in counted.toArrow().to_pylist()}


def _keys(context: Context, table: tables.Table, bronze: str | None, rejected: str | None) -> DataFrame:
    none, number = F.lit(None).cast("bigint"), F.col("row_number")
    columns = [(number if name else none).alias(kind) for name, kind in ((bronze, "bronze"), (rejected, "rejected"))]
    return access.read(context, table).select("file_id", *columns)


def violations(known: Iterable[Delivery], found: Mapping[int, Rows]) -> list[str]:
    """What is wrong, a sentence for each delivery; [] if every row is accounted for."""
    deliveries = {delivery.file_id: delivery for delivery in known}
    wrong = [line for delivery in deliveries.values() for line in _of(delivery, found.get(delivery.file_id, NONE))]
    unknown = sorted(set(found) - set(deliveries))
    return wrong + [
        f"file {number}: {found[number][0]} rows in bronze, but the log does not know it" for number in unknown
    ]


def _of(delivery: Delivery, rows: Rows) -> Iterator[str]:
    named = f"file {delivery.file_id} ({delivery.relative_path})"
    in_bronze, different, rejected = rows
    if delivery.status not in {LOADED, WITHDRAWN}:
        if rows != NONE or delivery.rows_read:
            yield f"{named} is {delivery.status}, but {in_bronze} rows of it are in bronze and {rejected} rejected"
        return
    refused = delivery.rows_rejected if delivery.status == LOADED else 0
    if in_bronze != delivery.rows_read:
        yield f"{named}: {in_bronze} rows in bronze, {delivery.rows_read} in the log"
    elif different != in_bronze:
        yield f"{named}: {in_bronze} rows in bronze, but only {different} different row numbers"
    elif rejected != refused:
        yield f"{named}: {rejected} rejected rows in silver, {refused} in the log"
    elif delivery.status == LOADED and delivery.unaccounted:
        yield f"{named}: {delivery.rows_accepted} accepted, {refused} rejected, but {delivery.rows_read} read"
