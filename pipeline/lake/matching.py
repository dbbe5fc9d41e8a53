"""The rows that a condition holds for, whoever wrote the files.

A DELETE, UPDATE or OPTIMIZE of delta-rs notes in its files that texts are *views*, and Arrow cannot compare those with
the text of a condition: a filter that touches such a file fails (`Function 'equal' has no kernel`, seen with Arrow 26).
Rows of these files are read first and filtered then; the others as usual, without the row groups that cannot hold one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.dataset as ds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow.compute as pc

# Footers that are read at once: in an object store each is a request.
AT_ONCE = 16


def batches(
    rows: ds.Dataset,
    columns: Sequence[str],
    where: pc.Expression | None,
    **reading: Any,  # noqa: ANN401 - as Dataset.to_batches
) -> Iterator[pa.RecordBatch]:
    """Those columns of the rows that `where` holds for, in no order."""
    if where is None:
        yield from rows.to_batches(columns=list(columns), **reading)
        return
    plain, views = divided(rows, where)
    if plain is not None:
        yield from plain.to_batches(columns=list(columns), filter=where, **reading)
    if views is not None:
        for batch in views.to_batches(**reading):
            yield from pa.Table.from_batches([batch]).filter(where).select(list(columns)).to_batches()


def table(rows: ds.Dataset, columns: Sequence[str], where: pc.Expression | None) -> pa.Table:
    """The same as one table."""
    schema = pa.schema([rows.schema.field(name) for name in columns])
    return pa.Table.from_batches(batches(rows, columns, where), schema)


def count(rows: ds.Dataset, where: pc.Expression | None = None) -> int:
    """How many rows there are that `where` holds for."""
    plain, views = (rows, None) if where is None else divided(rows, where)
    found = 0 if plain is None else int(plain.count_rows(filter=where))
    if views is not None:
        found += sum(pa.Table.from_batches([batch]).filter(where).num_rows for batch in views.to_batches())
    return found


def divided(rows: ds.Dataset, where: pc.Expression | None = None) -> tuple[ds.Dataset | None, ds.Dataset | None]:
    """(the rows that Arrow can filter while it reads, those of files with views); None where there are none.

    Partitions for which `where` cannot hold may be left out.
    """
    if not isinstance(rows, ds.FileSystemDataset):
        return rows, None
    files = list(rows.get_fragments(filter=where))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        have_views = list(pool.map(_has_views, files))
    if not any(have_views):
        return rows, None
    plain, views = (
        [file for file, has in zip(files, have_views, strict=True) if has == form] for form in (False, True)
    )
    return (_dataset(plain, rows) if plain else None), _dataset(views, rows)


def of_file(file: ds.Fragment, schema: pa.Schema) -> ds.Dataset:
    """One file of a table with the table's types: its own depend on its writer."""
    return ds.FileSystemDataset([file], schema, file.format, file.filesystem)


def _dataset(files: list[ds.Fragment], of: ds.FileSystemDataset) -> ds.Dataset:
    return ds.FileSystemDataset(files, of.schema, of.format, of.filesystem)


def _has_views(file: ds.Fragment) -> bool:
    return any(pa.types.is_string_view(field.type) for field in file.physical_schema)
