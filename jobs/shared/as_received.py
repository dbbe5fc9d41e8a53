"""Bronze for commands that judge it again in Python, so that an answer needs no JVM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline import formats
from pipeline.deliveries import guards
from pipeline.errors import DamagedLakeError
from pipeline.formats import trial
from pipeline.lake import access

if TYPE_CHECKING:
    import pyarrow.dataset as ds

    from pipeline.config.feeds import Feed
    from pipeline.runtime.context import Context


def rows_for_python(context: Context, feed: Feed) -> ds.Dataset | None:
    """The feed's rows as received; None where only Spark may read or judge them.

    Raises DamagedLakeError if the table is lost: call it only for a feed of which the log says that it has rows.
    """
    lake, table = access.lake_of(context), formats.bronze_table(feed)
    if not lake.facts.exists(table):
        raise DamagedLakeError(context.settings.where, table.full_name, guards.GONE, guards.LOST_BRONZE)
    there = lake.reads.dataset(table) if trial.can_judge(feed) else None
    return None if there is None else there[0]
