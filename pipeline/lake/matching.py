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
    rows: ds.Dataset | ds.Fragment,
    columns: Sequence[str],
    where: pc.Expression | None,
    schema: pa.Schema | None = None,
    **reading: Any,  # noqa: ANN401 - as Dataset.to_batches
) -> Iterator[pa.RecordBatch]:
    """Those columns of the rows that `where` holds for, in no order; of a fragment with the types of `schema`."""
    if isinstance(rows, ds.Dataset):
        schema = rows.schema
    if where is None:
        typed = {} if isinstance(rows, ds.Dataset) else {"schema": schema}
        yield from rows.to_batches(columns=list(columns), **typed, **reading)
        return
    plain, others = _by_form(rows, where)
    if plain is not None:
        typed = {} if isinstance(plain, ds.Dataset) else {"schema": schema}
        yield from plain.to_batches(columns=list(columns), filter=where, **typed, **reading)
    for file in others:
        for batch in file.to_batches(schema=schema, **reading):
            yield from pa.Table.from_batches([batch]).filter(where).select(list(columns)).to_batches()


def table(
    rows: ds.Dataset | ds.Fragment, columns: Sequence[str], where: pc.Expression | None, schema: pa.Schema | None = None
) -> pa.Table:
    """The same as one table."""
    of = rows.schema if isinstance(rows, ds.Dataset) else schema or rows.physical_schema
    return pa.Table.from_batches(batches(rows, columns, where, schema), pa.schema([of.field(name) for name in columns]))


def count(rows: ds.Dataset, where: pc.Expression | None = None) -> int:
    """How many rows there are that `where` holds for."""
    if where is None:
        return int(rows.count_rows())
    plain, others = _by_form(rows, where)
    found = 0 if plain is None else int(plain.count_rows(filter=where))
    for file in others:
        found += sum(
            pa.Table.from_batches([batch]).filter(where).num_rows for batch in file.to_batches(schema=rows.schema)
        )
    return found


def divided(rows: ds.Dataset) -> tuple[ds.Dataset | None, ds.Dataset | None]:
    """(the rows that Arrow can filter while it reads, those of files with views); None where there are none."""
    plain, others = _by_form(rows)
    views = ds.FileSystemDataset(others, rows.schema, rows.format, rows.filesystem) if others else None
    return plain, views


def _by_form(
    rows: ds.Dataset | ds.Fragment, where: pc.Expression | None = None
) -> tuple[ds.Dataset | ds.Fragment | None, list[ds.Fragment]]:
    """(what Arrow filters while it reads, files that are filtered afterwards)."""
    if isinstance(rows, ds.Fragment):
        return (None, [rows]) if _has_views(rows) else (rows, [])
    if not isinstance(rows, ds.FileSystemDataset):
        return rows, []
    files = list(rows.get_fragments(filter=where))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        odd = [file for file, has in zip(files, pool.map(_has_views, files), strict=True) if has]
    if not odd:
        return rows, []
    paths = {file.path for file in odd}
    plain = [file for file in files if file.path not in paths]
    return (ds.FileSystemDataset(plain, rows.schema, rows.format, rows.filesystem) if plain else None), odd


def _has_views(file: ds.Fragment) -> bool:
    return any(pa.types.is_string_view(field.type) for field in file.physical_schema)
