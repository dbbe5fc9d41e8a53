"""What a commit brings is in memory before it is shown, and is shown within two seconds; without Spark."""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from fastapi.testclient import TestClient

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.lake import tables
from pipeline.lake.types import arrow_schema
from pipeline.serving import meter_files, warming
from pipeline.serving.app import application
from pipeline.serving.asked import Service

ASKED = "/meters/m/readings?from=2021-03-01&to=2021-03-05"


def commit(lake, day, kwh):
    """One reading of meter m on that day, in place of what the day had."""
    row = {
        "feed": "f", "meter_id": "m", "direction": "import", "interval_start": datetime(2021, 3, day, tzinfo=UTC),
        "interval_minutes": 30, "local_date": date(2021, 3, day), "consumption": Decimal(kwh), "unit": "kWh",
        "quality": None, "file_id": 1, "row_number": 1, "batch_id": 1,
    }  # fmt: skip
    place = lake / "silver" / "readings"
    write_deltalake(
        place, pa.Table.from_pylist([row], arrow_schema(tables.READINGS)), partition_by=["feed", "local_date"],
        mode="overwrite", predicate=f"local_date = '2021-03-{day:02d}'" if place.exists() else None,
    )  # fmt: skip


@pytest.fixture
def lake(tmp_path):
    commit(tmp_path, 1, "1")
    commit(tmp_path, 2, "2")
    return tmp_path


@pytest.fixture
def settings(lake):
    return Settings(lake=str(lake), feeds=(Feed(name="f", format="split_json", path="f"),))


@pytest.fixture
def reads(monkeypatch):
    """The days that were read from files, in order."""
    found, real = [], meter_files.in_memory

    def noted(rows, feed, day):
        found.append(day.day)
        return real(rows, feed, day)

    monkeypatch.setattr(meter_files, "in_memory", noted)
    return found


@pytest.fixture
def asked(settings, monkeypatch):
    """The application with a warmer that looks when it is told to: (client, look)."""
    made = []
    monkeypatch.setattr("pipeline.serving.app.keep_warm", lambda service, stop: made.append((service, stop)))
    with TestClient(application(settings)) as api:
        ((service, stop),) = made
        warm = warming.Warm(service.snapshots, service.files)
        service.snapshots.show(tables.READINGS, warm)
        yield api, lambda: warm.look(stop)


def values(api):
    return [row["energy_kwh"] for row in api.get(ASKED).json()["data"]]


def test_a_commit_is_shown_once_its_days_were_read_and_no_request_reads_them(asked, lake, reads):
    api, look = asked
    look()
    assert reads == [2, 1]  # the newest first
    commit(lake, 2, "2.5")
    commit(lake, 3, "3")
    assert values(api) == ["1.000000", "2.000000"]
    look()
    assert reads == [2, 1, 3, 2]
    assert values(api) == ["1.000000", "2.500000", "3.000000"]
    assert len(reads) == 4


def test_what_is_shown_says_its_version_and_has_its_own_etag(asked, lake):
    api, look = asked
    look()
    before = api.get(ASKED)
    commit(lake, 3, "3")
    assert api.get(ASKED).json()["as_of"] == before.json()["as_of"] == {"silver.readings": 1}
    assert api.get(ASKED, headers={"If-None-Match": before.headers["etag"]}).status_code == 304
    look()
    after = api.get(ASKED, headers={"If-None-Match": before.headers["etag"]})
    assert (after.status_code, after.json()["as_of"]) == (200, {"silver.readings": 2})


def test_a_commit_is_shown_within_two_seconds_even_if_nothing_reads_it(asked, lake, monkeypatch):
    api, look = asked
    look()
    commit(lake, 3, "3")
    now = warming.time.monotonic()
    monkeypatch.setattr(warming.time, "monotonic", lambda: now + 1.5)
    assert len(values(api)) == 2
    monkeypatch.setattr(warming.time, "monotonic", lambda: now + 2.1)
    assert len(values(api)) == 3


def test_a_page_goes_on_in_its_version_whichever_is_shown(asked, lake):
    api, look = asked
    look()
    following = api.get(f"{ASKED}&limit=1").json()["next"]
    commit(lake, 2, "2.5")
    look()
    second = api.get(following).json()
    assert ([row["energy_kwh"] for row in second["data"]], second["as_of"]) == (["2.000000"], {"silver.readings": 1})


def test_files_of_an_earlier_version_stay_for_one_look_and_no_longer(settings, lake):
    service = Service.of(settings)
    warm, stop = warming.Warm(service.snapshots, service.files), threading.Event()

    def days():
        return sorted(file.local_date.day for file in service.files._kept.values())

    warm.look(stop)
    commit(lake, 2, "2.5")
    warm.look(stop)
    assert days() == [1, 2, 2]
    warm.look(stop)
    assert days() == [1, 2]


def test_where_memory_is_short_the_earlier_version_s_files_make_room(settings, lake, monkeypatch):
    service = Service.of(settings)
    warm, stop = warming.Warm(service.snapshots, service.files), threading.Event()
    warm.look(stop)
    commit(lake, 2, "2.5")
    monkeypatch.setattr(service.files, "_limit", service.files._size + 1)
    warm.look(stop)
    assert sorted(file.local_date.day for file in service.files._kept.values()) == [1, 2]
    assert {path for path in service.files._kept if "03-02" in path} == {
        file.path for file in warm.opened().fragments["f", date(2021, 3, 2)]
    }


def test_where_its_files_are_gone_the_table_itself_is_looked_at(asked, lake):
    api, look = asked
    look()
    shutil.rmtree(lake / "silver")
    commit(lake, 4, "4")
    # In memory still: the version that is shown.
    assert values(api) == ["1.000000", "2.000000"]
    for path in list(api.app.state.service.files._kept):
        api.app.state.service.files._kept.pop(path)
    assert api.get(ASKED).status_code == 410
    assert values(api) == ["4.000000"]


def test_a_server_follows_by_itself(settings, lake, reads):
    with TestClient(application(settings)) as api:
        assert values(api) == ["1.000000", "2.000000"]
        commit(lake, 3, "3")
        version = DeltaTable(lake / "silver" / "readings").version()
        for _ in range(1000):
            if api.get(ASKED).json()["as_of"]["silver.readings"] == version:
                break
        assert values(api) == ["1.000000", "2.000000", "3.000000"]
    assert sorted(reads) == [1, 2, 3]


def test_a_meter_that_was_erased_is_gone_from_memory_and_from_every_page(asked, lake):
    api, look = asked
    look()
    following = api.get(f"{ASKED}&limit=1").json()["next"]
    table = DeltaTable(lake / "silver" / "readings")
    table.delete("meter_id = 'm'")
    table.vacuum(0, dry_run=False, enforce_retention_duration=False)
    look()
    assert api.get(ASKED).status_code == 404
    look()
    assert not api.app.state.service.files._kept
    assert api.get(following).status_code == 410
