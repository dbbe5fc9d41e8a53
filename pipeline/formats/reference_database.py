"""The reference database: one consistent snapshot of its three tables, over JDBC."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from pipeline.errors import ReferenceDatabaseError
from pipeline.formats.reference_rows import LINEAGE
from pipeline.lake.tables import SNAPSHOTS
from pipeline.runtime.error_messages import one_line

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Source columns of each table, in bronze's order.
SOURCE = {table.name: tuple(name for name in table.names if name not in LINEAGE) for table in SNAPSHOTS}
WIDTH = max(len(names) for names in SOURCE.values())
BUSY_TIMEOUT_MS = "5000"


@dataclass(frozen=True)
class Snapshot:
    """All rows of the three tables as text, in the database's order, and the SHA-256 of their content."""

    rows: dict[str, list[dict[str, Any]]]
    sha256: str

    @property
    def count(self) -> int:
        """Rows of all tables."""
        return sum(len(rows) for rows in self.rows.values())


def path_of(url: str) -> Path:
    """The database file of a `jdbc:sqlite:` URL."""
    return Path(url.removeprefix("jdbc:sqlite:").removeprefix("file:").split("?")[0])


def stat(url: str) -> tuple[int, datetime]:
    """Size in bytes and modification time (UTC) of the database with its write-ahead log; raises if there is none."""
    path = path_of(url)
    try:
        found = [path.stat()]
    except OSError as problem:
        raise ReferenceDatabaseError(url, f"cannot be read ({problem.strerror})") from None
    if not path.is_file():
        raise ReferenceDatabaseError(url, "is not a file")
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:  # readers leave an empty one
        found.append(log.stat())
    micros = max(entry.st_mtime_ns for entry in found) // 1000
    modified = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    return sum(entry.st_size for entry in found), modified


def read(spark: SparkSession, url: str) -> Snapshot:
    """The three tables in one query, so that they are consistent; every column as text."""
    stat(url)
    selects = []
    for table, names in SOURCE.items():
        texts = [f"CAST({name} AS TEXT)" for name in names] + ["NULL"] * (WIDTH - len(names))
        cells = ", ".join(f"{text} AS c{n}" for n, text in enumerate(texts))
        selects.append(f"SELECT '{table}' AS source, {cells} FROM {table}")  # noqa: S608 - names of ours
    reader = spark.read.format("jdbc").options(
        # Read-only: otherwise the driver would create a missing file.
        url=f"jdbc:sqlite:file:{quote(str(path_of(url).absolute()))}?mode=ro",
        driver="org.sqlite.JDBC",
        dbtable=f"({' UNION ALL '.join(selects)}) AS snapshot",
        # The driver guesses a column's type from its first row.
        customSchema=", ".join(["source STRING", *(f"c{n} STRING" for n in range(WIDTH))]),
        busy_timeout=BUSY_TIMEOUT_MS,
    )
    try:
        found = reader.load().toArrow().to_pylist()
    except (PySparkException, Py4JJavaError) as problem:
        raise ReferenceDatabaseError(url, _said_by_sqlite(problem)) from None
    ordered = sorted([tuple(row.values()) for row in found], key=lambda row: [(v is not None, v or "") for v in row])
    digest = hashlib.sha256(json.dumps(ordered).encode()).hexdigest()
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in SOURCE}
    # In the database's order: of two rows with one id the last one counts. The hash does not depend on the order.
    for number, (source, *texts) in enumerate((tuple(row.values()) for row in found), start=1):
        rows[source].append({**dict(zip(SOURCE[source], texts, strict=False)), "row_number": number})
    return Snapshot(rows, digest)


def _said_by_sqlite(problem: Exception) -> str:
    """SQLite's own message, taken from a Java stack."""
    text = str(problem)
    for line in text.splitlines():
        if "[SQLITE" in line:
            return line[line.index("[SQLITE") :][:200]
    return one_line(problem)
