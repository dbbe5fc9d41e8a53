"""Bronze rows of deliveries of any batches, judged again: the source of silver and of everything later."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline import formats
from pipeline.deliveries import ingestion_log
from pipeline.formats.judged import received_at
from pipeline.lake import access

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.runtime.context import Context


def judged(context: Context, feed: Feed, deliveries: list[Delivery]) -> DataFrame:
    """Bronze rows of the deliveries as judged readings; repeated local times, if any, are resolved by order."""
    form = formats.format_of(feed)
    plain = [delivery for delivery in deliveries if not delivery.repeated_times]
    repeated = [delivery for delivery in deliveries if delivery.repeated_times]
    parts = []
    if plain:
        rows = _of(context, feed, plain, without=repeated)
        parts.append(form.judged(rows, feed, received_at(plain)))
    if repeated:
        rows = _of(context, feed, repeated, without=plain)
        rows = form.judged(rows, feed, received_at(repeated))
        parts.append(form.in_order(rows, feed) if form.in_order else rows)
    return reduce(DataFrame.unionByName, parts)


def _of(context: Context, feed: Feed, deliveries: list[Delivery], without: list[Delivery]) -> DataFrame:
    """Bronze rows of the deliveries: whole batches by batch number, single files by theirs if a batch is divided.

    The batches may also hold deliveries that no longer count or that were judged by other rules, if any was revised.
    """
    batches = {delivery.batch_id for delivery in deliveries}
    rows = access.read_batches(context, formats.bronze_table(feed), batches)
    revised = _any_revised(context, feed, batches)
    if revised or batches & {delivery.batch_id for delivery in without}:
        rows = rows.where(F.col("file_id").isin(*(delivery.file_id for delivery in deliveries)))
    return rows


def _any_revised(context: Context, feed: Feed, batches: set[int]) -> bool:
    """Whether a delivery of those batches of the feed was replayed or withdrawn since."""
    log = ingestion_log.rows(context)
    revised = (pc.field("feed") == feed.name) & log.revised()
    return any(True for _ in log.pieces_with(["file_id"], "batch_id", batches, revised))
