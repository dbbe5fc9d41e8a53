"""The reference as a SQLite file: on this machine by Spark's JDBC source, elsewhere by the driver."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from pyarrow import fs

from pipeline.config.reference import SQLITE
from pipeline.deliveries.local_files import instant
from pipeline.errors import EngineError, ReferenceDatabaseError
from pipeline.formats import reference_jdbc
from pipeline.formats.reference_dialects import DIALECTS, SCHEMA
from pipeline.formats.reference_snapshot import SOURCE, Snapshot, one_query, snapshot
from pipeline.lake import stores
from pipeline.runtime import sail, session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pyspark.sql import SparkSession

BUSY_SECONDS = 5
# From so many on the last digit of a real number's text depends on who writes it.
DOUBTFUL_DIGITS = 15
# The writer's log beside a database: what it holds belongs to the content.
LOG = "-wal"
# A volume as Spark names it. Python names it without the scheme; no JVM code of others can open it.
VOLUMES = "/Volumes/"


def location_of(url: str) -> str:
    """The path or URI of the file in a `jdbc:sqlite:` URL."""
    path = url.removeprefix(SQLITE).removeprefix("file:").split("?")[0]
    return path.removeprefix("dbfs:") if path.startswith(f"dbfs:{VOLUMES}") else path


@dataclass(frozen=True)
class SqliteFile:
    """A SQLite database: a local file, or one in an object store or a volume."""

    url: str
    names: Mapping[str, str]

    @property
    def location(self) -> str:
        """Its path or URI."""
        return location_of(self.url)

    @property
    def name(self) -> str:
        """The file's name."""
        return PurePosixPath(self.location).name

    @property
    def address(self) -> str:
        """The file's path or URI."""
        return self.location if stores.is_remote(self.location) else str(Path(self.location))

    @property
    def is_plain(self) -> bool:
        """Whether it is a plain local file, which the driver of JDBC can open."""
        return not stores.is_remote(self.location) and not self.location.startswith(VOLUMES)

    def stat(self) -> tuple[int, datetime]:
        """Size in bytes and modification time (UTC) of the database with its write-ahead log; raises without one."""
        found, log = self._seen()
        seen = [found, log] if log else [found]
        return sum(size for size, _ in seen), max(time for _, time in seen)

    def _seen(self) -> tuple[tuple[int, datetime], tuple[int, datetime] | None]:
        """Size and time of the database, and of its log if that holds anything: readers leave an empty one."""
        if not stores.is_remote(self.location):
            return self._seen_here()
        with self._opened() as (system, name):
            found, log = system.get_file_info([name, name + LOG])
        if found.type != fs.FileType.File:
            raise ReferenceDatabaseError(self.url, "is not there")
        return _facts(found), _facts(log) if log.type == fs.FileType.File and log.size else None

    def _seen_here(self) -> tuple[tuple[int, datetime], tuple[int, datetime] | None]:
        path = Path(self.location)
        try:
            found = path.stat()
        except OSError as problem:
            raise ReferenceDatabaseError(self.url, f"cannot be read ({problem.strerror})") from None
        if not path.is_file():
            raise ReferenceDatabaseError(self.url, "is not a file")
        log = path.with_name(path.name + LOG)
        of_log = log.stat() if log.exists() else None
        return (found.st_size, instant(found.st_mtime_ns)), (
            (of_log.st_size, instant(of_log.st_mtime_ns)) if of_log and of_log.st_size else None
        )

    def read(self, spark: SparkSession) -> Snapshot:
        """The three tables in one query; every column as text."""
        self.stat()
        if self.is_plain and session.works_here(spark):
            return self._by_spark(spark)
        if self.is_plain:
            return self._by_driver(Path(self.location), "mode=ro")
        with tempfile.TemporaryDirectory(prefix="meterlake-reference-") as folder:
            return self._by_driver(self._copied(Path(folder)), "mode=rw")

    def _by_spark(self, spark: SparkSession) -> Snapshot:
        dialect = DIALECTS["sqlite"]
        options = {
            # Read-only: otherwise the driver would create a missing file.
            "url": f"{SQLITE}file:{quote(str(Path(self.location).absolute()))}?mode=ro",
            "driver": str(dialect.driver),
            "dbtable": f"({self._query(dialect.text)}) AS snapshot",
            # The driver guesses a column's type from its first row.
            "customSchema": SCHEMA,
            "busy_timeout": str(BUSY_SECONDS * 1000),
        }
        return snapshot(reference_jdbc.rows(spark, self.url, options), in_order=True)

    def _by_driver(self, path: Path, mode: str) -> Snapshot:
        long: list[float] = []

        def real_text(value: float) -> str:
            text = _real_text(value)
            if sum(sign.isdigit() for sign in text.partition("e")[0].strip("-0.")) >= DOUBTFUL_DIGITS:
                long.append(value)
            return text

        try:
            address = f"file:{quote(str(path.absolute()))}?{mode}"
            with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
                connection.create_function("real_text", 1, real_text, deterministic=True)
                connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
                text = "CASE typeof({0}) WHEN 'real' THEN real_text({0}) ELSE CAST({0} AS TEXT) END"
                found = connection.execute(self._query(text)).fetchall()
        except sqlite3.Error as problem:
            name = getattr(problem, "sqlite_errorname", type(problem).__name__)
            raise ReferenceDatabaseError(self.url, f"[{name}] {problem}") from None
        if long and sail.is_used():
            raise EngineError(f"{self.name} holds a real number of fifteen digits or more ({long[0]!r})")
        return snapshot(found, in_order=True)

    def _query(self, text: str) -> str:
        dialect = DIALECTS["sqlite"]
        return one_query({table: dialect.table(self.names[table]) for table in SOURCE}, text.format)

    def _copied(self, folder: Path) -> Path:
        """A copy with its log, in the folder; one that changes meanwhile is torn, and refused."""
        before = self._seen()
        parts = ["", LOG] if before[1] else [""]
        with self._opened() as (system, name):
            for part in parts:
                with (
                    system.open_input_stream(name + part, compression=None) as source,
                    (folder / f"copy{part}").open("wb") as target,
                ):
                    shutil.copyfileobj(source, target)
        if self._seen() != before:
            raise ReferenceDatabaseError(self.url, "changed while it was copied: run again")
        return folder / "copy"

    @contextmanager
    def _opened(self) -> Iterator[tuple[fs.FileSystem, str]]:
        """The file system and the file's path in it; what goes wrong inside is the database's fault."""
        folder, _, name = self.location.rpartition("/")
        try:
            system, path = stores.opened(folder)
            yield system, stores.inside(path, name)
        except OSError as problem:
            raise ReferenceDatabaseError(self.url, f"cannot be read ({problem.strerror or problem})") from None


def _facts(info: fs.FileInfo) -> tuple[int, datetime]:
    return info.size, instant(info.mtime_ns or 0)


def _real_text(value: float) -> str:
    """A floating-point number as the JDBC driver's SQLite writes it; Python's own may be older, and writes 15 digits.

    Their last digit may differ, where a number has fifteen digits or more.
    """
    if value in {float("inf"), float("-inf")}:
        return "Inf" if value > 0 else "-Inf"
    few = f"{value:.14e}"
    mantissa, _, power = (few if float(few) == value else f"{value:.16e}").partition("e")
    exponent, sign = int(power), "-" if value < 0 else ""
    digits = mantissa.lstrip("-").replace(".", "").rstrip("0") or "0"
    if not -5 < exponent < 17:  # noqa: PLR2004 - SQLite's own limits
        return f"{sign}{digits[0]}.{digits[1:] or '0'}e{exponent:+03d}"
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole = digits.ljust(exponent + 1, "0")
    return f"{sign}{whole[: exponent + 1]}.{whole[exponent + 1 :] or '0'}"
