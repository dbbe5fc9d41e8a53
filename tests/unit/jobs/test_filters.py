"""`files` and `rejected`: filters that fit, and filters that are mistyped. The lake is written without Spark."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.lake import access, maintenance, tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.conftest import command

NOW = datetime(2021, 4, 1, tzinfo=UTC)
CONFIG = """
lake = "{lake}"

[[feeds]]
name = "gas"
format = "smrt"
path = "{lake}/gas"
"""


def delivery(file_id, path, feed="gas", status="loaded"):
    given = {"file_id": file_id, "relative_path": path, "file_name": path, "feed": feed, "status": status}
    return dict.fromkeys(tables.INGESTION_LOG.names) | given | {"received_at": NOW}


def rejected_row(file_id, row_number, reason_code, meter_id="001", feed="gas"):
    given = {"file_id": file_id, "row_number": row_number, "reason_code": reason_code, "meter_id": meter_id}
    return dict.fromkeys(tables.REJECTED.names) | given | {"feed": feed, "rejected_at": NOW}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A feed `gas` with three deliveries, and one of a feed `water` that left the configuration."""
    folder = tmp_path_factory.mktemp("filters")
    lake = folder / "lake"
    settings = Settings(lake=str(lake), feeds=(Feed(name="gas", format="smrt", path=str(lake / "gas")),))
    context = Context(settings, log=Log("", quiet=True))
    maintenance.create_missing(context, formats.lake_tables(settings))
    log = [
        delivery(1, "PN000001.SMRT"),
        delivery(2, "late/PN000002.SMRT"),
        delivery(3, "late/PN000003.SMRT", status="rejected"),
        delivery(4, "w.csv", "water"),
    ]
    access.write_rows(context, tables.INGESTION_LOG, log, {"batch_id": 1})
    # Two commits, so that the rows lie in two files and neither is in the order that is asked for.
    first = [
        rejected_row(1, 9, "OFF_GRID"),
        rejected_row(1, 4, "CONSUMPTION_NEGATIVE"),
        rejected_row(4, 1, "OFF_GRID", feed="water"),
    ]
    access.write_rows(context, tables.REJECTED, first, {"batch_id": 1})
    second = [rejected_row(2, 8, "OFF_GRID", "002"), rejected_row(2, 7, "FIELD_COUNT", None)]
    access.write_rows(context, tables.REJECTED, second, {"batch_id": 2})
    path = folder / "meterlake.toml"
    path.write_text(CONFIG.format(lake=lake))
    return path


NEWEST_FIRST = [(4, 1), (2, 7), (2, 8), (1, 4), (1, 9)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), NEWEST_FIRST),
        (("--limit", "3"), NEWEST_FIRST[:3]),
        (("--file", "late/"), [(2, 7), (2, 8)]),
        (("--file", "000001"), [(1, 4), (1, 9)]),
        (("--file", "#2"), [(2, 7), (2, 8)]),
        (("--file", "4"), [(4, 1)]),
        (("--meter", "001"), [(4, 1), (1, 4), (1, 9)]),
        (("--meter", "01"), []),
        (("--reason", "OFF_GRID"), [(4, 1), (2, 8), (1, 9)]),
        (("--feed", "gas", "--reason", "OFF_GRID", "--meter", "001"), [(1, 9)]),
        (("--feed", "water"), [(4, 1)]),
        (("--feed", "reference"), []),
    ],
    ids=str,
)
def test_rejected_rows_are_those_of_every_filter(config, arguments, expected):
    found = command("rejected", "--json", *arguments, config=config)
    assert found.exit_code == 0, found.output
    assert [(row["file_id"], row["row_number"]) for row in json.loads(found.stdout)] == expected


def test_the_number_of_all_that_fit_is_told_beside_those_that_are_shown(config):
    assert "(1 of 3 rejected rows)" in command("rejected", "--reason", "OFF_GRID", "--limit", "1", config=config).stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("files", "--status", "rejectd"), "no status 'rejectd' (did you mean 'rejected'?): use loaded, rejected, "),
        (("files", "--feed", "gass"), "no feed 'gass' (did you mean 'gas'?): use gas, water, reference"),
        (("files", "--feed", "Gas"), "no feed 'Gas' (did you mean 'gas'?)"),
        (("rejected", "--feed", "electricity"), "no feed 'electricity': use gas, water, reference"),
        (("rejected", "--reason", "off_grid"), "no reason code 'off_grid' (did you mean 'OFF_GRID'?): use FIELD_COUNT"),
        (("rejected", "--file", "PN9"), "no delivery with 'PN9' in its path, or as its file_id"),
        (("rejected", "--file", "#9"), "no delivery with '#9' in its path, or as its file_id"),
        (("rejected", "--feed", "\x1b[31m"), "no feed '\\x1b[31m'"),
        (("run", "sliver"), "unknown layer 'sliver' (did you mean 'silver'?): use bronze, silver, gold"),
        (("report", "--feed", "gaz", "--out", "r.html"), "no feed 'gaz' (did you mean 'gas'?): use gas"),
        (("report", "--feed", "gas", "--out", "r.html", "--format", "htm"), "'htm' (did you mean 'html'?): use html"),
        (("report", "--feed", "gas", "--out", "r.html", "--engine", "sparc"), "'sparc' (did you mean 'spark'?)"),
        (("try", "r.csv", "--feed", "gaz"), "no feed 'gaz' in the configuration (did you mean 'gas'?): use gas, or"),
    ],
    ids=str,
)
def test_a_filter_that_is_mistyped_is_wrong_usage_and_names_the_nearest(config, arguments, says):
    found = command(*arguments, config=config)
    assert (found.exit_code, found.stdout) == (2, "")
    assert says in found.stderr
    assert len(found.stderr.splitlines()) == 1


def test_files_of_a_feed_that_left_the_configuration_are_listed(config):
    found = json.loads(command("files", "--feed", "water", "--json", config=config).stdout)
    assert [row["relative_path"] for row in found] == ["w.csv"]
