"""`run --from --to`: what a span of time brought, a batch a day; and local days rebuilt."""

from __future__ import annotations

import json

import pytest
from deltalake import DeltaTable

from jobs import backfill, run, verify
from pipeline.deliveries.span import Span
from pipeline.errors import UsageError, VerificationError
from pipeline.lake import tables
from pipeline.runtime import failpoints
from tests.conftest import command
from tests.jobs.conftest import ELECTRICITY, GAS, log, put, rows, smrt, split_json

DAY = 24 * 60  # minutes; the first file is of 2021-04-01 06:00 UTC
SPAN = Span.of("2021-04-01", "2021-04-04")
RESULTS = {
    tables.READINGS: ("meter_id", "interval_start", "consumption", "file_id"),
    tables.METER_DAY: ("meter_id", "local_date", "consumption", "intervals_received"),
    tables.HALF_HOUR: ("interval_start", "total_kwh"),
    tables.MISSING: ("meter_id", "interval_start"),
}


def deliver(gas, electricity):
    """Three days of deliveries, laid down in another order than they came in; the third corrects the first."""
    correction = split_json(["2021-03-31 00:00:00", "m1", "9"], ["2021-04-02 00:00:00", "m1", "3"])
    put(electricity, "a-third.json", correction, 2 * DAY)
    put(electricity, "b-second.json", split_json(["2021-04-01 00:00:00", "m1", "2"]), DAY)
    put(electricity, "c-first.json", split_json(["2021-03-31 00:00:00", "m1", "1"]))
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210331","0000",1.5'))
    put(gas, "PN000002.SMRT", smrt("PN000002", '"001","20210401","0000",2.5'), 2 * DAY + 1)


def results(context):
    return {table.full_name: rows(context, table, *names) for table, names in RESULTS.items()}


def batches(context):
    return rows(context, tables.INGESTION_LOG, "batch_id", "relative_path")


ONE_A_DAY = [
    (1, "PN000001.SMRT"),
    (1, "c-first.json"),
    (2, "b-second.json"),
    (3, "PN000002.SMRT"),
    (3, "a-third.json"),
]


@pytest.mark.slow
def test_a_batch_a_day_oldest_first_equals_loading_each_day_when_it_came(lake, gas, electricity):
    deliver(gas, electricity)
    outcomes = list(backfill.run(lake(GAS, ELECTRICITY), SPAN))
    context = lake(GAS, ELECTRICITY)
    assert [len(outcome.deliveries) for outcome in outcomes] == [2, 1, 2]
    assert batches(context) == ONE_A_DAY
    assert ("m1", "9") in {
        (meter, f"{kwh:f}".rstrip("0").rstrip("."))
        for meter, _, kwh, _ in rows(context, tables.READINGS, *RESULTS[tables.READINGS])
    }
    verify.run(context, as_json=True)
    # Nothing is left: one run that finishes whatever may be undone, and loads nothing.
    again = list(backfill.run(lake(GAS, ELECTRICITY), SPAN))
    assert [outcome.deliveries for outcome in again] == [[]]


@pytest.mark.faults
@pytest.mark.parametrize(
    "place", ["before write ops.ingestion_log#2", "after write bronze.electricity#3", "after write silver.readings#2"]
)
def test_killed_anywhere_the_same_command_continues(lake, gas, electricity, monkeypatch, place):
    deliver(gas, electricity)
    failpoints.forget()
    monkeypatch.setenv(failpoints.VARIABLE, f"raise:{place}")
    with pytest.raises(failpoints.Killed):
        list(backfill.run(lake(GAS, ELECTRICITY), SPAN))
    monkeypatch.delenv(failpoints.VARIABLE)
    list(backfill.run(lake(GAS, ELECTRICITY), SPAN))
    context = lake(GAS, ELECTRICITY)
    assert batches(context) == ONE_A_DAY
    verify.run(context, as_json=True)


def test_only_deliveries_in_the_span_are_loaded_and_older_ones_are_reported(lake, gas, electricity, capsys):
    deliver(gas, electricity)
    context = lake(GAS, ELECTRICITY)
    context.log.quiet = False
    list(backfill.run(context, Span.of("2021-04-02", "2021-04-03")))
    assert log(context) == [("b-second.json", "loaded", None)]
    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (warning,) = [line for line in said if line["level"] == "warning"]
    assert (warning["event"], warning["deliveries"], warning["first"]) == (
        "older deliveries wait and are not taken", 2, "PN000001.SMRT",
    )  # fmt: skip
    run.run(lake(GAS, ELECTRICITY))
    assert len(log(context)) == 5


@pytest.mark.faults
@pytest.mark.parametrize("layer", ["silver", "gold"])
def test_damaged_days_are_rebuilt(lake, gas, electricity, layer):
    deliver(gas, electricity)
    run.run(lake(GAS, ELECTRICITY))
    context = lake(GAS, ELECTRICITY)
    before = results(context)
    damaged = [tables.READINGS] if layer == "silver" else [tables.METER_DAY, tables.HALF_HOUR]
    for table in damaged:
        DeltaTable(tables.address(context.settings, table)).delete("local_date = '2021-03-31'")
    with pytest.raises(VerificationError):
        verify.run(lake(GAS, ELECTRICITY), as_json=True)
    # Another day than the damaged one mends nothing of it.
    backfill.rebuild(lake(GAS, ELECTRICITY), layer, Span.of("2021-04-02", "2021-04-03"))
    assert (results(context)[tables.READINGS.full_name] == before[tables.READINGS.full_name]) == (layer == "gold")
    backfill.rebuild(lake(GAS, ELECTRICITY), layer, Span.of("2021-03-31", "2021-04-01"))
    run.run(lake(GAS, ELECTRICITY))
    assert results(context) == before
    verify.run(lake(GAS, ELECTRICITY), as_json=True)


def test_what_cannot_be_rebuilt_is_reported(lake):
    with pytest.raises(UsageError, match="bronze is what was delivered and cannot be rebuilt"):
        backfill.rebuild(lake(GAS), "bronze", SPAN)
    with pytest.raises(UsageError, match="as days"):
        backfill.rebuild(lake(GAS), "gold", Span.of("2021-03-31T01:00:00Z", "2021-04-01"))


def test_the_command_line(demo):
    assert "--from" in command("run", "--help", config=demo).output
    result = command("run", "--from", "2021-04-01", config=demo)
    assert result.exit_code == UsageError.exit_code
    assert "belong together" in result.output


def test_the_command_line_says_that_days_were_rebuilt(tmp_path, spark):
    (tmp_path / "gas").mkdir()
    config = tmp_path / "meterlake.toml"
    config.write_text(f'lake = "{tmp_path}/lake"\n[[feeds]]\nname = "gas"\nformat = "smrt"\npath = "{tmp_path}/gas"\n')
    put(tmp_path / "gas", "PN000001.SMRT", smrt("PN000001", '"001","20210331","0000",1.5'))
    result = command("run", "--from", "2021-04-01", "--to", "2021-04-02", config=config)
    assert result.exit_code == 0
    assert "1 readings inserted or updated" in result.output
    result = command("run", "gold", "--from", "2021-03-31", "--to", "2021-04-01", config=config)
    assert (result.exit_code, "The days were rebuilt" in result.output) == (0, True)
