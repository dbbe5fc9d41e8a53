"""Columns of a table of any length: a piece at a time, and only the row groups that may hold what is asked for."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline.lake import matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# Rows of a piece: small enough that one with every column takes some ten megabytes.
PIECE = 64 * 1024
# Below so many values Arrow itself passes over the row groups without them.
FEW_VALUES = 16


def pieces(rows: ds.Dataset, names: Sequence[str], where: pc.Expression | None = None) -> Iterator[pa.Table]:
    """Those columns of the rows that `where` holds for, in no order; few pieces are in memory at a time."""
    found = matching.batches(rows, names, where, batch_size=PIECE, batch_readahead=2, fragment_readahead=2)
    for piece in found:
        if piece.num_rows:
            yield pa.Table.from_batches([piece])


def pieces_with(
    rows: ds.Dataset, names: Sequence[str], column: str, values: Iterable[Any], where: pc.Expression | None = None
) -> Iterator[pa.Table]:
    """The same of the rows whose `column` is one of the values, which may be very many.

    Row groups whose smallest and largest value leave no place for one of them are not read.
    """
    wanted = sorted(set(values))
    if not wanted:
        return
    kind = rows.schema.field(column).type
    is_one = pc.field(column).isin(pa.array(wanted, kind))
    near = rows if len(wanted) <= FEW_VALUES else _that_may_hold(rows, column, wanted)
    yield from pieces(near, names, is_one if where is None else is_one & where)


def greatest(rows: ds.Dataset, column: str) -> Any:  # noqa: ANN401 - a value of that column
    """The column's greatest value; None where there is none. From what the files say of themselves, where they do."""
    told: list[Any] = []
    untold: list[ds.Fragment] = []
    for part in rows.get_fragments():
        ends = _ends(part, column) if isinstance(part, ds.ParquetFileFragment) else [None]
        if None in ends:
            untold.append(part)
        told += [end[1] for end in ends if end is not None]
    for part in untold:
        found = (pc.max(piece[column]).as_py() for piece in part.to_batches(columns=[column], schema=rows.schema))
        told += [value for value in found if value is not None]
    return max(told, default=None)


def least(rows: ds.Dataset, column: str, where: pc.Expression) -> Any:  # noqa: ANN401 - a value of that column
    """The column's least value in the files of those partitions, as they say it; None where one does not say it.

    Only the ends of files are read.
    """
    told: list[Any] = []
    for part in rows.get_fragments(filter=where):
        ends = _ends(part, column) if isinstance(part, ds.ParquetFileFragment) else [None]
        if None in ends:
            return None
        told += [end[0] for end in ends if end is not None]
    return min(told, default=None)


def distinct(rows: ds.Dataset, column: str) -> set[Any]:
    """The column's values, without NULL. Row groups that hold one value say so, and only the others are read."""
    found: set[Any] = set()
    unread = rows
    if isinstance(rows, ds.FileSystemDataset):
        mixed = []
        for part in rows.get_fragments():
            only = [_only(ends) for ends in _ends(part, column)]
            found.update(only)
            if groups := [group for group, value in enumerate(only) if value is None]:
                mixed.append(part.subset(row_group_ids=groups))
        unread = ds.FileSystemDataset(mixed, rows.schema, rows.format, rows.filesystem)
    for piece in pieces(unread, [column]):
        found.update(pc.unique(piece[column]).to_pylist())
    return found - {None}


def in_order(rows: ds.Dataset, column: str) -> ds.Dataset:
    """The same rows, file by file in the order of the column's greatest value; where no files say it, as they are."""
    if not isinstance(rows, ds.FileSystemDataset):
        return rows
    told = [([end[1] for end in _ends(part, column) if end is not None], part) for part in rows.get_fragments()]
    parts = [part for _, part in sorted(told, key=lambda each: max(each[0], default=0))]
    return ds.FileSystemDataset(parts, rows.schema, rows.format, rows.filesystem)


def _only(ends: tuple[Any, Any] | None) -> Any:  # noqa: ANN401 - a value of the column
    """What stands between two equal ends, else None; those of a long text are cut off, the greatest upwards."""
    return ends[0] if ends is not None and ends[0] == ends[1] else None


def _that_may_hold(rows: ds.Dataset, column: str, wanted: list[Any]) -> ds.Dataset:
    if not isinstance(rows, ds.FileSystemDataset):
        return rows
    within = (pc.field(column) >= wanted[0]) & (pc.field(column) <= wanted[-1])
    parts = []
    for part in rows.get_fragments(filter=within):
        groups = [group for group, ends in enumerate(_ends(part, column)) if _may_hold(ends, wanted)]
        if groups:
            parts.append(part.subset(row_group_ids=groups))
    return ds.FileSystemDataset(parts, rows.schema, rows.format, rows.filesystem)


def _ends(part: ds.ParquetFileFragment, column: str) -> list[tuple[Any, Any] | None]:
    """The smallest and the largest value of each row group of a file; None where it does not say them."""
    about = part.metadata
    if column not in about.schema.names:
        return [None] * about.num_row_groups
    place = about.schema.names.index(column)
    told = [about.row_group(group).column(place).statistics for group in range(about.num_row_groups)]
    return [(each.min, each.max) if each is not None and each.has_min_max else None for each in told]


def _may_hold(ends: tuple[Any, Any] | None, wanted: list[Any]) -> bool:
    """Whether one of the sorted values lies between the ends; true where these are not told."""
    if ends is None:
        return True
    first = bisect_left(wanted, ends[0])
    return first < len(wanted) and bool(wanted[first] <= ends[1])
