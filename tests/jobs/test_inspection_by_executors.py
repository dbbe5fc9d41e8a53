"""A run whose files Spark's executors inspect decides, counts and keeps what a run does that reads them on the driver."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from jobs import run
from pipeline.config.settings import load
from pipeline.lake import access, tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.conftest import configuration

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# What differs between two runs on copies of the same files.
OF_THE_RUN = ["run_id", "received_at", "file_path", "decided_at"]


def decided(config: Path) -> list[dict[str, Any]]:
    rows = access.small_table(Context(load(config)), tables.INGESTION_LOG).to_pylist()
    return [{name: value for name, value in row.items() if name not in OF_THE_RUN} for row in rows]


def test_the_demos_deliveries_are_decided_alike(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(demo.parent / "data_lake" / "landing", tmp_path / "data_lake" / "landing")
    config = configuration(tmp_path)
    monkeypatch.setenv("METERLAKE_DRIVER_INSPECTS_MEGABYTES", "0")
    by_executors: dict[str, int] = {}

    def listen(event: str, facts: dict[str, Any]) -> None:
        if event == "inspected":
            by_executors[facts["feed"]] = facts["by_executors"]

    run.run(Context(load(config), log=Log("", quiet=True, listener=listen)))
    assert decided(config) == decided(demo)
    assert set(by_executors) == {"gas", "electricity", "solar", "berlin", "leeds"}
    assert all(by_executors.values())
