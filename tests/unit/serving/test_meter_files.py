"""Data files of silver in memory: from any writer, with any number of meters; without Spark."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from pipeline.lake.tables import READINGS
from pipeline.lake.types import arrow_schema
from pipeline.serving.grains import micros
from pipeline.serving.meter_files import ROW_BYTES, MeterFiles, in_memory

DAY = date(2021, 3, 28)
HALVES = [datetime(2021, 3, 28, hour, minute, tzinfo=UTC) for hour in range(3) for minute in (0, 30)]


def row(meter, at, kwh, direction="import", quality=None):
    return {
        "feed": "f", "meter_id": meter, "direction": direction, "interval_start": at, "interval_minutes": 30,
        "local_date": DAY, "consumption": Decimal(kwh), "unit": "kWh", "quality": quality, "file_id": 2**40,
        "row_number": 7, "batch_id": 1,
    }  # fmt: skip


def written(folder, rows, **how):
    """Those rows as one data file below its partition, as a dataset's fragments."""
    table = pa.Table.from_pylist(rows, arrow_schema(READINGS)).drop_columns(["feed", "local_date"])
    place = folder / "feed=f" / "local_date=2021-03-28"
    place.mkdir(parents=True)
    pq.write_table(table, place / "part-0.parquet", **how)
    types = pa.schema([("feed", pa.string()), ("local_date", pa.date32())])
    return list(ds.dataset(folder, partitioning=ds.partitioning(types, flavor="hive")).get_fragments())


ROWS = [
    row("b", HALVES[1], "0.000001"),
    row("a", HALVES[2], "999999999999.999999", quality="estimated"),
    row("a", HALVES[0], "0.5", "export"),
    row("a", HALVES[1], "0.25"),
    row("", HALVES[0], "0"),
]


@pytest.mark.parametrize("how", [{}, {"use_deprecated_int96_timestamps": True}], ids=["delta-rs", "Spark"])
def test_a_meters_readings_come_by_direction_and_start_whoever_wrote_the_file(tmp_path, how):
    (part,) = MeterFiles(10**6).parts(written(tmp_path, ROWS, **how), "a", keep=True)
    assert (part.feed, part.local_date) == ("f", DAY)
    assert part.directions == ["export", "import", "import"]
    assert part.starts == [micros(HALVES[0]), micros(HALVES[1]), micros(HALVES[2])]
    assert part.micros == [500_000, 250_000, 999_999_999_999_999_999]
    assert part.qualities == [None, None, "estimated"]
    assert (part.file_ids, part.row_numbers, part.minutes) == ([2**40] * 3, [7] * 3, [30] * 3)


def test_meters_that_are_not_there_have_no_part_and_the_empty_name_is_a_name(tmp_path):
    files, fragments = MeterFiles(10**6), written(tmp_path, ROWS)
    assert files.parts(fragments, "c", keep=True) == []
    assert [part.micros for part in files.parts(fragments, "", keep=True)] == [[0]]


@pytest.mark.parametrize("limit", [0, 5 * ROW_BYTES * 4 - 1])
def test_a_file_that_is_too_large_for_the_memory_is_read_for_its_meter_only(tmp_path, limit):
    files, fragments = MeterFiles(limit), written(tmp_path, ROWS)
    assert [part.micros for part in files.parts(fragments, "b", keep=True)] == [[1]]
    assert not files._kept


def test_more_marks_than_a_byte_can_number_stay_apart(tmp_path):
    rows = [row(f"m{n:03d}", HALVES[0], "1", quality=f"mark {n}") for n in range(300)]
    files, fragments = MeterFiles(10**6), written(tmp_path, rows)
    assert [files.parts(fragments, f"m{n:03d}", keep=True)[0].qualities for n in range(300)] == [
        [f"mark {n}"] for n in range(300)
    ]


def test_what_was_read_is_forgotten_with_the_version_it_belonged_to(tmp_path):
    files = MeterFiles(10**6)
    old, new = written(tmp_path / "old", ROWS), written(tmp_path / "new", ROWS[:1])
    files.warm(old, threading.Event())
    assert list(files._kept) == [old[0].path]
    files.warm(new, threading.Event())
    files.keep_only(new)
    assert list(files._kept) == [new[0].path]
    assert files._size == files._kept[new[0].path].size > 0


def test_many_at_once_read_a_file_once(tmp_path, monkeypatch):
    fragments, files, reads = written(tmp_path, ROWS), MeterFiles(10**6), []
    monkeypatch.setattr("pipeline.serving.meter_files.in_memory", lambda *args: reads.append(1) or in_memory(*args))
    threads = [threading.Thread(target=files.parts, args=(fragments, "a"), kwargs={"keep": True}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reads == [1]
