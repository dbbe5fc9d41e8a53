"""The making and the care of tables: what a job may ask for. How it is done, and by whom, is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.lake import access
from pipeline.lake.protocol import SAFE_HOURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

__all__ = ["SAFE_HOURS"]

# Delta's own default for the log of versions.
LOG_DAYS = 30
LOG_RETENTION = "delta.logRetentionDuration"
CLUSTERED_TO, FORGOTTEN_TO = "meterlake.clusteredTo", "meterlake.forgottenTo"


def create_missing(context: Context, wanted: Iterable[Table]) -> list[Table]:
    """Create the tables that are not there yet, with comments; returns them."""
    return access.lake_of(context).upkeep.create(wanted)


def set_properties(context: Context, table: Table, properties: dict[str, str]) -> None:
    """Properties of the table, in a commit that carries the mark of the one before."""
    access.lake_of(context).upkeep.set_properties(table, properties)


def compact(context: Context, table: Table) -> int:
    """Put small files of a partition together; returns how many files went. The mark of the last commit stays."""
    return access.lake_of(context).upkeep.compact(table)


def clustered_to(context: Context, table: Table) -> int:
    """The batch up to which the table's days are in the order of `cluster_by`; 0 for none."""
    return int((access.properties(context, table) or {}).get(CLUSTERED_TO, 0))


def cluster(context: Context, table: Table, days: Mapping[str, Sequence[date]], batch_id: int) -> int:
    """Rewrite those days of those feeds in the order of `cluster_by`, one file a day as far as it goes.

    Returns how many files went. The batch is recorded last, so after a kill the work is repeated.
    """
    upkeep = access.lake_of(context).upkeep
    gone = sum(upkeep.put_in_order(table, feed, some) for feed, some in sorted(days.items()))
    upkeep.set_properties(table, {CLUSTERED_TO: str(batch_id)})
    return gone


def removable(context: Context, table: Table, hours: int) -> int | None:
    """How many files `vacuum` would remove; None where that is not known."""
    return access.lake_of(context).upkeep.removable(table, hours)


def vacuum(context: Context, table: Table, hours: int) -> int:
    """Remove the files that only versions older than `hours` need; returns how many (by Spark: 0, unknown)."""
    return access.lake_of(context).upkeep.vacuum(table, hours)


def storage(context: Context, table: Table) -> dict[str, int | None]:
    """Of the newest version: `files`, their `bytes`, and how many `small_files` `compact` would put together."""
    return access.lake_of(context).upkeep.storage(table)


def bytes_on_disk(context: Context) -> int | None:
    """All that lies below a lake in a local folder, earlier versions too; None elsewhere."""
    return access.lake_of(context).upkeep.bytes_on_disk()


def forget(context: Context, table: Table) -> None:
    """Remove every earlier version, and what the log of versions says of them, where the lake `forgets` the table.

    The log's files name smallest and largest values of what was once written. Only files before a checkpoint can go,
    so a commit without data, which says how far the table is complete, comes first.
    """
    upkeep = access.lake_of(context).upkeep
    upkeep.vacuum(table, 0)
    if upkeep.forgets(table):
        upkeep.forget_log(table, {FORGOTTEN_TO: str(access.version(context, table))} | _retention_lost(context, table))


def _retention_lost(context: Context, table: Table) -> dict[str, str]:
    """Delta's default, where an erasure of an earlier version was killed and left no time at all."""
    lost = (access.properties(context, table) or {}).get(LOG_RETENTION) == "interval 0 days"
    return {LOG_RETENTION: f"interval {LOG_DAYS} days"} if lost else {}
