"""What the API says of the last run, of each feed's deliveries and of what stands around a delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient

from pipeline.config.settings import load
from pipeline.deliveries import open_issues
from pipeline.deliveries.ingestion_log import logged
from pipeline.formats import advice
from pipeline.formats.row_rules import FILE_CODES
from pipeline.lake import access, tables
from pipeline.runtime.context import Context
from pipeline.serving import surroundings
from pipeline.serving.app import application
from tests.jobs.test_demo import config

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["config"]


@pytest.fixture(scope="module")
def context(config: Path) -> Context:
    return Context(load(config))


@pytest.fixture(scope="module")
def api(config: Path) -> Iterator[TestClient]:
    with TestClient(application(load(config)), raise_server_exceptions=False) as client:
        yield client


def log_of(context: Context) -> list[dict[str, Any]]:
    return sorted(
        access.small_rows(context, tables.INGESTION_LOG, tables.INGESTION_LOG.names), key=lambda row: row["file_id"]
    )


def ids(api: TestClient, **asked: Any) -> list[int]:
    return [row["file_id"] for row in api.get("/files", params=asked).json()["data"]]


def test_the_latest_run_is_the_newest_of_the_main_job(api, context):
    runs = access.small_rows(context, tables.RUNS, tables.RUNS.names)
    main = [run for run in runs if run["command"] in {"run", "watch", "demo"}]
    newest = max(main, key=lambda run: run["started_at"])
    found = api.get("/runs/latest").json()
    assert (found["run_id"], found["status"], found["files"]) == (newest["run_id"], "succeeded", newest["files"])
    assert found["succeeded_at"] == newest["finished_at"].isoformat()
    assert found["next_due_at"] is None


def test_each_feed_has_its_last_delivery(api, context):
    log = log_of(context)
    answer = api.get("/feeds/deliveries")
    refused = open_issues.standing_refusals(logged(context))
    assert {row["feed"] for row in answer.json()["data"]} == {*(row["feed"] for row in log)}
    for row in answer.json()["data"]:
        own = [each for each in log if each["feed"] == row["feed"]]
        assert row["deliveries"] == len(own)
        assert row["rows_rejected"] == sum(each["rows_rejected"] for each in own)
        assert row["open_refusals"] == sum(each["files"] for each in refused if each["feed"] == row["feed"])
        last = own[-1]
        assert (row["last_file_id"], row["last_relative_path"], row["last_status"]) == (
            last["file_id"], last["relative_path"], last["status"],
        )  # fmt: skip
    assert api.get("/feeds/deliveries", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def test_deliveries_of_a_day_and_of_a_run_are_those_behind_a_number(api, context):
    log = log_of(context)
    day = log[9]["local_dates"][0]
    behind = [each["file_id"] for each in reversed(log) if each["status"] == "loaded" and day in each["local_dates"]]
    assert ids(api, day=day.isoformat()) == behind
    assert len(behind) > 1
    assert ids(api, run_id=log[0]["run_id"]) == [
        each["file_id"] for each in reversed(log) if each["run_id"] == log[0]["run_id"]
    ]
    assert ids(api, run_id="none") == []
    assert ids(api, open="true") == [
        each["file_id"] for each in reversed(log) if each["status"] in {"rejected", "conflict"}
    ]


def test_a_delivery_has_its_neighbours_by_the_sender_s_number_and_by_arrival(api, context):
    log = [each for each in log_of(context) if each["feed"] == "gas"]
    own = next(each for each in log if each["file_name"] == "PN000003.SMRT")
    near = {each["relation"]: each for each in api.get(f"/files/{own['file_id']}").json()["neighbours"]}
    place = log.index(own)
    assert (near["before"]["file_id"], near["after"]["file_id"]) == (
        log[place - 1]["file_id"],
        log[place + 1]["file_id"],
    )
    assert (near["number_before"]["generation"], near["number_after"]["generation"]) == ("PN000002", "PN000004")
    assert near["number_before"]["status"] == "loaded"  # of two with that number
    assert list(near) == ["number_before", "number_after", "before", "after"]


def test_what_to_do_next_is_said_of_whatever_is_refused(api):
    for row in api.get("/files").json()["data"]:
        step = api.get(f"/files/{row['file_id']}").json()["next_step"]
        wanting = row["status"] in {"rejected", "conflict"} or row["rows_rejected"] > 0
        assert (step is not None) == wanting
        assert (
            step is None
            or row["feed"] == "reference"
            or row["status"] == "conflict"
            or f"replay '#{row['file_id']}'" in step
        )


@pytest.mark.parametrize("code", FILE_CODES)
def test_every_reason_code_has_something_to_do(code):
    step = surroundings.next_step(
        {"file_id": 7, "feed": "gas", "status": "rejected", "reason_code": code, "rows_rejected": 0}
    )
    assert advice.OF_CODE[code][1:] in step
