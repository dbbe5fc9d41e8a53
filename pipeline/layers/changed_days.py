"""Which local days of which feeds gold has to rewrite."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

import pyarrow.compute as pc
from pyspark.sql import functions as F

from pipeline.deliveries import ingestion_log, log_rows
from pipeline.deliveries.delivery import LOADED, WITHDRAWN
from pipeline.formats import reference_rows
from pipeline.lake import access, columns, tables
from pipeline.lake.rows import frame_of
from pipeline.layers.agreements import products_agreed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from pipeline.runtime.context import Context

Days = dict[str, list[date]]
COUNTED = [LOADED, WITHDRAWN]
# Among the interval lengths of a feed.
ANY_LENGTH = 0


def changed_days(context: Context, after_batch: int, feeds: Sequence[str]) -> Days:
    """Local days of deliveries that were loaded, withdrawn or replayed in later batches, up to silver's batch.

    From the log alone: the latest received wins, so a delivery changes silver on every day that it has a reading for.
    """
    done = access.done_to(context, tables.READINGS)
    log = ingestion_log.rows(context)
    counted = pc.field("status").isin(COUNTED) & pc.field("feed").isin(list(feeds))
    later = log.pieces(("feed", "batch_id", "revision", "local_dates"), counted & log.later_than(after_batch))
    days = log_rows.days_in(piece.filter(pc.less_equal(log_rows.revision_of(piece), done)) for piece in later)
    return {feed: sorted(some) for feed, some in sorted(days.items()) if some}


def interval_lengths(context: Context) -> dict[str, list[int]]:
    """Feed -> every interval length, in minutes, of its readings in silver; 0 if any length is possible.

    The configuration may have changed since, so it cannot be used. Feeds first loaded by an earlier version are left
    out.
    """
    found: dict[str, list[int]] = access.mark(context, tables.READINGS).get("minutes", {})
    return found


def all_last(context: Context, days: Days, minutes: int) -> bool:
    """Whether no reading of those days is shorter; False where that is not known.

    Of feeds that may have any length, what the files of those days say of themselves decides.
    """
    known = interval_lengths(context)
    shortest = {feed: min(known.get(feed, [ANY_LENGTH])) for feed in days}
    if any(ANY_LENGTH < length < minutes for length in shortest.values()):
        return False
    of_files = [
        (pc.field("feed") == feed) & pc.field("local_date").isin(some)
        for feed, some in days.items()
        if shortest[feed] == ANY_LENGTH
    ]
    if not of_files:
        return True
    found = access.dataset(context, tables.READINGS)
    least = None if found is None else columns.least(found[0], "interval_minutes", reduce(or_, of_files))
    return least is not None and bool(least >= minutes)


def days_of_changed_agreements(context: Context, old: int, new: int) -> Days:
    """Local days with readings that are covered by agreements that only one of the two snapshots has."""
    covered = days_there_are(context, context.settings.reference_feeds)
    if not old:
        return covered
    before, after = _snapshot(context, old), _snapshot(context, new)
    changed = before.exceptAll(after).unionAll(after.exceptAll(before)).select("valid_from", "valid_to").distinct()
    spans = [(row["valid_from"], row["valid_to"]) for row in changed.toArrow().to_pylist()]
    within = {
        feed: [day for day in some if any(start <= day and (end is None or day < end) for start, end in spans)]
        for feed, some in covered.items()
    }
    return {feed: some for feed, some in within.items() if some}


def days_there_are(context: Context, feeds: Sequence[str], table: tables.Table = tables.READINGS) -> Days:
    """Feed -> the local days that silver has readings for, or that another table by day has rows for."""
    days: Days = {}
    for feed, day in sorted(access.partitions(context, table)):
        if feed in feeds:
            days.setdefault(feed, []).append(date.fromisoformat(day))
    return days


def agreed(context: Context) -> DataFrame:
    """The current agreements with their products."""
    agreements, products = (
        frame_of(context, access.small_table(context, table)) for table in (tables.AGREEMENT, tables.PRODUCT)
    )
    return products_agreed(agreements, products)


def _snapshot(context: Context, file_id: int) -> DataFrame:
    """Agreements with their products in that snapshot, from bronze, which keeps every snapshot."""
    agreements, products, _ = (
        access.read(context, table).where(F.col("file_id") == file_id) for table in tables.SNAPSHOTS
    )
    return products_agreed(
        reference_rows.current(
            reference_rows.judged("agreement", agreements, context.settings.reference_zone), "agreement_id"
        ),
        reference_rows.current(
            reference_rows.judged("product", products, context.settings.reference_zone), "product_id"
        ),
    )


def joined(one: Days, other: Days) -> Days:
    """Days that are in one or the other."""
    return {feed: sorted({*one.get(feed, []), *other.get(feed, [])}) for feed in sorted({*one, *other})}
