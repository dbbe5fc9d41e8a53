"""Bronze: new deliveries are decided, kept as received, and logged. They count once the log, written last, has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from jobs.shared import ingestion
from jobs.shared.batch import Batch
from pipeline import formats
from pipeline.deliveries import by_executors, decisions, endpoint, ingestion_log, landing
from pipeline.deliveries import news as files_news
from pipeline.deliveries.decisions import History
from pipeline.deliveries.delivery import REFERENCE, Delivery, megabytes
from pipeline.deliveries.news import News
from pipeline.errors import (
    LandingFolderError,
)
from pipeline.layers import reference_snapshots
from pipeline.runtime import session

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.log_rows import LogRows
    from pipeline.deliveries.span import Span
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
        batch.deliveries += ingestion.load(context, feed, [each for each in numbered if each.feed == feed.name])
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
