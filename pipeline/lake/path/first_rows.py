"""The first rows of a large table in an order, without holding the others."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.lake import matching

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import pyarrow.dataset as ds


def of_dataset(
    rows: ds.Dataset, where: Mapping[str, Collection[Any]], order: Sequence[tuple[str, str]], most: int
) -> tuple[pa.Table, int]:
    """(the first `most` rows in that order whose columns are each one of the values, how many there are in all).

    Read twice: first the columns of the order alone, then whole rows of those files that can hold the first ones.
    """
    conditions = [pc.field(column).isin(list(values)) for column, values in where.items()]
    leading = order[0][0]
    keys, count = _first(rows, [column for column, _ in order], conditions, order, most)
    conditions.append(pc.field(leading).isin(pc.unique(keys[leading])))
    return _first(rows, rows.schema.names, conditions, order, most)[0], count


def _first(
    rows: ds.Dataset,
    columns: Sequence[str],
    conditions: Iterable[pc.Expression],
    order: Sequence[tuple[str, str]],
    most: int,
) -> tuple[pa.Table, int]:
    wanted = reduce(lambda one, other: one & other, conditions, pc.scalar(True))  # noqa: FBT003 - a condition
    first, count = rows.schema.empty_table().select(columns), 0
    for batch in matching.batches(rows, columns, wanted):
        together = pa.concat_tables([first, pa.Table.from_batches([batch]).cast(first.schema)])
        # Copied, not sliced: a slice would keep the whole batch in memory.
        first = together.take(pc.select_k_unstable(together, k=min(most, together.num_rows), sort_keys=order))
        count += batch.num_rows
    return first, count
