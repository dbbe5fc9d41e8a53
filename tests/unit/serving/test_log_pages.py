"""Pages of the log of deliveries: the right rows and totals, and of a new version only its new files are counted."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from types import SimpleNamespace

import pytest
from deltalake import DeltaTable

from pipeline.clock.zones import zone_info
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.deliveries import ingestion_log
from pipeline.deliveries.delivery import LOADED, REJECTED, Delivery
from pipeline.lake import maintenance, tables
from pipeline.lake.snapshots import Snapshots
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from pipeline.serving import log_pages
from pipeline.serving.deliveries import FILES
from pipeline.serving.problems import ProblemError

GAS = Feed(name="gas", format="smrt", path="gas")
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def context(tmp_path):
    made = Context(Settings(lake=str(tmp_path), feeds=(GAS,)), now=NOON, log=Log("", quiet=True))
    maintenance.create_missing(made, [tables.INGESTION_LOG])
    for batch in (1, 2, 3):
        write(made, batch)
    return made


def write(context, batch):
    """Ten deliveries, of which the third of each ten was refused."""
    numbers = range(batch * 10, batch * 10 + 10)
    some = [
        Delivery("gas", f"{n}", f"/in/{n}", f"{n}", 1, NOON, status=REJECTED if n % 10 == 3 else LOADED, file_id=n, batch_id=batch, revision=batch)
        for n in numbers
    ]  # fmt: skip
    ingestion_log.write(context, some, batch)


def pages(log, pinned, limit, **which):
    """(file_ids of each page, the total on each)."""
    found, totals, after = [], [], None
    wanted = {"status": None, "feed": None} | which
    while True:
        page = log.page(pinned, FILES, **wanted, after=after, limit=limit, zone_of=lambda _: zone_info("UTC"))
        found.append(page.columns["file_id"])
        totals.append(page.total)
        if (after := page.more_after) is None:
            return found, totals


def test_every_delivery_is_on_one_page_the_newest_first(context):
    log, pinned = log_pages.LogPages(), Snapshots(context.settings).pin([tables.INGESTION_LOG])
    found, totals = pages(log, pinned, 12)
    assert found == [[*range(39, 27, -1)], [*range(27, 15, -1)], [*range(15, 9, -1)]]
    assert totals == [30, 30, 30]
    assert pages(log, pinned, 2, status=REJECTED) == ([[33, 23], [13]], [3, 3])
    assert pages(log, pinned, 30, feed="gas", status=LOADED)[1] == [27]
    assert pages(log, pinned, 5, feed="water") == ([[]], [0])


def test_instants_and_days_are_written_as_everywhere_in_the_api(context):
    log, pinned = log_pages.LogPages(), Snapshots(context.settings).pin([tables.INGESTION_LOG])
    page = log.page(pinned, FILES, status=None, feed=None, after=None, limit=1, zone_of=lambda _: zone_info("UTC"))
    assert page.columns["received_at"] == ["2026-11-01T12:00:00+00:00"]
    assert page.columns["local_dates"] == [[]]
    assert "file_path" not in page.columns


def test_of_a_new_version_only_the_new_files_are_counted_and_older_pages_stay(context, monkeypatch):
    log, snapshots = log_pages.LogPages(), Snapshots(context.settings)
    before = snapshots.pin([tables.INGESTION_LOG])
    assert log.count(before, None, None) == 30
    counted = []
    real = log_pages._counted
    monkeypatch.setattr(log_pages, "_counted", lambda part: counted.append(part) or real(part))
    write(context, 4)
    after = snapshots.pin([tables.INGESTION_LOG])
    assert log.count(after, REJECTED, None) == 4
    assert log.count(before, None, None) == 30
    assert len(counted) == 1
    assert pages(log, before, 40)[0] == [[*range(39, 9, -1)]]


def test_a_log_that_only_spark_reads_is_counted_from_its_rows(context):
    rows = ingestion_log.rows(context).table(tables.INGESTION_LOG.names)
    pinned = SimpleNamespace(identities={"ops.ingestion_log": "as Spark gave it"}, dataset=lambda _: rows)
    assert pages(log_pages.LogPages(), pinned, 20)[1] == [30, 30]


@pytest.mark.parametrize("after", [["39"], [39, 1], [None], []])
def test_a_cursor_that_is_none_is_refused(context, after):
    pinned = Snapshots(context.settings).pin([tables.INGESTION_LOG])
    with pytest.raises(ProblemError, match="cursor"):
        log_pages.LogPages().page(pinned, FILES, status=None, feed=None, after=after, limit=1, zone_of=zone_info)


def long_log(folder, kind, most):
    """(context, (status, feed) by file_id) of batches of ten deliveries; in the newest quarter all were loaded."""
    made = Context(Settings(lake=str(folder), feeds=(GAS,)), now=NOON, log=Log("", quiet=True))
    maintenance.create_missing(made, [tables.INGESTION_LOG])
    random, known = Random(7), {}
    for batch in range(1, most + 1):
        numbers = [batch + n * most for n in range(10)] if kind == "overlap" else [batch * 10 + n for n in range(10)]
        numbers = [n * 1000 for n in numbers] if kind == "numbers left out" else numbers
        statuses = [LOADED, LOADED, REJECTED] if batch <= most * 3 / 4 else [LOADED]
        some = {n: (random.choice(statuses), random.choice(["gas", "gas", "sun"])) for n in numbers}
        batches = [
            Delivery(
                feed, f"{n}", f"/in/{n}", f"{n}", 1, NOON, status=status, file_id=n, batch_id=batch, revision=batch
            )
            for n, (status, feed) in some.items()
        ]
        ingestion_log.write(made, batches, batch)
        known |= some
    if kind == "one file":
        DeltaTable(tables.address(made.settings, tables.INGESTION_LOG)).optimize.compact()
    return made, known


@pytest.fixture(scope="module", params=["a file each", "overlap", "one file", "numbers left out"])
def logged(request, tmp_path_factory):
    context, known = long_log(tmp_path_factory.mktemp("log"), request.param, 12)
    return Snapshots(context.settings).pin([tables.INGESTION_LOG]), known


@pytest.mark.parametrize("status", [None, LOADED, REJECTED])
@pytest.mark.parametrize("feed", [None, "gas", "sun", "water"])
def test_pages_hold_every_delivery_once_however_the_log_lies_in_files(logged, status, feed):
    pinned, known = logged
    log = log_pages.LogPages()
    expected = [n for n in sorted(known, reverse=True) if status in {None, known[n][0]} and feed in {None, known[n][1]}]
    for limit in (9, 1000):
        found, totals = pages(log, pinned, limit, status=status, feed=feed)
        assert [n for page in found for n in page] == expected
        assert all(len(page) == limit for page in found[:-1])
        assert set(totals) == {len(expected)}
    assert log.newest(pinned, status, feed, 1) == expected[:1]


def test_a_page_reads_the_files_that_it_shows_and_no_others(tmp_path, monkeypatch):
    context, known = long_log(tmp_path, "a file each", 40)
    pinned, log, read = Snapshots(context.settings).pin([tables.INGESTION_LOG]), log_pages.LogPages(), []
    real = log_pages.Version.of
    monkeypatch.setattr(log_pages.Version, "of", lambda version, files: read.append(len(files)) or real(version, files))
    wanted = {"feed": None, "limit": 20, "zone_of": lambda _: zone_info("UTC")}
    assert len(log._version(pinned).parts) == 40
    assert log.page(pinned, FILES, status=None, after=None, **wanted).total == 400
    assert read == [3, 2]  # of 21 and of 20 deliveries, ten in a file
    read.clear()
    assert log.page(pinned, FILES, status=None, after=[209], **wanted).columns["file_id"] == [*range(208, 188, -1)]
    assert read == [3, 3]
    read.clear()
    refused = [n for n in sorted(known, reverse=True) if known[n][0] == REJECTED]
    found = log.page(pinned, FILES, status=REJECTED, after=None, **wanted)
    assert found.columns["file_id"] == refused[:20]
    assert sum(read) < 30  # none of the ten that hold no refused delivery, and not all of the others
