"""Sound deliveries into bronze: appended as received, checked again, and counted by the row rules."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from pipeline import formats
from pipeline.deliveries import landing
from pipeline.deliveries.delivery import LOADED, Delivery, megabytes
from pipeline.errors import (
    BusyLakeError,
    EngineError,
    LandingFolderError,
    MiscountedRowsError,
    OvertakenError,
)
from pipeline.formats import driver_rows
from pipeline.formats.judged import counts, received_at
from pipeline.lake import access
from pipeline.runtime import error_messages
from pipeline.runtime.spark_errors import SPARK_ERRORS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from pipeline.config.feeds import Feed
    from pipeline.formats.feed_format import FeedFormat
    from pipeline.runtime.context import Context


def load(context: Context, feed: Feed, deliveries: list[Delivery]) -> list[Delivery]:
    """Load sound deliveries into bronze; returns every delivery with its final verdict and counts."""
    form, table = formats.format_of(feed), formats.bronze_table(feed)
    sound = [delivery for delivery in deliveries if delivery.status == LOADED]
    if not sound:
        return deliveries
    batch_id = sound[0].batch_id
    context.log.doing(f"Loading {len(sound):,} files of {feed.name} into bronze, {megabytes(sound)} MB")
    try:
        rows = _new_rows(context, feed, sound)
        began = time.monotonic()  # Spark has started
        written = access.append(context, table, rows, {"batch_id": batch_id})
    except (BusyLakeError, OvertakenError, EngineError):
        raise  # not the fault of a delivery
    except Exception as problem:
        # A file was removed or closed before Spark read it, or Spark cannot read one that the driver could: the others
        # load, unless the commit succeeded after all and its answer was lost.
        if access.done_to(context, table) >= batch_id:
            raise
        if gone := landing.changed_since(sound, feed):
            return load(context, feed, _left_for_the_next_run(context, feed, gone, deliveries))
        if error_messages.is_file_missing(problem):
            said = "holds files that Spark does not find: it must be a folder that Spark's machines see too"
            raise LandingFolderError(feed.name, feed.path, said) from problem
        by_driver = context.settings.driver_reads or error_messages.in_words(problem)
        unreadable = [] if by_driver else _unreadable(context, feed, sound)
        if not unreadable or form.identity_is_name:
            raise
        reason = "Spark's reader fails on it: the file is damaged, or written in a way that Spark does not know"
        refused = [each.refused("UNREADABLE", reason) if each in unreadable else each for each in deliveries]
        return load(context, feed, refused)
    pace = round(written / max(time.monotonic() - began, 0.001))
    context.log.info("bronze", table=table.full_name, files=len(sound), rows=written, rows_a_second=pace)
    context.log.doing(f"Judging {written:,} rows of {feed.name}")
    kept = deliveries
    if changed := landing.changed_since(sound, feed):
        # Not the bytes that were hashed: removed again.
        ids = [delivery.file_id for delivery in changed]
        access.delete(context, table, f"file_id IN ({', '.join(map(str, ids))})", {"batch_id": batch_id})
        kept = _left_for_the_next_run(context, feed, changed, deliveries)
    return with_counts(context, feed, kept)


def rows_of(form: FeedFormat, contents: DataFrame, feed: Feed, deliveries: list[Delivery], batch_id: int) -> DataFrame:
    """Source rows as bronze keeps them."""
    return form.rows(contents, feed, deliveries).withColumn("batch_id", F.lit(batch_id))


def _new_rows(context: Context, feed: Feed, deliveries: list[Delivery]) -> DataFrame | pa.RecordBatchReader:
    """Bronze's rows of sound deliveries of one batch."""
    if context.settings.driver_reads:
        return driver_rows.reader(feed, deliveries, landing.read)
    return _rows_by_spark(context, feed, deliveries)


def _rows_by_spark(context: Context, feed: Feed, deliveries: list[Delivery]) -> DataFrame:
    form = formats.format_of(feed)
    contents = landing.contents_with_file_id(context.spark, form.contents, deliveries, feed)
    return rows_of(form, contents, feed, deliveries, deliveries[0].batch_id)


def _unreadable(context: Context, feed: Feed, deliveries: list[Delivery]) -> list[Delivery]:
    """Those whose rows Spark cannot read, found by bisection.

    A lost cluster, or a store that does not answer, is not a delivery's fault: Spark must be able to get its bytes.
    """
    try:
        _rows_by_spark(context, feed, deliveries).write.format("noop").mode("overwrite").save()
    except SPARK_ERRORS as problem:
        if len(deliveries) == 1:
            if error_messages.in_words(problem) or not landing.is_whole_for_spark(context.spark, deliveries[0], feed):
                raise
            return deliveries
        half = len(deliveries) // 2
        return [each for part in (deliveries[:half], deliveries[half:]) for each in _unreadable(context, feed, part)]
    return []


def _left_for_the_next_run(
    context: Context, feed: Feed, changed: list[Delivery], deliveries: list[Delivery]
) -> list[Delivery]:
    """The deliveries, except those whose files changed while they were read and those that were decided by them."""
    names = [delivery.relative_path for delivery in changed]
    context.log.warning("changed while read, left for the next run", feed=feed.name, files=names[:5], count=len(names))
    # What was decided because of such a file (the same name twice in this run) is decided again with it.
    taken = {delivery.file_name for delivery in changed} if formats.format_of(feed).identity_is_name else set()
    out = {delivery.file_id for delivery in changed}
    return [
        each
        for each in deliveries
        if each.file_id not in out and (each.status == LOADED or each.file_name not in taken)
    ]


def with_counts(context: Context, feed: Feed, deliveries: list[Delivery]) -> list[Delivery]:
    """Deliveries with their counts from bronze and the row rules; one that gave no rows is inspected again."""
    form = formats.format_of(feed)
    counted = _counts(context, feed, [each for each in deliveries if each.status == LOADED])
    result = []
    for delivery in deliveries:
        final = delivery
        if delivery.status == LOADED and delivery.file_id in counted:
            final = replace(delivery, **counted[delivery.file_id])
            _must_be_alike(feed, delivery, final.rows_read)
        elif delivery.status == LOADED:
            if form.diagnose is not None:
                final = form.diagnose(landing.read(delivery, feed), delivery, feed)
            if final.status == LOADED and final.rows_read:
                code = "MALFORMED_JSON" if form.diagnose else "UNREADABLE"
                final = final.refused(code, "Spark's reader found no rows where there are some")
        result.append(final)
    return result


def _must_be_alike(feed: Feed, delivery: Delivery, rows: int) -> None:
    """Rows are counted twice: by the driver from the bytes, by Spark from bronze."""
    form, held = formats.format_of(feed), delivery.rows_read
    if held != rows and form.diagnose is not None:  # the quick count takes brackets in texts for rows
        held = form.diagnose(landing.read(delivery, feed), delivery, feed).rows_read
    if held != rows:
        raise MiscountedRowsError(feed.name, delivery.relative_path, held, rows)


def _counts(context: Context, feed: Feed, deliveries: list[Delivery]) -> dict[int, dict[str, Any]]:
    """The row rules' counts for deliveries of one batch that are in bronze."""
    if not deliveries:
        return {}
    form, table = formats.format_of(feed), formats.bronze_table(feed)
    bronze = access.read_batches(context, table, [deliveries[0].batch_id])
    return counts(form.judged(bronze, feed, received_at(deliveries)), many_readings_per_row=form.many_readings_per_row)
