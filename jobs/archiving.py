"""Archiving: files that are decided and in silver leave the landing folder for the feed's archive.

So a run lists what is new, however long the feed has been delivering. `replay` finds the files there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline import formats
from pipeline.deliveries import archive, ingestion_log, landing, news
from pipeline.errors import ArchiveError, LandingFolderError
from pipeline.lake import access, tables

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.runtime.context import Context


def run(context: Context) -> list[ArchiveError]:
    """Move what is decided and in silver, of every feed with an archive; failures are logged and returned."""
    problems = []
    for feed in context.settings.feeds:
        if feed.archive:
            try:
                _move(context, feed)
            except ArchiveError as problem:
                context.log.warning("not archived", feed=feed.name, error=str(problem))
                problems.append(problem)
            except LandingFolderError:
                continue  # told when it was listed
    return problems


def finish(context: Context) -> None:
    """Bring to its end what a killed run left between two moves."""
    for feed in context.settings.feeds:
        if feed.archive:
            _finish(context, feed, archive.Moved())


def _move(context: Context, feed: Feed) -> None:
    moved = archive.Moved()
    try:
        _finish(context, feed, moved)
        archive.keep(feed, _decided(context, feed), moved)
    finally:
        if moved.archived:
            context.log.info("archived", feed=feed.name, files=moved.archived)
        if moved.put_back:
            said = "replaced while archived, left for the next run"
            context.log.warning(said, feed=feed.name, files=moved.put_back[:5], count=len(moved.put_back))


def _finish(context: Context, feed: Feed, moved: archive.Moved) -> None:
    if numbers := archive.left_over(feed):
        archive.finish(feed, ingestion_log.rows(context).deliveries_with("file_id", numbers), moved)


def _decided(context: Context, feed: Feed) -> list[Delivery]:
    """Deliveries whose files lie in the landing folder as the log has them, and whose rows silver has."""
    listing = landing.listed(feed)
    known = news.decided(ingestion_log.rows(context), listing, by_name=formats.format_of(feed).identity_is_name)
    rejected, readings = (access.done_to(context, table) for table in (tables.REJECTED, tables.READINGS))
    return [
        each
        for each in known
        if (not each.rows_rejected or each.revision <= rejected) and (not each.local_dates or each.revision <= readings)
    ]
