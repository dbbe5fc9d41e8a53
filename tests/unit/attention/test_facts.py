"""What needs attention in a lake that the driver wrote; no Spark."""

from __future__ import annotations

import shutil

import pytest
from fastapi.testclient import TestClient

from pipeline import attention
from pipeline.lake import tables
from pipeline.serving.app import application
from tests.written_lake import ELECTRICITY, GAS, add_runs, again, at, delivery, ran, written


def kinds(context):
    return [(each.kind, each.feed) for each in attention.found(context)]


def test_a_lake_that_is_well_needs_none(tmp_path):
    context = written(
        tmp_path,
        deliveries=[delivery(1, "PN000001.SMRT")],
        days={"gas": ["2026-11-29"]},
        runs=[ran("run", "2026-11-30 07:00:30")],
    )
    assert kinds(context) == []


def test_what_is_wrong_is_found(tmp_path):
    context = written(
        tmp_path,
        GAS,
        ELECTRICITY,
        deliveries=[
            delivery(1, "PN000001.SMRT", generation="PN000001"),
            delivery(2, "PN000002.SMRT", "rejected", "TRAILER_MISSING"),
            delivery(3, "PN000003.SMRT", generation="PN000003"),
        ],
        days={"gas": ["2026-11-27"], "electricity": ["2026-11-28"]},
        runs=[ran("run", "2026-11-30 07:00:30", "failed", "no space"), ran("maintain", "2026-11-30 08:00:30")],
    )
    assert kinds(context) == [
        ("failed_run", None),
        ("late", "gas"),
        ("late", "electricity"),
        ("refused", "gas"),
        ("gap_in_numbers", "gas"),
    ]
    gas = attention.found(context)[1]
    assert gas.text == "No readings after 2026-11-27; last delivery 2026-11-29 06:30Z"
    assert gas.since == at("2026-11-29 00:00")


def test_yesterday_is_the_feed_s_own(tmp_path):
    """At 22:30 UTC of a day in summer it is tomorrow in London already where it is not for a feed of UTC."""
    night = at("2026-06-30 23:30")
    days = {"gas": ["2026-06-29"], "electricity": ["2026-06-29"]}
    written(tmp_path, GAS, ELECTRICITY, days=days)
    assert kinds(again(tmp_path, GAS, ELECTRICITY, now=night)) == [("late", "electricity")]


def test_a_table_and_a_data_file_that_are_gone(tmp_path):
    context = written(tmp_path, days={"gas": ["2026-11-29"]})
    for file in (tmp_path / "lake/gold/meter_day").glob("**/*.parquet"):
        file.unlink()
    shutil.rmtree(tables.address(context.settings, tables.HALF_HOUR))
    found = {each.kind: each for each in attention.found(again(tmp_path))}
    assert found["lost_files"].text.startswith("gold.meter_day: 1 data file is missing, such as feed=gas/")
    assert found["missing_table"].text == "gold.total_consumption_half_hour is missing; the next run rebuilds it"


@pytest.fixture
def api(tmp_path):
    deliveries = [delivery(1, "PN000002.SMRT", "rejected", "TRAILER_MISSING")]
    context = written(tmp_path, ELECTRICITY, GAS, deliveries=deliveries, days={"electricity": ["2026-06-01"]})
    with TestClient(application(context.settings)) as client:
        yield client, context


def test_the_api_gives_the_same_list(api):
    client, context = api
    answer = client.get("/attention")
    items = attention.found(context.next_run())
    assert [(row["kind"], row["feed"], row["text"], row["command"]) for row in answer.json()["data"]] == [
        (each.kind, each.feed, each.text, each.command) for each in items
    ]
    late = answer.json()["data"][0]
    assert late["since"] == "2026-06-03T00:00:00+01:00"  # in the feed's zone
    assert answer.json()["total"] == len(items)
    assert client.get("/attention?format=csv").text.splitlines()[0] == "kind,feed,text,command,since,urgent"
    assert client.get("/attention?limit=3").status_code == 400


def test_the_api_s_list_is_new_when_the_lake_is(api):
    client, context = api
    tag = client.get("/attention").headers["etag"]
    assert client.get("/attention", headers={"If-None-Match": tag}).status_code == 304
    add_runs(context, ran("run", "2026-11-30 07:00:30", "failed", "no space"))
    answer = client.get("/attention", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["data"][0]["text"] == "The last run failed: no space"


def test_an_api_without_a_lake_says_so(tmp_path):
    with TestClient(application(again(tmp_path).settings)) as client:
        assert client.get("/attention").status_code == 503
