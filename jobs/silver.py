"""Silver: readings of batches that are not in it yet are MERGEd, latest received wins; what did not pass is kept."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline import delta, formats, lake, reference, silver, tables
from pipeline.errors import ConfigurationError
from pipeline.ingestion_log import LOADED, REFERENCE, Delivery, logged

if TYPE_CHECKING:
    from datetime import date

    from pipeline.config import Feed
    from pipeline.context import Context


def run(context: Context) -> int:
    """Bring silver up to the log; returns how many readings were inserted or updated."""
    loaded = [delivery for delivery in logged(context) if delivery.status == LOADED]
    _must_be_configured(context, loaded)
    _keep_rejected(context, loaded)
    _keep_reference(context, [delivery for delivery in loaded if delivery.feed == REFERENCE])
    return _merge_readings(context, [delivery for delivery in loaded if delivery.feed != REFERENCE])


def zones_of(context: Context) -> dict[str, str]:
    """Feed -> the time zone that its local days in silver were made with."""
    zones: dict[str, str] = lake.mark(context, tables.READINGS).get("zones", {})
    return zones


def check_zones(context: Context) -> None:
    """Local days are part of what silver and gold are divided by: a feed's zone cannot change under them."""
    for name, zone in zones_of(context).items():
        for feed in context.settings.feeds:
            if feed.name == name and feed.time_zone != zone:
                problem = (
                    f"time_zone is {feed.time_zone!r}, but the lake was loaded with {zone!r}: load it into a new lake"
                )
                raise ConfigurationError(f"feed {name!r}", problem)


def _must_be_configured(context: Context, loaded: list[Delivery]) -> None:
    """A feed may leave the configuration, but not with deliveries that silver has yet to take."""
    known = {feed.name for feed in context.settings.feeds} | {REFERENCE}
    done = lake.done_to(context, tables.READINGS)
    gone = sorted(
        {each.feed for each in loaded if each.feed not in known and each.local_dates and each.batch_id > done}
    )
    if gone:
        raise ConfigurationError(
            f"feed {gone[0]!r}", "is gone, but has deliveries in bronze that silver does not have yet"
        )


def judged(context: Context, feed: Feed, deliveries: list[Delivery]) -> DataFrame:
    """Bronze rows of the deliveries as judged readings; repeated local times resolved by order where there are any."""
    form = formats.format_of(feed)
    bronze = delta.read(context, formats.bronze_table(feed))
    plain = [delivery for delivery in deliveries if not delivery.repeated_times]
    repeated = [delivery for delivery in deliveries if delivery.repeated_times]
    parts = []
    if plain:
        parts.append(form.judged(_of(bronze, plain, without=repeated), feed))
    if repeated:
        rows = form.judged(_of(bronze, repeated, without=plain), feed)
        parts.append(form.in_order(rows, feed) if form.in_order else rows)
    return reduce(DataFrame.unionByName, parts)


def _of(bronze: DataFrame, deliveries: list[Delivery], without: list[Delivery]) -> DataFrame:
    """Bronze rows of the deliveries: whole batches by their number, single files by theirs where a batch is divided."""
    batches = sorted({delivery.batch_id for delivery in deliveries})
    rows = bronze.where(F.col("batch_id").isin(*batches))
    if set(batches) & {delivery.batch_id for delivery in without}:
        rows = rows.where(F.col("file_id").isin(*(delivery.file_id for delivery in deliveries)))
    return rows


def _keep_rejected(context: Context, loaded: list[Delivery]) -> None:
    done = lake.done_to(context, tables.REJECTED)
    pending = [delivery for delivery in loaded if delivery.rows_rejected and delivery.batch_id > done]
    if not pending:
        return
    parts = []
    for feed in context.settings.feeds:
        of_feed = [delivery for delivery in pending if delivery.feed == feed.name]
        if of_feed:
            ids = [delivery.file_id for delivery in of_feed]
            rows = judged(context, feed, of_feed).where(F.col("file_id").isin(*ids))
            several = formats.format_of(feed).several
            parts.append(silver.rejected_readings(rows, feed.name, context.now, several=several))
    ids = [delivery.file_id for delivery in pending if delivery.feed == REFERENCE]
    if ids:
        for table in tables.SNAPSHOTS:
            rows = delta.read(context, table).where(F.col("file_id").isin(*ids))
            parts.append(silver.rejected_readings(reference.JUDGES[table.name](rows), REFERENCE, context.now))
    mark = {"batch_id": max(delivery.batch_id for delivery in pending)}
    kept = delta.append(context, tables.REJECTED, reduce(DataFrame.unionByName, parts), mark)
    context.log.info("rejected", table=tables.REJECTED.full_name, rows=kept)


def _keep_reference(context: Context, snapshots: list[Delivery]) -> None:
    """The newest snapshot in the place of the one before; meterpoint is written last and says that all three are."""
    if not snapshots or lake.done_to(context, tables.METERPOINT) >= snapshots[-1].batch_id:
        return
    mark = {"batch_id": snapshots[-1].batch_id, "file_id": snapshots[-1].file_id}
    for source, target in zip(tables.SNAPSHOTS, tables.REFERENCE, strict=True):
        snapshot = lake.small_table(context, source, ("file_id", "=", snapshots[-1].file_id))
        judged_rows = reference.JUDGES[source.name](context.spark.createDataFrame(snapshot))
        current = delta.conform(reference.current(judged_rows, reference.KEYS[source.name]), target)
        lake.write_rows(context, target, current.toArrow(), mark, replace=lake.EVERYTHING)
    context.log.info("reference", file_id=snapshots[-1].file_id)


def _merge_readings(context: Context, loaded: list[Delivery]) -> int:
    done = lake.done_to(context, tables.READINGS)
    # By days, not by rows: of an OBIS record or an array that counts as rejected some values may have passed.
    pending = [delivery for delivery in loaded if delivery.local_dates and delivery.batch_id > done]
    feeds = [feed for feed in context.settings.feeds if any(each.feed == feed.name for each in pending)]
    if not feeds:
        return 0
    days: dict[str, list[date]] = {}
    parts = []
    for feed in feeds:
        of_feed = [delivery for delivery in pending if delivery.feed == feed.name]
        days[feed.name] = sorted({day for delivery in of_feed for day in delivery.local_dates})
        batches = {delivery.file_id: delivery.batch_id for delivery in of_feed}
        rows = judged(context, feed, of_feed)
        form = formats.format_of(feed)
        parts.append(
            silver.current_readings(rows, feed, batches, several=form.several, carries_quality=form.carries_quality)
        )
    source = reduce(DataFrame.unionByName, parts)
    zones = zones_of(context) | {feed.name: feed.time_zone for feed in feeds}
    mark = {"batch_id": max(delivery.batch_id for delivery in pending), "zones": zones}
    present = lake.partitions(context, tables.READINGS)
    if any((feed, day.isoformat()) in present for feed, feed_days in days.items() for day in feed_days):
        changed = delta.merge_latest(context, tables.READINGS, source, days, mark)
    else:
        # None of these days holds a reading: there is nothing to match, and one winner a key is in `source`.
        changed = delta.append(context, tables.READINGS, source, mark)
    context.log.info(
        "silver", table=tables.READINGS.full_name, feeds=len(feeds), days=sum(map(len, days.values())), rows=changed
    )
    return changed
