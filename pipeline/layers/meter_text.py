"""Whether a meter's name is written anywhere in the lake, asked of its texts without Spark and without any rule.

An answer in a second for a name that was mistyped. Where the name is found, or only Spark may read, meter_rows.py says
what is the meter's; this only says that there is nothing to look for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import formats
from pipeline.deliveries.ingestion_log import logged
from pipeline.lake import access, tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# Derived tables still hold a meter that someone removed from bronze, in these columns.
DERIVED = (tables.READINGS, tables.REJECTED, tables.METER_DAY, tables.RESTATEMENTS)
NAMED_IN = {"meter_id", "reason", "raw", "key"}
LINEAGE = {"file_id", "row_number", "batch_id"}


def is_surely_nowhere(context: Context, meter: str) -> bool:
    """Whether no table and no reason in the log holds this text, not even inside another.

    False where it does, and where only Spark may read a table or a format has no rules in Python: there
    it is not known that bronze holds a meter's name as silver does (`RowJudge.columns`).
    """
    feeds = context.settings.feeds
    if not meter or any(formats.format_of(feed).row_judge is None for feed in feeds):
        return False
    if any(meter in each.reason for each in logged(context) if each.reason):
        return False
    every = (*(formats.bronze_table(feed) for feed in feeds), *tables.SNAPSHOTS, *DERIVED)
    return not any(_may_hold(context, table, meter) for table in every)


def _may_hold(context: Context, table: Table, meter: str) -> bool:
    lake = access.lake_of(context)
    if not lake.facts.exists(table):
        return False
    there = lake.reads.dataset(table)
    if there is None:
        return True
    columns = [
        name for name in there[0].schema.names if (name in NAMED_IN if table in DERIVED else name not in LINEAGE)
    ]
    return any(_holds(batch.columns, meter) for batch in there[0].to_batches(columns=columns))


def _holds(columns: Iterable[pa.Array], meter: str) -> bool:
    """Whether a cell's text holds the meter's; lists, maps and structs by their members."""
    for column in columns:
        if pa.types.is_struct(column.type):
            members = column.flatten()
        elif pa.types.is_map(column.type):
            members = [column.keys, column.items]
        elif pa.types.is_list(column.type):
            members = [column.flatten()]
        elif pc.any(pc.match_substring(column.cast(pa.string()), meter)).as_py():
            return True
        else:
            continue
        if _holds(members, meter):
            return True
    return False
