"""Rejected rows of deliveries, from silver.rejected_readings, which may hold millions."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lake import access
from pipeline.lake.tables import REJECTED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pipeline.runtime.context import Context

COLUMNS = ("file_id", "row_number", "meter_id", "reason_code", "reason")
IN_ORDER = [("row_number", "ascending"), ("reason_code", "ascending")]
NEWEST_FIRST = [("file_id", "descending"), *IN_ORDER]


def of_deliveries(context: Context, file_ids: Sequence[int], most: int) -> dict[int, tuple[pa.Table, int]]:
    """file_id -> (its first rejected rows in the order of the file, at most `most`; how many there are)."""
    return first_of_each(access.scan(context, REJECTED, COLUMNS, "file_id", file_ids), most) if file_ids else {}


def newest(context: Context, where: Mapping[str, Collection[Any]], most: int) -> tuple[list[dict[str, Any]], int]:
    """(the first `most` rows whose columns are each one of the values, newest delivery first; how many there are)."""
    rows, count = access.lake_of(context).reads.first_rows(REJECTED, where, NEWEST_FIRST, most)
    return rows.to_pylist(), count


def first_of_each(pieces: Iterable[pa.Table], most: int) -> dict[int, tuple[pa.Table, int]]:
    """The same from pieces in any order; no more rows are kept in memory than are asked for."""
    first: dict[int, pa.Table] = {}
    in_all: Counter[int] = Counter()
    for piece in pieces:
        for file_id in pc.unique(piece["file_id"]).to_pylist():
            rows = piece.filter(pc.field("file_id") == file_id)
            in_all[file_id] += rows.num_rows
            together = pa.concat_tables([first[file_id], rows]) if file_id in first else rows
            # Copied, not sliced: a slice would keep the whole piece in memory.
            first[file_id] = together.take(pc.select_k_unstable(together, k=most, sort_keys=IN_ORDER))
    return {file_id: (rows, in_all[file_id]) for file_id, rows in first.items()}
