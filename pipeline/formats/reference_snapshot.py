"""One snapshot of the reference's three tables: all their rows as text, of one moment."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.formats.reference_rows import LINEAGE
from pipeline.lake.tables import SNAPSHOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from pyspark.sql import SparkSession

# Source columns of each table, in bronze's order.
SOURCE = {table.name: tuple(name for name in table.names if name not in LINEAGE) for table in SNAPSHOTS}
WIDTH = max(len(names) for names in SOURCE.values())


@dataclass(frozen=True)
class Snapshot:
    """All rows of the three tables as text, in the order that counts, and the SHA-256 of their content."""

    rows: dict[str, list[dict[str, Any]]]
    sha256: str

    @property
    def count(self) -> int:
        """Rows of all tables."""
        return sum(len(rows) for rows in self.rows.values())


class Source(Protocol):
    """Where the tables are. Every fault in reading them is a ReferenceDatabaseError."""

    @property
    def name(self) -> str:
        """Its name in the log."""

    @property
    def address(self) -> str:
        """Its whole address, without any secret."""

    def stat(self) -> tuple[int, datetime] | None:
        """Size in bytes and modification time (UTC); None where only the rows tell whether they changed."""

    def read(self, spark: SparkSession) -> Snapshot:
        """The three tables, of one moment."""


def snapshot(rows: Sequence[tuple[str | None, ...]], *, in_order: bool) -> Snapshot:
    """The snapshot of rows (table, its cells as text, then NULLs up to WIDTH).

    Of two rows with one id the last one counts. Where the source keeps no order (not `in_order`) it is that of the
    texts, so that the same content always gives the same result. The hash never depends on the order.
    """
    ordered = sorted(rows, key=lambda row: [(cell is not None, cell or "") for cell in row])
    digest = hashlib.sha256(json.dumps(ordered).encode()).hexdigest()
    found: dict[str, list[dict[str, Any]]] = {table: [] for table in SOURCE}
    for number, (source, *texts) in enumerate(rows if in_order else ordered, start=1):
        table = str(source)
        found[table].append({**dict(zip(SOURCE[table], texts, strict=False)), "row_number": number})
    return Snapshot(found, digest)


def one_query(names: Mapping[str, str], as_text: Callable[[str], str]) -> str:
    """One statement for all three tables, so that a database answers it from one moment.

    `names` are the tables' names and `as_text` makes a column's text, both in the database's own SQL.
    """
    selects = []
    for table, columns in SOURCE.items():
        texts = [as_text(column) for column in columns] + [as_text("NULL")] * (WIDTH - len(columns))
        cells = ", ".join(f"{text} AS c{n}" for n, text in enumerate(texts))
        selects.append(f"SELECT '{table}' AS source, {cells} FROM {names[table]}")  # noqa: S608 - checked names
    return " UNION ALL ".join(selects)
