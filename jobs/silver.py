"""Silver: MERGE readings of batches that are not in it yet, latest received wins; rejected rows are kept."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline import formats
from pipeline.deliveries import ingestion_log
from pipeline.deliveries.delivery import LOADED, REFERENCE, WITHDRAWN, Delivery
from pipeline.errors import ConfigurationError
from pipeline.formats import reference_rows
from pipeline.lake import access, tables
from pipeline.lake.days import on_days
from pipeline.lake.rows import conform, none_of
from pipeline.layers import changed_days, lake_zones, reference_snapshots, silver
from pipeline.layers.judged import judged

if TYPE_CHECKING:
    from datetime import date

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.log_rows import LogRows
    from pipeline.runtime.context import Context


# Batches that the mark of the rejected rows may be behind: nearly every batch has none.
FOLLOWED_AFTER = 100
COUNTED = pc.field("status").isin([LOADED, WITHDRAWN])


def run(context: Context) -> int:
    """Bring silver up to the log; returns how many readings were inserted or updated."""
    log = ingestion_log.rows(context)
    later = log.deliveries(COUNTED & log.later_than(access.done_to(context, tables.READINGS)))
    with_rejected = _with_rejected(log, access.done_to(context, tables.REJECTED))
    _must_be_configured(context, [*later, *with_rejected])
    _keep_rejected(context, with_rejected)
    _keep_reference(context, log.deliveries(COUNTED & (pc.field("feed") == REFERENCE)))
    merged = _merge_readings(context, [each for each in later if each.feed != REFERENCE])
    _follow(context)
    return merged


def _with_rejected(log: LogRows, done: int) -> list[Delivery]:
    """Deliveries later than the batch that have rejected rows, or may have had some before they were revised."""
    some = (pc.field("rows_rejected") > 0) | log.revised()
    pieces = log.pieces(["file_id"], COUNTED & log.later_than(done) & some)
    return log.deliveries_with("file_id", [number for piece in pieces for number in piece["file_id"].to_pylist()])


def _follow(context: Context) -> None:
    """A mark for batches without rejected rows, now and then: each run looks at the deliveries since the last one."""
    done, readings = (access.done_to(context, table) for table in (tables.REJECTED, tables.READINGS))
    if context.commits and readings - done >= FOLLOWED_AFTER:
        access.write_rows(context, tables.REJECTED, [], {"batch_id": readings})


def _must_be_configured(context: Context, loaded: list[Delivery]) -> None:
    """A feed may leave the configuration, but not while silver still lacks some of its deliveries."""
    known = {feed.name for feed in context.settings.feeds} | {REFERENCE}
    done, rejected = access.done_to(context, tables.READINGS), access.done_to(context, tables.REJECTED)
    pending = [
        each
        for each in loaded
        if (each.local_dates and each.revision > done) or (each.rows_rejected and each.revision > rejected)
    ]
    gone = sorted({each.feed for each in pending} - known)
    if gone:
        raise ConfigurationError(
            f"feed {gone[0]!r}",
            "was removed, but has deliveries that silver does not have yet: put it back, run once, then remove it",
        )


def _keep_rejected(context: Context, loaded: list[Delivery]) -> None:
    done = access.done_to(context, tables.REJECTED)
    later = [delivery for delivery in loaded if delivery.revision > done]
    revised = [delivery.file_id for delivery in later if delivery.is_revised]
    pending = [delivery for delivery in later if delivery.rows_rejected or delivery.file_id in revised]
    if not pending:
        return
    context.log.doing("Writing the rejected rows to silver")
    parts = []
    for feed in context.settings.feeds:
        of_feed = [each for each in pending if each.feed == feed.name and each.status == LOADED]
        if of_feed:
            ids = [delivery.file_id for delivery in of_feed]
            rows = judged(context, feed, of_feed).where(F.col("file_id").isin(*ids))
            many = formats.format_of(feed).many_readings_per_row
            parts.append(silver.rejected_readings(rows, feed.name, context.now, many_readings_per_row=many))
    ids = [delivery.file_id for delivery in pending if delivery.feed == REFERENCE]
    if ids:
        for table in tables.SNAPSHOTS:
            rows = access.read(context, table).where(F.col("file_id").isin(*ids))
            judged_rows = reference_rows.judged(table.name, rows, context.settings.reference_zone)
            parts.append(silver.rejected_readings(judged_rows, REFERENCE, context.now))
    mark = {"batch_id": max(delivery.revision for delivery in pending)}
    if revised:
        rows = reduce(DataFrame.unionByName, parts or [none_of(context, tables.REJECTED)])
        kept = access.replace_files(context, tables.REJECTED, rows, [each.file_id for each in pending], mark)
    else:
        kept = access.append(context, tables.REJECTED, reduce(DataFrame.unionByName, parts), mark)
    context.log.info("rejected", table=tables.REJECTED.full_name, rows=kept)


def _keep_reference(context: Context, snapshots: list[Delivery]) -> None:
    """Replace the previous snapshot with the newest one, in each of the three tables that does not have it yet."""
    done = min(access.done_to(context, table) for table in tables.REFERENCE)
    if not snapshots or done >= snapshots[-1].revision:
        return
    context.log.doing("Bringing agreements and products up to date in silver")
    mark = {"batch_id": snapshots[-1].revision, "file_id": snapshots[-1].file_id}
    for source, target in zip(tables.SNAPSHOTS, tables.REFERENCE, strict=True):
        snapshot = access.small_table(context, source, ("file_id", "=", snapshots[-1].file_id))
        judged_rows = reference_snapshots.judged(context, source, snapshot)
        current = conform(reference_rows.current(judged_rows, reference_rows.KEYS[source.name]), target)
        access.write_rows(context, target, current.toArrow(), mark, replace=access.EVERYTHING)
    context.log.info("reference", file_id=snapshots[-1].file_id)


def _merge_readings(context: Context, counted: list[Delivery]) -> int:
    done = access.done_to(context, tables.READINGS)
    # By days, not by rows: an OBIS record or an array that counts as rejected may hold values that passed.
    pending = [delivery for delivery in counted if delivery.local_dates and delivery.revision > done]
    feeds = [feed for feed in context.settings.feeds if any(each.feed == feed.name for each in pending)]
    if not feeds:
        return 0
    days = {feed.name: _days([each for each in pending if each.feed == feed.name]) for feed in feeds}
    what = f"{sum(each.rows_read for each in pending):,} rows on {sum(map(len, days.values())):,} days"
    context.log.doing(f"Merging the readings of {what} into silver")
    rebuild = any(delivery.is_revised for delivery in pending)
    # Readings may have to be removed: then these days are rebuilt from everything received for them.
    taken = ingestion_log.rows(context).on_days(days) if rebuild else pending
    source = reduce(
        DataFrame.unionByName,
        [_current(context, feed, [each for each in taken if each.feed == feed.name]) for feed in feeds],
    )
    context.compare_zones()
    zones = lake_zones.zones_of(context) | {feed.name: feed.time_zone for feed in feeds}
    present = access.partitions(context, tables.READINGS)
    minutes = _lengths_with(context, feeds, {feed for feed, _ in present})
    mark = {"batch_id": max(delivery.revision for delivery in pending), "zones": zones, "minutes": minutes}
    max_rows = sum(most_readings(context, each) for each in taken)
    if rebuild:
        source = source.where(on_days(days))
        changed = access.replace_days(context, tables.READINGS, source, days, mark, at_most=max_rows)
    elif any((feed, day.isoformat()) in present for feed, feed_days in days.items() for day in feed_days):
        changed = access.merge_latest(context, tables.READINGS, source, days, mark, at_most=max_rows)
    else:
        # None of these days holds a reading: there is nothing to match, and `source` has one winner for each key.
        changed = access.append(context, tables.READINGS, source, mark, at_most=max_rows)
    context.log.info(
        "silver", table=tables.READINGS.full_name, feeds=len(feeds), days=sum(map(len, days.values())), rows=changed
    )
    return changed


def _lengths_with(context: Context, feeds: list[Feed], present: set[str]) -> dict[str, list[int]]:
    """Interval lengths in silver once these feeds are written; a feed whose earlier lengths are unknown is left out."""
    lengths = changed_days.interval_lengths(context)
    for feed in feeds:
        if feed.name in lengths or feed.name not in present:
            any_length = formats.format_of(feed).many_readings_per_row
            lengths[feed.name] = sorted(
                {*lengths.get(feed.name, []), changed_days.ANY_LENGTH if any_length else feed.minutes}
            )
    return lengths


def most_readings(context: Context, delivery: Delivery) -> int:
    """An upper bound for the delivery's readings that passed; a rejected row of many may hold some that did."""
    form = formats.format_of(context.settings.feed(delivery.feed))
    return delivery.rows_read * form.most_readings if form.many_readings_per_row else delivery.rows_accepted


def _days(deliveries: list[Delivery]) -> list[date]:
    return sorted({day for delivery in deliveries for day in delivery.local_dates})


def _current(context: Context, feed: Feed, deliveries: list[Delivery]) -> DataFrame:
    """The current readings of these deliveries of a feed, with silver's columns."""
    if not deliveries:
        return none_of(context, tables.READINGS)
    form = formats.format_of(feed)
    batches = {delivery.file_id: delivery.batch_id for delivery in deliveries}
    rows = judged(context, feed, deliveries)
    return silver.current_readings(
        rows,
        feed,
        batches,
        many_readings_per_row=form.many_readings_per_row,
        carries_quality=form.carries_quality,
        one_direction=not form.carries_direction,
    )
