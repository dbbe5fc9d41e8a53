"""Pages of the log of deliveries: the right rows and totals, and of a new version only its new files are counted."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

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
