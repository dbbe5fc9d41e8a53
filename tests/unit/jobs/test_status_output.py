"""`status` and `files` for people, on a lake that the driver wrote; no Spark."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from jobs import status
from jobs.shared import listing, output
from pipeline.lake import access, tables
from tests.written_lake import ELECTRICITY, GAS, add_runs, again, at, delivery, ran, written

DAY = (at("2026-11-29 00:00").date(),)


@pytest.fixture
def terminal(monkeypatch):
    """What is printed, in a terminal of 80 columns."""
    out = Console(file=io.StringIO(), width=80)
    for module in (status, listing, output):
        monkeypatch.setattr(module, "console", lambda **_: out)
    return out.file


@pytest.fixture
def lake(tmp_path):
    written(
        tmp_path,
        GAS,
        ELECTRICITY,
        deliveries=[
            replace(delivery(1, "PN000001.SMRT"), rows_read=1000, rows_accepted=998, rows_rejected=2, local_dates=DAY),
            delivery(2, "resent/PN000001.SMRT", "conflict", "CHANGED_AFTER_LOADING"),
            delivery(
                3, "2026/11/29/a-delivery-with-a-long-name.json", "rejected", "COLUMNS_MISSING", feed="electricity"
            ),
            delivery(4, "2026/11/28.json", "rejected", "EMPTY_FILE", feed="electricity"),
            delivery(5, "2026/11/28.json", feed="electricity"),
        ],
        days={"gas": ["2026-11-29"]},
        runs=[ran("demo", "2026-11-29 07:00:30"), ran("run", "2026-11-30 07:00:30")],
    )
    return tmp_path


def context(lake):
    return again(lake, GAS, ELECTRICITY)


def test_it_begins_with_what_needs_attention_and_the_command_that_shows_exactly_it(lake, terminal):
    status.run(context(lake), as_json=False)
    lines = terminal.getvalue().splitlines()
    assert lines[:7] == [
        "Needs attention",
        "  electricity  No readings; last delivery 2026-11-29 06:30Z",
        "               main.py files --feed electricity",
        "  electricity  2026/11/29/a-delivery-with-a-long-name.json was refused",
        "               (COLUMNS_MISSING) and is not replaced",
        "               main.py files --open --feed electricity",
        "  gas          resent/PN000001.SMRT was refused (CHANGED_AFTER_LOADING) and is",
    ]
    assert all(len(line.rstrip()) <= 80 for line in lines)
    assert len(lines) < 24
    assert not any("silver.readings" in line for line in lines)


def test_each_feed_is_a_row_with_its_deliveries_and_yesterday(lake, terminal):
    status.run(context(lake), as_json=False)
    rows = {line.split()[0]: line.split()[1:] for line in terminal.getvalue().splitlines() if line.strip()}
    assert rows["feed"] == ["deliveries", "refused", "rows", "rejected", "last", "day", "yesterday"]
    assert rows["gas"] == ["2", "1", "1,000", "2", "2026-11-29", "100.00", "%"]
    assert rows["electricity"] == ["3", "2", "0", "0", "none", "nothing"]


def test_a_withdrawn_delivery_is_counted(tmp_path, terminal):
    taken = replace(delivery(1, "PN000001.SMRT", "withdrawn"), rows_read=5)
    written(tmp_path, deliveries=[taken])
    status.run(again(tmp_path), as_json=False)
    assert next(line for line in terminal.getvalue().splitlines() if line.split()[:2] == ["gas", "1"])


def test_the_inventory_of_tables_is_had_for_asking(lake, terminal):
    status.run(context(lake), as_json=False, with_tables=True)
    lines = terminal.getvalue().splitlines()
    assert "Needs attention" not in lines
    assert any(line.startswith("gold.consumption_per_product_per_day  ") for line in lines)
    assert all(len(line.rstrip()) <= 80 for line in lines)


def test_the_last_run_is_the_last_main_run_and_a_later_command_is_told_beside_it(lake, terminal):
    add_runs(context(lake), ran("run silver", "2026-11-30 08:00:30"), ran("maintain", "2026-11-30 09:00:30", "failed"))
    facts = status.found(context(lake))
    assert (facts["last_run"]["command"], facts["later_command"]["command"]) == ("run", "maintain")
    status.run(context(lake), as_json=False)
    text = terminal.getvalue()
    assert "Last run  run, succeeded at 2026-11-30 07:00:30Z" in text
    assert "After it  maintain, failed at 2026-11-30 09:00:30Z" in text
    add_runs(context(lake), ran("run --from 2026-11-01 --to 2026-11-02", "2026-11-30 09:30:30"))
    facts = status.found(context(lake))
    assert facts["last_run"]["command"] == "run --from 2026-11-01 --to 2026-11-02"
    assert facts["later_command"] is None


def test_its_json_has_every_key_that_it_had(lake, capsys):
    status.run(context(lake), as_json=True)
    facts = json.loads(capsys.readouterr().out)
    assert {
        "lake", "last_run", "gold", "late", "refused", "missing_generations", "lost_files", "overlapping_agreements",
        "deliveries", "completeness", "disk_bytes", "tables",
    } <= set(facts)  # fmt: skip
    assert list(facts["tables"][0]) == ["table", "rows", "version", "files", "bytes", "small_files"]
    assert facts["late"] == [{"feed": "electricity", "last_day": None, "last_delivery_at": "2026-11-29 06:30:00Z"}]
    assert [(each["kind"], each["feed"], each["since"]) for each in facts["attention"]] == [
        ("late", "electricity", None),
        ("refused", "electricity", "2026-11-29 06:30:00Z"),
        ("refused", "gas", "2026-11-29 06:30:00Z"),
    ]


def test_files_that_are_open_are_those_that_nothing_replaced(lake, terminal):
    output.files(context(lake), None, None, 100, as_json=False, only_open=True)
    text = terminal.getvalue()
    assert "(2 of 2 deliveries)" in text
    assert "    CHANGED_AFTER_LOADING: the reason of resent/PN000001.SMRT" in text.splitlines()
    assert "EMPTY_FILE" not in text  # a sound one came under the same path
    assert all(len(line.rstrip()) <= 80 for line in text.splitlines())


def test_its_commands_can_be_copied_as_the_program_was_started_and_with_its_configuration(lake, terminal, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/opt/bin/meterlake", "status", "--config", "my lake.toml"])
    status.run(context(lake), as_json=False)
    lines = terminal.getvalue().splitlines()
    assert "               meterlake files --feed electricity --config 'my lake.toml'" in lines
    assert lines[-2:] == [
        "Each delivery: meterlake files --config 'my lake.toml'",
        "Each table:    meterlake status --tables --config 'my lake.toml'",
    ]


def test_a_long_command_goes_on_below_its_words(lake, terminal):
    add_runs(context(lake), ran("withdraw electricity/2021/03/2021-03-28-correction.json", "2026-11-30 08:00:30"))
    status.run(context(lake), as_json=False)
    lines = terminal.getvalue().splitlines()
    at_line = next(n for n, line in enumerate(lines) if line.startswith("After it  withdraw electricity/"))
    assert lines[at_line + 1].startswith(" " * 10)
    assert lines[at_line + 1].endswith("2026-11-30 08:00:30Z")


def test_where_no_delivery_matches_that_is_said(lake, terminal):
    output.files(context(lake), "withdrawn", None, 100, as_json=False)
    assert terminal.getvalue() == "(no deliveries)\n"


def test_files_for_programs_have_every_column(lake, capsys):
    output.files(context(lake), None, "gas", 100, as_json=True, only_open=True)
    (row,) = json.loads(capsys.readouterr().out)
    assert list(row) == tables.INGESTION_LOG.names
    assert row["file_id"] == 2
    assert len(access.small_rows(context(lake), tables.INGESTION_LOG, ["file_id"])) == 5
