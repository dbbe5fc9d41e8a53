"""What a killed run left in bronze: rows of a batch that the log does not know do not count and are removed.

Their files are loaded again. This covers every bronze table, also of feeds that left the configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.deliveries import ingestion_log
from pipeline.lake import access

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


def undo(context: Context, bronze: Iterable[Table]) -> None:
    """Remove what the log does not know; a table whose newest batch is logged is as it should be."""
    logged = ingestion_log.rows(context).distinct("batch_id")
    for table in bronze:
        newest = access.done_to(context, table)
        if newest and newest not in logged:
            context.log.warning("unlogged rows removed", table=table.full_name, batch_id=newest)
            mark = {"batch_id": max((batch for batch in logged if batch < newest), default=0)}
            access.delete(context, table, condition(logged), mark)


def condition(logged: set[int]) -> str:
    """Rows of batches that are not logged, as SQL: later numbers, and gaps left by other commands.

    >>> condition({1, 2, 5})
    'batch_id > 5 OR batch_id IN (3, 4)'
    >>> condition(set())
    'batch_id > 0'
    """
    last = max(logged, default=0)
    between = sorted(set(range(1, last)) - logged)
    listed = f" OR batch_id IN ({', '.join(map(str, between))})" if between else ""
    return f"batch_id > {last}{listed}"
