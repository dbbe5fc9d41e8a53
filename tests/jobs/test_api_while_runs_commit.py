"""The read API during runs: the newest commit at once, pages of the versions that they began with, removed versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fastapi.testclient import TestClient

from jobs import erase, run
from pipeline.serving.app import application
from tests.jobs.conftest import ELECTRICITY, put, split_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

pytestmark = pytest.mark.slow  # whole runs of every command, one after the other: `make test-platform`

READINGS = "/meters/m1/readings?from=2021-01-04&to=2021-01-05"


@pytest.fixture
def loaded(lake: Callable[..., Context], electricity: Path) -> Context:
    rows = [[f"2021-01-04 {hour:02d}:00:00", meter, hour / 10] for hour in range(6) for meter in ("m1", "m2")]
    put(electricity, "day.json", split_json(*rows))
    context = lake(ELECTRICITY)
    run.run(context)
    return context


def kwh(answer: dict) -> list[str]:
    return [row["consumption"] for row in answer["data"]]


def test_a_correction_is_seen_at_once_and_pages_stay_what_they_were(loaded, lake, electricity):
    with TestClient(application(loaded.settings)) as api:
        whole = api.get(READINGS)
        first = api.get(f"{READINGS}&limit=2").json()
        assert kwh(first) == ["0.000000", "0.100000"]
        put(electricity, "late.json", split_json(*[[f"2021-01-04 {h:02d}:00:00", "m1", 9] for h in (0, 3)]), minutes=1)
        run.run(lake(ELECTRICITY))
        assert kwh(api.get(READINGS).json()) == ["9.000000", "0.100000", "0.200000", "9.000000", "0.400000", "0.500000"]
        assert api.get(READINGS, headers={"If-None-Match": whole.headers["etag"]}).status_code == 200
        second = api.get(first["next"]).json()
        assert kwh(second) == ["0.200000", "0.300000"]
        assert second["as_of"] == first["as_of"]
        assert kwh(api.get(second["next"]).json()) == ["0.400000", "0.500000"]
        assert kwh(api.get(f"{READINGS}&granularity=day").json()) == ["19.200000"]
        changed = api.get("/restatements?table=gold.meter_day&since=2021-01-01").json()["data"]
        assert [(row["measure"], row["old_value"], row["new_value"]) for row in changed] == [
            ("consumption", "1.500000", "19.200000")
        ]


def test_a_meter_that_was_erased_is_gone_from_memory_and_from_every_page(loaded, lake):
    with TestClient(application(loaded.settings)) as api:
        first = api.get(f"{READINGS}&limit=2").json()
        assert first["next"]
        erase.run(lake(ELECTRICITY), "m1", as_json=True, wait_seconds=0)
        assert api.get(READINGS).status_code == 404
        gone = api.get(first["next"])
        assert (gone.status_code, gone.headers["content-type"]) == (410, "application/problem+json")
        assert kwh(api.get(READINGS.replace("m1", "m2")).json())[-1] == "0.500000"


def test_too_many_queries_at_once_must_try_again(loaded, monkeypatch):
    monkeypatch.setattr("pipeline.serving.asked.PATIENCE_SECONDS", 0.1)
    app = application(loaded.settings)
    slots = app.state.service.slots
    with TestClient(app) as api:
        held = 0
        while slots.acquire(blocking=False):
            held += 1
        refused = api.get("/meters")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert api.get("/healthz").status_code == 200
        for _ in range(held):
            slots.release()
        assert api.get("/meters").status_code == 200
