"""Files that are replaced or go while a run reads them wait for the next run; the others load."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from jobs import run
from pipeline import formats
from pipeline.deliveries import landing
from pipeline.formats import driver_rows
from pipeline.lake import tables
from tests.conftest import BY_SAIL
from tests.jobs.conftest import ELECTRICITY, GAS, log, put, rows, smrt, split_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

# What reads the files of a batch: Spark, or for Sail the driver.
READ_BY = (driver_rows, "reader") if BY_SAIL else (landing, "contents_with_file_id")
HOUR = '"001","20210401","0000"'


def test_a_file_that_changes_while_it_is_read_is_left_for_the_next_run(
    lake: Callable[..., Context], gas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},1"))
    put(gas, "later/PN000001.SMRT", smrt("PN000001", f"{HOUR},1"))  # decided because of the first: not without it
    put(gas, "PN000002.SMRT", smrt("PN000002", f"{HOUR},2", created='"20210401","070000"'))
    read = getattr(*READ_BY)

    def read_what_changes(*arguments: Any) -> Any:
        put(gas, first.name, smrt("PN000001", f"{HOUR},111"), minutes=5)
        return read(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(*READ_BY, read_what_changes)
        context = lake(GAS)
        run.run(context)
    assert log(context) == [("PN000002.SMRT", "loaded", None)]
    assert rows(context, formats.bronze_table(context.settings.feed("gas")), "consumption") == [("2",)]
    run.run(lake(GAS))
    assert log(context)[1:] == [
        ("PN000001.SMRT", "loaded", None),
        ("later/PN000001.SMRT", "conflict", "CHANGED_AFTER_LOADING"),
    ]
    # The header of PN000001 is older than that of PN000002, but it was received later.
    assert rows(context, tables.READINGS, "consumption") == [(Decimal("111.000000"),)]


@pytest.mark.parametrize("moment", ["before Spark plans", "before Spark reads"])
def test_a_file_that_goes_before_spark_reads_it_does_not_stop_the_others(
    lake: Callable[..., Context], gas: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    first = put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},1"))
    put(gas, "later/PN000001.SMRT", smrt("PN000001", f"{HOUR},1"))
    put(gas, "PN000002.SMRT", smrt("PN000002", f"{HOUR},2", created='"20210401","070000"'))
    read = getattr(*READ_BY)

    def read_what_went(*arguments: Any) -> Any:
        if moment == "before Spark plans":
            first.unlink(missing_ok=True)
        contents = read(*arguments)
        first.unlink(missing_ok=True)
        return contents

    with monkeypatch.context() as patch:
        patch.setattr(*READ_BY, read_what_went)
        context = lake(GAS)
        run.run(context)
    assert log(context) == [("PN000002.SMRT", "loaded", None)]
    assert rows(context, tables.READINGS, "consumption") == [(Decimal("2.000000"),)]
    run.run(lake(GAS))
    assert log(context)[1:] == [("later/PN000001.SMRT", "loaded", None)]
    assert rows(context, formats.bronze_table(GAS), "consumption") == [("1",), ("2",)]
    assert rows(context, tables.READINGS, "consumption") == [(Decimal("1.000000"),)]


def test_a_file_replaced_by_one_of_the_same_size_while_it_is_read_is_left_for_the_next_run(
    lake: Callable[..., Context], electricity: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(electricity, "a.json", split_json(["2021-01-04 00:00:00", "m1", "1"]))
    put(electricity, "b.json", split_json(["2021-01-04 00:30:00", "m1", "2"]))
    read = getattr(*READ_BY)

    def read_what_is_replaced(*arguments: Any) -> Any:
        contents = read(*arguments)
        put(electricity, ".a", split_json(["2021-01-04 00:00:00", "m1", "7"]), minutes=1).replace(
            electricity / "a.json"
        )
        return contents

    with monkeypatch.context() as patch:
        patch.setattr(*READ_BY, read_what_is_replaced)
        context = lake(ELECTRICITY)
        run.run(context)
    assert log(context) == [("b.json", "loaded", None)]
    run.run(lake(ELECTRICITY))
    assert log(context) == [("b.json", "loaded", None), ("a.json", "loaded", None)]
    assert rows(context, tables.READINGS, "consumption") == [(Decimal("2.000000"),), (Decimal("7.000000"),)]
