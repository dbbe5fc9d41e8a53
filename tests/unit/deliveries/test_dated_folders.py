"""Folders that are named by date: which are too old to be looked at, on disks and in stores, and how often a store is asked."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pyarrow import fs

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.deliveries import dated_folders, ingestion_log, landing, news
from pipeline.deliveries.delivery import LOADED, Delivery
from pipeline.lake import maintenance, tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

SINCE = date(2026, 11, 15)
OLDER = ["2025/12/31/a.json", "2026/01/a.json", "2026-10-31/a.json", "20261114/sub/a.json", "dt=2026-11-14/a.json", "north/2026/11/14/a.json", "year=2026/month=10/a.json"]  # fmt: skip
LOOKED_AT = ["a.json", "2026/b.json", "2026/11/b.json", "2026/11/15/a.json", "2026/11/30/north/a.json", "2026-11-15/a.json", "north/a.json", "meter_2020/a.json", "20261199/a.json", "2026/13/a.json", "12/a.json", "year=2026/month=11/day=20/a.json"]  # fmt: skip


@pytest.fixture
def feed(tmp_path):
    for path in (*OLDER, *LOOKED_AT):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    return Feed(name="power", format="split_json", path=str(tmp_path), keep_days=10)


def test_folders_of_days_before_are_passed_over_and_no_other(feed):
    assert set(landing.listed(feed).paths) == {*OLDER, *LOOKED_AT}
    assert set(landing.listed(feed, SINCE).paths) == set(LOOKED_AT)


class _Counted(fs.FileSystemHandler):
    """A store over a folder: what it is asked to list."""

    def __init__(self, inner):
        self.inner, self.asked = inner, []

    def get_file_info_selector(self, selector):
        self.asked.append((selector.base_dir, selector.recursive))
        return self.inner.get_file_info(selector)

    def get_file_info(self, paths):
        return self.inner.get_file_info(paths)

    def get_type_name(self):
        return "counted"

    def normalize_path(self, path):
        return path

    create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = delete_file = None
    move = copy_file = open_input_stream = open_input_file = open_output_stream = open_append_stream = None


_Counted.__abstractmethods__ = frozenset()


def test_a_store_is_listed_from_the_newest_prefixes_on(feed, monkeypatch):
    counted = _Counted(fs.SubTreeFileSystem(feed.path, fs.LocalFileSystem()))
    monkeypatch.setattr(landing.stores, "opened", lambda _: (fs.PyFileSystem(counted), ""))
    remote = feed.model_copy(update={"path": "gs://bucket/in"})
    assert set(landing.listed(remote, SINCE).paths) == set(LOOKED_AT)
    assert not any("2025" in where or "2026/01" in where or where.endswith("14") for where, _ in counted.asked)
    # A folder of a day is listed at once, whatever lies in it.
    assert ("2026/11/30", True) in counted.asked
    counted.asked.clear()
    assert set(landing.listed(remote).paths) == {*OLDER, *LOOKED_AT}
    assert counted.asked == [("", True)]


@pytest.mark.parametrize(
    ("folder", "last"),
    [
        ("2026", date(2026, 12, 31)),
        ("2024/02", date(2024, 2, 29)),
        ("2026-02", date(2026, 2, 28)),
        ("202602", date(2026, 2, 28)),
        ("x/2026/11/30", date(2026, 11, 30)),
        ("y=2026/m=11/d=30", date(2026, 11, 30)),
        ("2026/02/30", None),
        ("2026/11/30/12", None),
        ("0999", None),
        ("3026", None),
        ("meter_2026", None),
        ("", None),
    ],
)
def test_the_last_day_that_a_folder_names(folder, last):
    assert dated_folders.last_day(folder) == last


def test_the_days_are_counted_from_the_feeds_newest_delivery_so_that_no_pause_loses_one(feed, tmp_path_factory):
    context = Context(Settings(lake=str(tmp_path_factory.mktemp("lake")), feeds=(feed,)), log=Log("", quiet=True))
    maintenance.create_missing(context, [tables.INGESTION_LOG])
    assert news.since(feed, ingestion_log.rows(context)) is None  # nothing is known yet: everything is new
    for number, (name, days) in enumerate([("power", 100), ("power", 40), ("other", 0)], 1):
        context.now = datetime(2026, 11, 30, 7, tzinfo=UTC) - timedelta(days=days)
        some = Delivery(name, "a", "a", "a", 1, None, status=LOADED, file_id=number, batch_id=number, revision=number)
        ingestion_log.write(context, [some], number)
    log = ingestion_log.rows(context)
    assert news.since(feed, log) == date(2026, 11, 30) - timedelta(days=50)
    assert news.since(feed.model_copy(update={"keep_days": None}), log) is None


def test_a_folder_that_is_passed_over_is_not_opened(feed, monkeypatch):
    opened = []
    real = landing.local_files.os.scandir
    monkeypatch.setattr(landing.local_files.os, "scandir", lambda path: opened.append(Path(path).name) or real(path))
    landing.listed(feed, SINCE)
    assert "2025" not in opened
    assert "2026" in opened
