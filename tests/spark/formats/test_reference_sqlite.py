"""A SQLite file is the same snapshot whoever reads it: Spark's JDBC source, the driver, or the driver from a copy."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from jobs.demo import TABLES
from pipeline.errors import ReferenceDatabaseError
from pipeline.formats import reference_sqlite
from pipeline.formats.reference_sqlite import SqliteFile, location_of
from pipeline.runtime import session

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {name: name for name in ("agreement", "product", "meterpoint")}
# What a column of SQLite may hold whatever its type is, and what pandas makes of numbers.
CELLS = [
    1, -5, 2**62, 24.0, 0.0, -0.5, 0.1, 2.5, 1200012345678.0, 7.22e13, 1e15, 1e16, 1e17, 1e300, 1e-4, 1e-5, 0.00012345,
    float("inf"), float("-inf"), "", " text ", "größe 😀", "a\r\nb", "a\x00b", b"blob", b"\xff\xfe", None,
]  # fmt: skip


def database(path: Path, *agreements: tuple[object, ...], more: str = "") -> SqliteFile:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(TABLES + "INSERT INTO product VALUES ('Fixed', 0, 1, 'fixed');" + more)
        connection.executemany("INSERT INTO agreement VALUES (?, ?, ?, ?, ?, ?)", agreements)
        connection.commit()
    return SqliteFile(f"jdbc:sqlite:{path}", NAMES)


@pytest.fixture
def by_driver(monkeypatch):
    """From here on, tasks run elsewhere."""
    return lambda: monkeypatch.setattr(session, "works_here", lambda _: False)


@pytest.fixture
def in_a_volume(monkeypatch):
    """From here on, this folder is where volumes are."""
    return lambda folder: monkeypatch.setattr(reference_sqlite, "VOLUMES", f"{folder}/")


def test_driver_and_jdbc_read_the_same_whatever_the_cells_hold(spark, tmp_path, by_driver, in_a_volume):
    rows = [(cell, cell, cell, cell, cell, cell) for cell in CELLS]
    untyped = "DROP TABLE agreement; CREATE TABLE agreement (agreement_id, agreement_valid_from, agreement_valid_to, product_id, meterpoint_id, account_id);"
    file = database(tmp_path / "reference.db", *rows, more=untyped)
    by_jdbc = file.read(spark)
    assert [row["row_number"] for row in by_jdbc.rows["agreement"]] == list(range(1, len(CELLS) + 1))
    by_driver()
    assert file.read(spark) == by_jdbc
    in_a_volume(tmp_path)
    assert file.read(spark) == by_jdbc


def test_tables_may_have_other_names(spark, tmp_path, by_driver):
    file = database(tmp_path / "reference.db", more='ALTER TABLE product RENAME TO "Order-1";')
    other = SqliteFile(file.url, NAMES | {"product": "main.Order-1"})
    for _ in ("jdbc", "driver"):
        assert [row["product_id"] for row in other.read(spark).rows["product"]] == ["fixed"]
        with pytest.raises(ReferenceDatabaseError, match=r"no such table: product"):
            file.read(spark)
        by_driver()


def test_a_copy_holds_what_its_writer_has_only_in_the_log(spark, tmp_path, in_a_volume):
    file = database(tmp_path / "reference.db")
    in_a_volume(tmp_path)
    before = file.stat()
    with closing(sqlite3.connect(file.location, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("INSERT INTO meterpoint VALUES ('North', 'm1')")
        assert file.stat()[0] > before[0]
        assert [row["meterpoint_id"] for row in file.read(spark).rows["meterpoint"]] == ["m1"]
    assert not [path for path in tmp_path.iterdir() if "copy" in path.name]


def test_a_copy_that_may_be_torn_is_refused(spark, tmp_path, in_a_volume, monkeypatch):
    file = database(tmp_path / "reference.db")
    in_a_volume(tmp_path)
    copy = reference_sqlite.shutil.copyfileobj

    def slowly(source, target):
        copy(source, target)
        with closing(sqlite3.connect(file.location)) as writer:
            writer.execute("CREATE TABLE another (x)")

    monkeypatch.setattr(reference_sqlite.shutil, "copyfileobj", slowly)
    with pytest.raises(ReferenceDatabaseError, match="changed while it was copied: run again"):
        file.read(spark)


def test_what_is_no_database_is_said_by_the_driver_too(spark, tmp_path, by_driver, in_a_volume):
    by_driver()
    file = SqliteFile(f"jdbc:sqlite:{tmp_path / 'none.db'}", NAMES)
    with pytest.raises(ReferenceDatabaseError, match="No such file"):
        file.read(spark)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "none.db").write_bytes(b"this is no database, but long enough to be looked at " * 10)
    with pytest.raises(ReferenceDatabaseError, match=r"\[SQLITE_NOTADB\]"):
        file.read(spark)
    in_a_volume(tmp_path)
    with pytest.raises(ReferenceDatabaseError, match=r"\[SQLITE_NOTADB\]"):
        file.read(spark)


LOCATIONS = {
    "jdbc:sqlite:in/reference.db": ("in/reference.db", True),
    "jdbc:sqlite:file:/data/reference.db?mode=ro": ("/data/reference.db", True),
    "jdbc:sqlite:/Volumes/main/energy/in/reference.db": ("/Volumes/main/energy/in/reference.db", False),
    "jdbc:sqlite:dbfs:/Volumes/main/energy/in/reference.db": ("/Volumes/main/energy/in/reference.db", False),
    "jdbc:sqlite:gs://bucket/in/reference.db": ("gs://bucket/in/reference.db", False),
}


@pytest.mark.parametrize("url", LOCATIONS)
def test_a_file_of_a_store_or_a_volume_is_not_for_jdbc(url):
    location, plain = LOCATIONS[url]
    assert location_of(url) == location
    file = SqliteFile(url, NAMES)
    assert (file.location, file.is_plain, file.name) == (location, plain, "reference.db")
