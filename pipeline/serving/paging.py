"""Pages of a query's answer: by the key of the last row, in the versions of the first page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.serving.answers import Rows
from pipeline.serving.problems import ProblemError
from pipeline.serving.shapes import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import tzinfo

    import pyarrow as pa
    import pyarrow.dataset as ds

    from pipeline.lake.tables import Column
    from pipeline.serving.engine import Engine


def rows_after(
    engine: Engine,
    sql: str,
    parameters: Mapping[str, Any],
    reads: Mapping[str, ds.Dataset | pa.Table],
    shape: Sequence[Column],
    key: Sequence[str],
    *,
    after: Sequence[Any] | None,
    limit: int,
    zone_of: Callable[[str | None], tzinfo],
    descending: bool = False,
    counted: bool = False,
) -> Rows:
    """The next `limit` rows of the query, ordered by its unique `key`; column names never come from a client."""
    types = {column.name: column.type for column in shape}
    values = dict(parameters)
    total = engine.query(f"SELECT count(*) AS n FROM ({sql})", values, reads)["n"][0].as_py() if counted else None  # noqa: S608
    where = ""
    if after is not None:
        if len(after) != len(key) or not all(isinstance(value, (str, int)) for value in after):
            raise ProblemError(400, "cursor: not valid; use the address in `next` as it is", "cursor")
        values |= {f"after_{n}": str(value) for n, value in enumerate(after)}
        there = ", ".join(f"CAST($after_{n} AS {_kind(types[name])})" for n, name in enumerate(key))
        where = f"WHERE ({', '.join(key)}) {'<' if descending else '>'} ({there})"
    order = ", ".join(f"{name} {'DESC' if descending else 'ASC'}" for name in key)
    names = ", ".join(column.name for column in shape)
    page = f"SELECT {names} FROM ({sql}) {where} ORDER BY {order} LIMIT {limit + 1:d}"  # noqa: S608
    found = engine.query(page, values, reads)
    columns = texts(found.slice(0, limit), shape, zone_of)
    more = found.num_rows > limit
    return Rows(columns, [columns[name][limit - 1] for name in key] if more else None, total)


def _kind(sql_type: str) -> str:
    return "TIMESTAMPTZ" if sql_type == "TIMESTAMP" else {"STRING": "VARCHAR"}.get(sql_type, sql_type)
