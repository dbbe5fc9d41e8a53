"""SQL over pinned tables: DuckDB on Arrow data from delta-rs. Exact decimals, instants in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from pipeline.lake import matching

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Two threads: answers are small, and a run may be working on the same machine.
SETTINGS: dict[str, str | float | list[str]] = {
    "threads": 2,
    "memory_limit": "1GB",
    "python_enable_replacements": False,
    "enable_external_access": False,
}


def register(connection: duckdb.DuckDBPyConnection, name: str, rows: ds.Dataset | pa.Table) -> None:
    """Let the connection know the rows by that name.

    DuckDB hands its conditions on to Arrow, so files that Arrow cannot filter are apart (pipeline/lake/matching.py).
    """
    plain, views = (rows, None) if isinstance(rows, pa.Table) else matching.divided(rows)
    if views is None:
        connection.register(name, rows)
        return
    # A scanner is read as it is: DuckDB filters what comes out.
    parts = {"views": ds.Scanner.from_dataset(views)} | ({} if plain is None else {"plain": plain})
    for part, of_it in parts.items():
        connection.register(f"{name} {part}", of_it)
    query = " UNION ALL ".join(f'SELECT * FROM "{name} {part}"' for part in parts)  # noqa: S608 - a name of ours
    connection.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {query}')


class Engine:
    """A DuckDB database without data of its own; every query names what it reads."""

    def __init__(self, settings: Mapping[str, str | float | list[str]] = SETTINGS) -> None:
        self._database = duckdb.connect(":memory:", config=dict(settings))

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the database; instants in UTC."""
        connection = self._database.cursor()
        connection.execute("SET TimeZone = 'UTC'")
        return connection

    def query(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any], reads: Mapping[str, ds.Dataset | pa.Table]
    ) -> pa.Table:
        """The answer as Arrow; `reads` has the tables of the query. Values are passed as parameters, never as text."""
        with self.connection() as connection:
            for name, rows in reads.items():
                register(connection, name, rows)
            answer: pa.Table = connection.sql(sql, params=parameters).to_arrow_table()
            return answer
