"""A meter that no text of the lake holds is told without Spark; one that any text holds is left to the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from jobs import erase
from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.errors import UsageError
from pipeline.lake import access, tables
from pipeline.layers.meter_text import is_surely_nowhere
from tests.written_lake import ELECTRICITY, GAS, again, delivery, written

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

SOLAR = Feed(name="solar", format="obis_json", path="in/solar")
ARRAYS = Feed(name="arrays", format="interval_parquet", path="in/arrays")
LINEAGE = {"file_id": 1, "row_number": 1, "batch_id": 1}
FEEDS = (GAS, ELECTRICITY, SOLAR, ARRAYS)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return written(tmp_path, *FEEDS, deliveries=[delivery(1, "PN000001.SMRT", rows_read=1)])


def add(context: Context, table: Table, **values: Any) -> None:
    row = dict.fromkeys(table.names) | values
    access.write_rows(context, table, [row], {"batch_id": 1})


def test_an_empty_lake_holds_no_meter_and_no_lake_either(context: Context, tmp_path: Path) -> None:
    assert is_surely_nowhere(context, "m1")
    assert is_surely_nowhere(again(tmp_path / "none", *FEEDS), "m1")


@pytest.mark.parametrize(
    ("feed", "values"),
    [
        (GAS, {"meter_number": "000m1"}),
        (GAS, {"raw": '"CONSU","m1","20210331"'}),
        (ELECTRICITY, {"meterpoint_id": " m1 "}),
        (ELECTRICITY, {"extra": [("tariff", "of m1")]}),
        (ELECTRICITY, {"extra": [("m1", "x")]}),
        (SOLAR, {"muid": "m1"}),
        (SOLAR, {"obis": [("0100011D00FF", "m1")]}),
        (ARRAYS, {"ext_dev_ref": "m1"}),
        (ARRAYS, {"energy_consumption": ["1", None, "m1"]}),
    ],
)
def test_a_name_in_any_cell_of_bronze_is_left_to_spark(context: Context, feed: Feed, values: dict[str, Any]) -> None:
    add(context, formats.bronze_table(feed), **LINEAGE, **values)
    assert not is_surely_nowhere(context, "m1")
    assert is_surely_nowhere(context, "m2")


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (tables.METER_DAY, {"feed": "gas", "meter_id": "m1"}),
        (tables.REJECTED, {"feed": "gas", "raw": "xm1x"}),
        (tables.RESTATEMENTS, {"meter_id": "m1"}),
        (tables.SNAPSHOTS[0], {"meterpoint_id": "m1", **LINEAGE}),
    ],
)
def test_a_name_in_a_derived_table_or_the_reference_too(context: Context, table: Table, values: dict[str, Any]) -> None:
    add(context, table, **values)
    assert not is_surely_nowhere(context, "m1")


def test_a_reason_of_the_log_that_quotes_it_too(tmp_path: Path) -> None:
    refused = delivery(1, "a.SMRT", "rejected", "WRONG_SHAPE", reason="row 3 names meter 'm1' twice")
    assert not is_surely_nowhere(written(tmp_path, *FEEDS, deliveries=[refused]), "m1")


def test_numbers_of_rows_and_files_are_no_names(context: Context) -> None:
    add(context, formats.bronze_table(GAS), **LINEAGE | {"row_number": 4711}, meter_number="1")
    assert is_surely_nowhere(context, "4711")


def test_erase_says_so_without_a_jvm(context: Context) -> None:
    with pytest.raises(UsageError, match="nowhere in the lake"):
        erase.run(context, "m1", as_json=True, dry_run=True)
    assert not context.has_spark
