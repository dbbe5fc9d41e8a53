"""The reference database: one consistent snapshot over JDBC, and the judged rows of its tables."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from pipeline.clock import columns as clock
from pipeline.errors import ReferenceDatabaseError
from pipeline.formats import row_rules
from pipeline.lake.tables import SNAPSHOTS
from pipeline.runtime.error_messages import is_spark_gone, one_line
from pipeline.runtime.spark_errors import SPARK_ERRORS

if TYPE_CHECKING:
    import pyarrow as pa

LINEAGE = {"file_id", "row_number", "batch_id"}
# Source columns of each table, in bronze's order.
SOURCE = {table.name: tuple(name for name in table.names if name not in LINEAGE) for table in SNAPSHOTS}
WIDTH = max(len(names) for names in SOURCE.values())
BUSY_TIMEOUT_MS = "5000"
# Years from 0001: Python, and so the driver, does not have a year 0.
A_DATE = (
    r"\A(?!0000)[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?\z"
)

WITH_OFFSET = r"(Z|[+-][0-9]{2}:?[0-9]{2})\z"
# An id; surrounding blanks and a fraction of zeros (from a floating-point column of another tool) are cut off.
NUMBER = r"\A[ \t\r\n]*([+-]?[0-9]+)(\.0+)?[ \t\r\n]*\z"


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
    except SPARK_ERRORS as problem:
        if is_spark_gone(problem):
            raise  # not the database's fault
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


def _date(text: Column, zone: str) -> Column:
    """The date of a text: `YYYY-MM-DD`, an instant with an offset (its local day in the zone), or one without.

    NULL for anything else.
    """
    local_day = clock.local_date(text.try_cast("timestamp"), zone)
    day = F.when(text.rlike(WITH_OFFSET), local_day).otherwise(F.substring(text, 1, 10).try_cast("date"))
    return F.when(text.rlike(A_DATE), day)


def _blank(text: Column) -> Column:
    return F.coalesce(row_rules.is_blank(text), F.lit(True))  # noqa: FBT003 - NULL is blank


def judged_agreements(bronze: DataFrame, zone: str = "UTC") -> DataFrame:
    """Agreement rows, typed, each with the reason for its refusal or NULL; instants become days of the zone."""
    valid_from, valid_to = (_date(F.col(name), zone) for name in ("agreement_valid_from", "agreement_valid_to"))
    open_ended = _blank(F.col("agreement_valid_to"))
    number = F.regexp_extract("agreement_id", NUMBER, 1).try_cast("bigint")
    broken = [
        (number.isNull(), F.lit("agreement_id is missing or no number")),
        (_blank(F.col("meterpoint_id")), F.lit("meterpoint_id is missing")),
        (_blank(F.col("product_id")), F.lit("product_id is missing")),
        (valid_from.isNull(), _bad_date("agreement_valid_from")),
        (~open_ended & valid_to.isNull(), _bad_date("agreement_valid_to")),
    ]
    typed = {"agreement_id": number, "valid_from": valid_from, "valid_to": F.when(~open_ended, valid_to)}
    return _judged(bronze, broken, "meterpoint_id").withColumns(typed)


def judged_products(bronze: DataFrame) -> DataFrame:
    """Product rows, typed, each with the reason for its refusal or NULL."""
    broken = [(_blank(F.col("product_id")), F.lit("product_id is missing"))]
    return _judged(bronze, broken, None).withColumn("is_variable", F.trim("is_variable").try_cast("boolean"))


def judged_meterpoints(bronze: DataFrame) -> DataFrame:
    """Meterpoint rows, each with the reason for its refusal or NULL."""
    broken = [(_blank(F.col("meterpoint_id")), F.lit("meterpoint_id is missing"))]
    return _judged(bronze, broken, "meterpoint_id")


def _last_of_each(judged: DataFrame, key: str) -> DataFrame:
    """Of a snapshot's good rows with one id the last one counts; rows with other content are refused."""
    good = F.col("reason_code").isNull()
    of_id = Window.partitionBy("file_id", key)
    last = F.max_by(F.when(good, F.col("raw")), F.when(good, F.col("row_number"))).over(of_id)
    differs = good & (F.col("raw") != last)
    shown = row_rules.shown(F.col(key).cast("string"))
    said = F.concat(F.lit(f"{key} "), shown, F.lit(" stands twice with different content: the last row counts"))
    marked = judged.withColumn("_differs", differs)
    other = {"reason": said, "reason_code": F.lit("REFERENCE_ROW_INVALID")}
    columns = {name: F.when(F.col("_differs"), value).otherwise(F.col(name)) for name, value in other.items()}
    return marked.withColumns(columns).drop("_differs")


def judged(table: str, bronze: DataFrame, zone: str, *, may_repeat: bool = True) -> DataFrame:
    """Rows of one of the tables, typed, each with the reason for its refusal or NULL; `zone` is the reference's.

    `may_repeat`: an id may stand in several rows (see `repeats`); where none does a sort is saved.
    """
    rows = judged_agreements(bronze, zone) if table == "agreement" else _OTHERS[table](bronze)
    return _last_of_each(rows, KEYS[table]) if may_repeat else rows


def repeats(table: str, rows: pa.Table) -> bool:
    """Whether an id may stand in several rows, of a snapshot in bronze: numbers are compared as numbers."""
    ids = [each.strip(row_rules.BLANKS) for each in rows[KEYS[table]].to_pylist() if each is not None]
    found = [re.sub(r"\A[+-]?0*(?=[0-9])|\.0+\Z", "", each) for each in ids] if table == "agreement" else ids
    return len(set(found)) < len(found)


_OTHERS = {"product": judged_products, "meterpoint": judged_meterpoints}
KEYS = {"agreement": "agreement_id", "product": "product_id", "meterpoint": "meterpoint_id"}


def _bad_date(name: str) -> Column:
    return F.concat(F.lit(f"{name} is no date: "), row_rules.shown(F.col(name)))


def _judged(bronze: DataFrame, broken: list[tuple[Column, Column]], meter: str | None) -> DataFrame:
    reason = F.coalesce(*(F.when(test, said) for test, said in broken))
    return bronze.withColumns(
        {
            "raw": F.to_json(F.struct(*(name for name in bronze.columns if name not in LINEAGE))),
            "meter_id": F.col(meter) if meter else F.lit(None).cast("string"),
            "reason": reason,
            "reason_code": F.when(reason.isNotNull(), F.lit("REFERENCE_ROW_INVALID")),
        }
    )


def current(judged: DataFrame, key: str) -> DataFrame:
    """Rows that passed, one for each key: the last of the snapshot."""
    valid, _ = row_rules.split(judged)
    last = Window.partitionBy(key).orderBy(F.col("row_number").desc())
    return valid.withColumn("rank", F.row_number().over(last)).where("rank = 1").drop("rank")
