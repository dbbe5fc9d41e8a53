"""Rows are counted twice, from the bytes and from bronze: an engine that reads a file twice is noticed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jobs import run
from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.errors import MiscountedRowsError
from pipeline.lake import tables
from tests.green_button_feeds import readings, usual
from tests.jobs.conftest import ELECTRICITY, GAS, log, put, rows, smrt, split_json
from tests.spark.interval_arrays import NORMAL, VILNIUS, parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pyspark.sql import DataFrame

    from pipeline.runtime.context import Context

POWER, HOMES = (Feed(name=form, format=form, path=form) for form in ("nem12", "green_button"))
DAY = f"300,20210401,{','.join(['1'] * 48)},A,,,,\n"
ARRAYS = VILNIUS.model_copy(update={"path": "arrays"})
SOLAR = Feed(name="solar", format="obis_json", path="solar")
RECORD = {"timestamp": "2021-04-01T00:00:00Z", "tags": {"muid": "m"}, "0100011D00FF": 1}
# Of each format a feed, and a file of two rows.
FILES = [
    (GAS, "PN000001.SMRT", smrt("PN000001", '"1","20210401","0000",7', '"1","20210401","0100",x')),
    (ELECTRICITY, "a.json", split_json(["2021-04-01 00:00:00", "[m]", 1], ["2021-04-01 00:30:00", "m", 1])),
    (SOLAR, "a.json", json.dumps({"data": [RECORD, RECORD | {"timestamp": "2021-04-01T00:15:00Z"}]}).encode()),
    (POWER, "a.csv", f"100,NEM12\n200,1,E1,,E1,,,kWh,30\n{DAY}{DAY.replace('0401', '0402')}900\n".encode()),
    (HOMES, "a.xml", usual(readings([1, 2]))),
    (ARRAYS, "a.parquet", parquet((NORMAL, "m", [1]), (NORMAL, "n", [1]))),
]


@pytest.mark.parametrize("file", FILES, ids=[feed.format for feed, *_ in FILES])
def test_a_file_that_is_read_twice_fails_the_batch_and_the_next_run_repairs_it(
    lake: Callable[..., Context], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: tuple[Feed, str, bytes]
) -> None:
    feed, name, content = file
    context = lake(feed)
    put(tmp_path / feed.path, name, content)
    form = formats.FORMATS[feed.format]

    def twice(*given: object) -> DataFrame:
        once = form.rows(*given)  # type: ignore[arg-type]
        return once.unionByName(once)

    with monkeypatch.context() as patch:
        patch.setitem(formats.FORMATS, feed.format, replace(form, rows=twice))
        with pytest.raises(MiscountedRowsError, match=f"{name} holds 2 rows, but Spark read 4 into bronze") as raised:
            run.run(context)
    assert (raised.value.exit_code, str(raised.value).count("\n")) == (1, 0)
    assert log(context) == []
    run.run(lake(feed))
    assert log(context) == [(name, "loaded", None)]
    assert rows(context, tables.INGESTION_LOG, "rows_read") == [(2,)]
    assert len(rows(context, formats.bronze_table(feed), "row_number")) == 2


def test_brackets_in_texts_and_rows_that_are_null_are_counted_right(
    lake: Callable[..., Context], electricity: Path
) -> None:
    columns = ("interval_start", "meterpoint_id", "consumption_delta", "note [a]")
    put(electricity, "a.json", split_json(["2021-04-01 00:00:00", "[m", 1, "]["], columns=columns))
    put(electricity, "b.json", split_json(["2021-04-01 00:30:00", "m", 1]).replace(b"]]", b"], null]"), minutes=1)
    put(electricity, "c.json", split_json(["2021-04-01 01:00:00", "m", [1]]), minutes=2)
    put(electricity, "d.json", split_json(), minutes=3)
    context = lake(ELECTRICITY)
    run.run(context)
    assert rows(context, tables.INGESTION_LOG, "relative_path", "status", "rows_read") == [
        ("a.json", "loaded", 1),
        ("b.json", "loaded", 2),
        ("c.json", "loaded", 1),
        ("d.json", "loaded", 0),
    ]
