"""Bronze: new deliveries are decided, kept as received, and logged. They count once the log, written last, has them."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
from pyspark.sql import functions as F

from jobs.shared.batch import Batch
from pipeline import formats
from pipeline.deliveries import by_executors, decisions, endpoint, ingestion_log, landing
from pipeline.deliveries import news as files_news
from pipeline.deliveries.decisions import History
from pipeline.deliveries.delivery import LOADED, REFERENCE, Delivery, megabytes
from pipeline.deliveries.news import News
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
from pipeline.layers import reference_snapshots
from pipeline.runtime import error_messages, session
from pipeline.runtime.spark_errors import SPARK_ERRORS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.log_rows import LogRows
    from pipeline.deliveries.span import Span
    from pipeline.formats.feed_format import FeedFormat
    from pipeline.runtime.context import Context


def run(context: Context, span: Span | None = None) -> Batch:
    """Load what is new in the landing folders (with a `span`: modified in it) and in the reference database."""
    log = ingestion_log.rows(context)
    known = _of_reference(log)
    context.log.doing("Looking into the landing folders")
    batch = Batch(endpoint_errors=endpoint.fetch_new(context, formats.format_of))
    new = {feed.name: _new_files(feed, log, batch, span) for feed in context.settings.feeds}
    sound = [found for news in new.values() for found in news.found if not found.reason_code]
    context.expect(formats.weighed(context.settings, sound))
    if sound or reference_snapshots.must_be_read(context, known):  # refusing at first sight needs no Spark
        context.log.info("starting", files=len(sound), megabytes=megabytes(sound))
        context.start_spark()
    if any(news.found for news in new.values()):
        files = sum(len(news.found) for news in new.values())
        context.log.doing(f"Reading {files:,} new files, {megabytes(sound)} MB")
    size, limit = sum(each.size_bytes or 0 for each in sound), context.settings.driver_inspects_megabytes
    is_spread = not context.settings.driver_reads and by_executors.should_inspect(
        size, limit, lambda: context.spark.conf.get("spark.master", "") or ""
    )
    decided = [
        each
        for feed in context.settings.feeds
        for each in _decide(context, feed, new[feed.name], batch, is_spread=is_spread)
    ]
    snapshot, batch.reference_error = reference_snapshots.read(context, known, batch.touched)
    if not decided and snapshot is None:
        ingestion_log.note(context, batch.touched)
        return batch
    batch_id = ingestion_log.last_batch(context) + 1
    first_id = log.greatest("file_id") + 1
    ingestion_log.note(context, batch.touched)
    numbered = [
        replace(delivery, file_id=first_id + n, batch_id=batch_id, revision=batch_id, received_at=context.now)
        for n, delivery in enumerate([*decided, *([snapshot[0]] if snapshot else [])])
    ]
    for feed in context.settings.feeds:
        batch.deliveries += load(context, feed, [each for each in numbered if each.feed == feed.name])
    if snapshot:
        batch.deliveries += reference_snapshots.load(context, numbered[-1], snapshot[1])
    ingestion_log.write(context, batch.deliveries, batch_id)
    return batch


def news(context: Context) -> tuple[frozenset[tuple[Any, ...]], int]:
    """(what waits in the folders and the database, bytes of the largest); no file is read."""
    log = ingestion_log.rows(context)
    look = Batch()
    new = [found for feed in context.settings.feeds for found in _new_files(feed, log, look).found]
    largest = max((found.size_bytes or 0 for found in new if not found.reason_code), default=0)
    there = {(each.feed, each.relative_path, each.size_bytes, each.modified_at) for each in new}
    # A database that is written to all the time is read once a minute at most.
    minutes = {
        ("reference", modified.replace(second=0, microsecond=0))
        for _, modified in reference_snapshots.newer(context, _of_reference(log))
    }
    missing = {("folder", str(problem)) for problem in look.folder_errors}
    return frozenset(there | minutes | missing), largest


def waiting(context: Context) -> list[Delivery]:
    """Files of all feeds that the log does not have in their present state; no file is read."""
    log = ingestion_log.rows(context)
    return [found for feed in context.settings.feeds for found in _new_files(feed, log, Batch(), all_of_it=True).found]


def _of_reference(log: LogRows) -> list[Delivery]:
    """The reference database's entries in the log."""
    return log.deliveries(pc.field("feed") == REFERENCE)


def _new_files(feed: Feed, log: LogRows, batch: Batch, span: Span | None = None, *, all_of_it: bool = False) -> News:
    looked = datetime.now(UTC)  # the run began before it waited for the lock and for endpoints
    try:
        lying = landing.listed(feed, None if span or all_of_it else files_news.since(feed, log))
    except LandingFolderError as problem:
        batch.folder_errors.append(problem)
        return News([], History())
    found = files_news.of(log, lying, by_name=formats.format_of(feed).identity_is_name)
    ready, waiting = landing.settled(found.found, feed, looked)
    batch.waiting += len(waiting)
    # The time of fetching does not say when the data was ready: for a feed with an endpoint, every delivery belongs to
    # any span.
    inside = [each for each in ready if span is None or feed.url or span.holds(each.modified_at)]
    return replace(found, found=inside)


def _decide(context: Context, feed: Feed, new: News, batch: Batch, *, is_spread: bool) -> list[Delivery]:
    form = formats.format_of(feed)
    if is_spread and new.found and form.outline:
        inspected = by_executors.inspect(context, new.found, feed, form.inspect, form.outline)
    else:
        inspected = landing.inspect(new.found, feed, form.inspect, context.settings.environment)
    if any(not landing.spark_path(each, feed).isascii() for each in inspected if not each.reason_code):
        inspected = landing.nameable(session.file_name_encoding(context.spark), inspected, feed)
    decided = decisions.decide(inspected, new.history, by_name=form.identity_is_name)
    batch.touched += [entry for found in inspected if (entry := new.history.touched(found))]
    if new.found:
        context.log.info("deliveries", feed=feed.name, found=len(new.found), new=len(decided))
    return decided


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
    return _with_counts(context, feed, kept)


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


def _with_counts(context: Context, feed: Feed, deliveries: list[Delivery]) -> list[Delivery]:
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
