"""SQL over pinned tables: DuckDB on Arrow data from delta-rs. Exact decimals, instants in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    import pyarrow.dataset as ds

# Two threads: answers are small, and a run may be working on the same machine.
SETTINGS: dict[str, str | float | list[str]] = {
    "threads": 2,
    "memory_limit": "1GB",
    "python_enable_replacements": False,
    "enable_external_access": False,
}


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
                connection.register(name, rows)
            answer: pa.Table = connection.sql(sql, params=parameters).to_arrow_table()
            return answer
