"""Bronze rows by the driver (for Sail) are Spark's, in every column, of sound and of hostile files of every format."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.config.feeds import Feed
from pipeline.errors import EngineError
from pipeline.formats import driver_rows, format_of
from tests.conftest import BY_SAIL
from tests.fuzz import csv_files, nem12_files, obis_documents, parquet_files, smrt_files, split_documents
from tests.spark.formats.test_rows_in_python import CASES, plain

pytestmark = pytest.mark.skipif(BY_SAIL, reason="by Sail the driver reads them anyway")
LONDON = "Europe/London"
FILES = 60
MADE = {
    "smrt": (Feed(name="f", format="smrt", path="p"), smrt_files.made),
    "split JSON": (Feed(name="f", format="split_json", path="p", time_zone=LONDON), split_documents.made),
    "OBIS JSON": (Feed(name="f", format="obis_json", path="p"), obis_documents.made),
    "interval parquet": (Feed(name="f", format="interval_parquet", path="p", time_zone="Europe/Vilnius"), parquet_files.made),
    "csv": (Feed(name="f", format="csv", path="p", time_zone=LONDON, csv=csv_files.CSV), csv_files.made),
    "nem12": (Feed(name="f", format="nem12", path="p"), nem12_files.made),
}  # fmt: skip
ODD_JSON = {
    "nested.json": b'{"columns": ["interval_start", "meterpoint_id", "more", "consumption_delta"], "data": [["a", [1, {"x" : null}], {"k":  [ 2 ]}, 1.50], null, [], [true, NaN, -Infinity, null], ["\\ud800", "\\u00e9", "\\"", 1e400]]}',
    "plain.json": b'{"data": [["2021-01-01 00:00:00", 12, 0.10]], "columns": ["interval_start", "meterpoint_id", "consumption_delta"]}',
    "short.json": b'\xef\xbb\xbf {"columns": ["consumption_delta", "meterpoint_id", "interval_start"], "data": [[1], [1, 2, 3, 4], [[], {}, "x"]]} ',
}  # fmt: skip


def sound(read, feed, files):
    """What Spark read of the files, and those of them that are sound, in their order."""
    found = read(feed, files)
    return found, [each for each in found.deliveries.values() if each.reason_code is None]


def by_driver(feed, deliveries, files):
    """Rows of the deliveries by path."""
    rows = {}
    numbered = [replace(each, batch_id=1) for each in deliveries]
    for row in driver_rows.reader(feed, numbered, lambda each, _: files[each.relative_path]).read_all().to_pylist():
        rows.setdefault(row["file_id"], []).append(row)
    return {each.relative_path: rows.get(each.file_id, []) for each in deliveries}


def is_refused(feed, delivery, content):
    try:
        driver_rows.reader(feed, [delivery], lambda *_: content).read_all()
    except EngineError:
        return True
    return False


def all_plain(rows):
    return [{name: plain(value) for name, value in row.items()} for row in rows]


def must_be_sparks(read, feed, files):
    found, deliveries = sound(read, feed, files)
    kept = [each for each in deliveries if not is_refused(feed, each, files[each.relative_path])]
    told = by_driver(feed, kept, files)
    for path, rows in told.items():
        assert all_plain(rows) == all_plain(found.bronze[path]), path
    return len(deliveries) - len(kept), sum(map(len, told.values()))


@pytest.mark.parametrize("name", MADE)
def test_of_fuzzed_files_the_rows_are_sparks(read, name):
    feed, made = MADE[name]
    ending = format_of(feed).ending
    # SMRT says its name in the file.
    files = {f"{n}/{made(n).name if name == 'smrt' else f'a{ending}'}": made(n).content for n in range(FILES)}
    refused, rows = must_be_sparks(read, feed, files)
    assert rows > FILES / 2
    assert refused < FILES / 3


@pytest.mark.parametrize("name", CASES)
def test_of_odd_files_the_rows_are_sparks(read, name):
    feed, files = CASES[name]
    refused, rows = must_be_sparks(read, feed, files)
    assert refused == 0
    assert rows > 10


def test_of_odd_json_the_rows_are_sparks(read):
    feed = Feed(name="f", format="split_json", path="p", time_zone=LONDON)
    assert must_be_sparks(read, feed, ODD_JSON) == (0, 9)
