"""What the Spark tests share: deliveries put into a folder and read as a run reads them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema

from pipeline import formats
from pipeline.deliveries import landing
from pipeline.errors import EngineError
from pipeline.formats import driver_rows
from tests.conftest import BY_SAIL

# When the deliveries of these tests came.
RECEIVED = datetime(2021, 11, 2, tzinfo=UTC)


@dataclass
class Read:
    """The results for some files, by path: verdicts of the driver, bronze rows, judged rows (times as UTC text)."""

    deliveries: dict
    bronze: dict
    judged: dict

    def codes(self, path):
        """(row_number, reason_code) of each row."""
        return [(row["row_number"], row["reason_code"]) for row in self.judged[path]]

    def values(self, path, *names):
        """Those columns of each judged row, as tuples (one column: as values)."""
        rows = [tuple(row[name] for name in names) for row in self.judged[path]]
        return rows if len(names) > 1 else [value for (value,) in rows]


def _of(spark, rows):
    """Of no rows Spark Connect does not see the types."""
    return spark.createDataFrame(rows) if rows.num_rows else spark.createDataFrame([], from_arrow_schema(rows.schema))


@pytest.fixture(scope="session")
def read(spark, tmp_path_factory):
    """A function from a feed and files {path: bytes} to what a run reads of them, in two Spark jobs."""

    def from_files(feed, files):
        folder = tmp_path_factory.mktemp("landing")
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        feed = feed.model_copy(update={"path": str(folder)})
        form = formats.format_of(feed)
        inspected = landing.inspect(landing.find(feed), feed, form.inspect, "production")
        deliveries = {each.relative_path: replace(each, file_id=n) for n, each in enumerate(inspected, start=1)}
        sound = [each for each in deliveries.values() if each.reason_code is None]
        paths = {each.file_id: path for path, each in deliveries.items()}
        if BY_SAIL:
            sound = [replace(each, batch_id=1) for each in sound if not refused_by_sail(feed, each)]
            paths = {
                each.file_id: each.relative_path
                for each in deliveries.values()
                if each.reason_code or each.relative_path in {one.relative_path for one in sound}
            }
            bronze = _of(spark, driver_rows.reader(feed, sound, landing.read).read_all())
        else:
            contents = landing.contents_with_file_id(spark, form.contents, sound, feed)
            bronze = form.rows(contents, feed, sound).withColumn("batch_id", F.lit(1))
        judged = form.judged(bronze, feed, F.lit(RECEIVED))
        judged = form.in_order(judged, feed) if form.in_order else judged
        return Read(deliveries, by_path(bronze, paths), by_path(as_text(judged), paths))

    return from_files


class OfFiles(dict):
    """By path; a test of a file that Sail refuses is skipped."""

    def __missing__(self, path):
        pytest.skip(f"Sail refuses {path}")


def refused_by_sail(feed, delivery):
    """Whether it holds what only Spark reads."""
    try:
        driver_rows.reader(feed, [delivery], landing.read).read_all()
    except EngineError:
        return True
    return False


def as_text(frame):
    """Times, dates and decimals as text: what the lake holds, whatever zone this machine is in."""
    kept = {"bigint", "int", "string", "boolean"}
    return frame.select(
        *(F.col(name) if kind in kept else F.col(name).cast("string").alias(name) for name, kind in frame.dtypes)
    )


def by_path(frame, paths):
    """Rows as dictionaries, by the path of their file, in the order of row_number; [] for a file without rows."""
    found = defaultdict(list)
    for row in frame.orderBy("file_id", "row_number").toArrow().to_pylist():
        found[paths[row["file_id"]]].append(row)
    return OfFiles({path: found[path] for path in paths.values()})


@pytest.fixture(scope="session")
def frame(spark):
    """A function from `name type, name type` and literal rows to a DataFrame; values are written as text."""

    def of(ddl, *rows):
        columns = [part.split(" ") for part in ddl.split(", ")]
        texts = [[None if value is None else str(value) for value in row] for row in rows]
        values = {name: pa.array([row[n] for row in texts], pa.string()) for n, (name, _) in enumerate(columns)}
        return _of(spark, pa.table(values)).select(*(F.col(name).cast(kind).alias(name) for name, kind in columns))

    return of


@pytest.fixture(scope="session")
def as_rows():
    """A function from a DataFrame to its rows as tuples of text, sorted; with names, only those columns."""

    def rows(frame, *names):
        text = [F.col(name).cast("string") for name in names or frame.columns]
        found = [tuple(row) for row in frame.select(*text).collect()]
        return sorted(found, key=lambda row: [(value is None, value or "") for value in row])

    return rows
