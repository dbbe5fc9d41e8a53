"""The metrics of a real lake, as a run writes them and as `serve` answers them."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from jobs import maintain, run
from jobs import serve as job
from jobs.shared import metrics
from pipeline.config.metrics import Metrics
from pipeline.lake import access, tables
from pipeline.serving.app import application
from tests.jobs.conftest import ELECTRICITY, GAS, put, smrt, split_json


def samples(text):
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[(sample.name.removeprefix("meterlake_"), *sample.labels.values())] = sample.value
    return found


def test_a_run_leaves_its_measures_and_a_later_one_replaces_them(lake, gas, electricity, tmp_path):
    file = tmp_path / "textfile" / "meterlake.prom"
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5', '"001","20210401","0100",-1'))
    put(gas, "PN000004.SMRT", smrt("PN000004", '"001","20210402","0000",2.5').replace(b'"TRAIL"', b""), minutes=1)
    put(electricity, "day.json", split_json(["2021-03-28 00:00:00", "m1", "0.125"]))
    wanted = {"metrics": Metrics(textfile=str(file))}
    run.run(lake(GAS, ELECTRICITY, **wanted))
    found = samples(file.read_text())
    assert found[("last_run_success",)] == 1
    assert found[("last_success_timestamp_seconds",)] == found[("last_run_timestamp_seconds",)]
    assert {layer for name, *rest in found if name == "layer_duration_seconds" for layer in rest} == {
        "bronze",
        "silver",
        "gold",
    }
    assert (found[("files", "gas", "loaded")], found[("files", "gas", "rejected")]) == (1, 1)
    assert (found[("rows", "gas", "accepted")], found[("rejected_ratio", "gas")]) == (1, 0.5)
    assert found[("standing_refusals", "gas", "TRAILER_MISSING")] == 1
    assert found[("conservation_broken", "bronze.gas")] == 0
    assert found[("table_rows", "silver.readings")] == 2
    assert found[("restatements",)] == 0
    assert found[("feed_last_day_end_timestamp_seconds", "electricity")] == 1616972400  # 2021-03-29 00:00 in London
    put(electricity, "late.json", split_json(["2021-03-28 00:00:00", "m1", "0.5"]), minutes=2)
    put(gas, "PN000004.SMRT", smrt("PN000004", '"001","20210402","0000",2.5'), minutes=3)
    run.run(lake(GAS, ELECTRICITY, **wanted))
    found = samples(file.read_text())
    assert found[("restatements",)] > 0
    assert found[("sequence_gaps", "gas")] == 2
    assert ("standing_refusals", "gas", "TRAILER_MISSING") not in found
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    maintain.run(lake(GAS, ELECTRICITY, **wanted), 168, force=False, as_json=True)
    assert samples(file.read_text())[("table_small_files", "bronze.gas")] == 0


def test_a_run_that_failed_says_so(lake, gas, electricity, tmp_path):
    file = tmp_path / "meterlake.prom"
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    wanted = {
        "metrics": Metrics(textfile=str(file)),
        "reference": {"url": f"jdbc:sqlite:{tmp_path / 'not there.db'}", "feeds": ["electricity"]},
    }
    with pytest.raises(Exception, match="not there"):
        run.run(lake(GAS, ELECTRICITY, **wanted))
    found = samples(file.read_text())
    assert found[("last_run_success",)] == 0
    assert ("last_success_timestamp_seconds",) not in found
    assert found[("table_rows", "gold.meter_day")] == 1


@pytest.mark.parametrize("what", ["a folder", "below a file"])
def test_where_they_cannot_be_written_the_run_succeeds_and_warns(lake, gas, tmp_path, capsys, what):
    (tmp_path / "file").write_text("")
    file = tmp_path / "folder.prom" if what == "a folder" else tmp_path / "file" / "x.prom"
    if what == "a folder":
        file.mkdir()
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    context = lake(GAS, metrics=Metrics(textfile=str(file)))
    context.log.quiet = False
    run.run(context)
    assert "the metrics could not be written" in capsys.readouterr().err
    assert access.small_rows(context, tables.RUNS, ["status"]) == [{"status": "succeeded"}]


def test_a_lake_that_cannot_be_measured_fails_no_run(lake, gas, tmp_path, monkeypatch, capsys):
    def broken(*_):
        raise RuntimeError("a bug of ours")

    monkeypatch.setattr(metrics, "found", broken)
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    context = lake(GAS, metrics=Metrics(textfile=str(tmp_path / "x.prom")))
    context.log.quiet = False
    assert run.run(context).rows_merged == 1
    assert "a bug of ours" in capsys.readouterr().err


def test_serve_answers_with_them_too_and_without_a_lake_with_its_own(lake, gas):
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    context = lake(GAS)
    with TestClient(application(context.settings, lambda: job._measures(context))) as api:
        found = samples(api.get("/metrics").text)
        assert found[("lake_readable",)] == 0
        assert ("last_run_success",) not in found
    run.run(lake(GAS))
    with TestClient(application(context.settings, lambda: job._measures(context))) as api:
        answer = api.get("/metrics")
        assert samples(answer.text)[("last_run_success",)] == samples(answer.text)[("lake_readable",)] == 1
        assert re.match(r"text/plain; version=", answer.headers["content-type"])

    def broken():
        raise OSError("no such store")

    with TestClient(application(context.settings, broken)) as api:
        answer = api.get("/metrics")
    assert answer.status_code == 200
    assert samples(answer.text)[("lake_readable",)] == 0
