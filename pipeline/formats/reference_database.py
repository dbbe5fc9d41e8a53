"""The reference as a database server or as tables of the catalog, and where the configuration says that it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

from pipeline.config.reference import SQLITE
from pipeline.errors import ReferenceDatabaseError
from pipeline.formats import reference_dialects as dialects
from pipeline.formats import reference_jdbc
from pipeline.formats.reference_snapshot import SOURCE, WIDTH, Snapshot, Source, snapshot
from pipeline.formats.reference_sqlite import SqliteFile
from pipeline.runtime.error_messages import is_spark_gone, one_line
from pipeline.runtime.spark_errors import SPARK_ERRORS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pyspark.sql import SparkSession

    from pipeline.config.reference import Reference
    from pipeline.config.settings import Settings


def source_of(settings: Settings) -> Source | None:
    """Where the configuration says that the reference is; None where it names none."""
    reference = settings.reference
    if reference is None:
        return None
    if reference.url is None:
        return CatalogTables(settings.where, settings.reference_tables)
    return SqliteFile(reference.url, reference.names) if reference.url.startswith(SQLITE) else Server(reference)


@dataclass(frozen=True)
class Server:
    """A database that a JDBC driver reaches."""

    reference: Reference

    @property
    def address(self) -> str:
        """Its URL without parameters."""
        return dialects.shown(str(self.reference.url))

    name = address

    def stat(self) -> tuple[int, datetime] | None:
        """A server does not say when its rows changed."""
        return None

    def read(self, spark: SparkSession) -> Snapshot:
        """The three tables by one statement: of one moment, where the database answers a statement from one."""
        found = reference_jdbc.rows(spark, self.address, dialects.options(self.reference), self.reference.password())
        return snapshot(found, in_order=False)


@dataclass(frozen=True)
class CatalogTables:
    """Tables of a catalog, which Spark SQL reads. Each is of one version, all three of nearly the same moment."""

    catalog: str
    names: Mapping[str, str]

    @property
    def name(self) -> str:
        """The catalog, for the log."""
        return f"catalog {self.catalog}"

    @property
    def address(self) -> str:
        """The names of the three tables."""
        return ", ".join(self.names[table] for table in SOURCE)

    def stat(self) -> tuple[int, datetime] | None:
        """Not every kind of table says when its rows changed."""
        return None

    def read(self, spark: SparkSession) -> Snapshot:
        """The three tables; every column as text."""
        try:
            parts = [_as_text(spark.table(_quoted(self.names[table])), table) for table in SOURCE]
            found = reduce(DataFrame.unionAll, parts).toArrow().to_pylist()
        except SPARK_ERRORS as problem:
            if is_spark_gone(problem):
                raise  # not the catalog's fault
            raise ReferenceDatabaseError(self.address, one_line(problem)) from None
        return snapshot([tuple(row.values()) for row in found], in_order=False)


def _quoted(name: str) -> str:
    return ".".join(f"`{part}`" for part in name.split("."))


def _as_text(rows: DataFrame, table: str) -> DataFrame:
    """(table, its columns as text, NULLs up to WIDTH). An instant gets its offset: the session is in UTC."""
    types = {field.name.lower(): field.dataType for field in rows.schema}
    cells = []
    for name in SOURCE[table]:
        text = F.col(name).cast("string")
        cells.append(F.concat(text, F.lit("+00:00")) if isinstance(types.get(name), TimestampType) else text)
    cells += [F.lit(None).cast("string")] * (WIDTH - len(cells))
    return rows.select(F.lit(table).alias("source"), *(cell.alias(f"c{n}") for n, cell in enumerate(cells)))
