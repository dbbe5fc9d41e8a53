"""Conditions on files that delta-rs rewrote: their texts are views, which Arrow cannot compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable, write_deltalake

from pipeline.lake import columns, matching
from pipeline.lake.path import first_rows
from pipeline.serving.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

A = pc.field("meter") == "a meter of a long name"
SCHEMA = pa.schema([("meter", pa.string()), ("n", pa.int64())])


def table_of(folder: Path, *, rewritten: bool) -> ds.Dataset:
    """Two files of a table: one as written, the other rewritten by a DELETE of delta-rs or not."""
    for numbers in ([1, 2, 3], [11, 12, 13]):
        meters = ["a meter of a long name", "b", "c"]
        write_deltalake(str(folder), pa.table({"meter": meters, "n": numbers}, schema=SCHEMA), mode="append")
    if rewritten:
        DeltaTable(str(folder)).delete("n = 12")
    rows: ds.Dataset = DeltaTable(str(folder)).to_pyarrow_dataset()
    return rows


@pytest.fixture(params=[True, False], ids=["rewritten", "as written"])
def rows(tmp_path: Path, request: pytest.FixtureRequest) -> ds.Dataset:
    return table_of(tmp_path / "table", rewritten=request.param)


def test_delta_rs_still_writes_views_that_arrow_cannot_compare(tmp_path: Path) -> None:
    """If this fails, pipeline/lake/matching.py may have become unnecessary."""
    with pytest.raises(pa.ArrowNotImplementedError, match="no kernel"):
        table_of(tmp_path / "table", rewritten=True).to_table(filter=A)


def test_rows_are_found_in_files_of_either_form(rows: ds.Dataset) -> None:
    assert sorted(matching.table(rows, ["n"], A)["n"].to_pylist()) == [1, 11]
    assert matching.table(rows, ["n"], A).schema == pa.schema([("n", pa.int64())])
    assert matching.table(rows, ["meter", "n"], pc.field("n") == 3).to_pylist() == [{"meter": "c", "n": 3}]
    assert matching.count(rows, A) == 2
    assert matching.table(rows, ["meter"], pc.field("meter") == "nowhere").num_rows == 0


def test_a_single_file_is_filtered_with_the_types_of_its_table(rows: ds.Dataset) -> None:
    files = [matching.of_file(file, SCHEMA) for file in rows.get_fragments()]
    found = [matching.table(file, ["meter", "n"], A) for file in files]
    assert [each.schema for each in found] == [SCHEMA] * 2
    assert sorted(row["n"] for each in found for row in each.to_pylist()) == [1, 11]


def test_pieces_and_first_rows_are_found_too(rows: ds.Dataset) -> None:
    assert sorted(n for each in columns.pieces(rows, ["n"], A) for n in each["n"].to_pylist()) == [1, 11]
    many = ["a meter of a long name", *(str(number) for number in range(columns.FEW_VALUES))]
    for wanted in (many[:1], many):
        found = columns.pieces_with(rows, ["n"], "meter", wanted, pc.field("n") > 1)
        assert [n for each in found for n in each["n"].to_pylist()] == [11]
    newest, count = first_rows.of_dataset(rows, {"meter": ["b", "c"]}, [("n", "descending")], 1)
    assert (newest["n"].to_pylist(), count) == (
        [13],
        matching.count(rows, pc.field("meter") != "a meter of a long name"),
    )


def test_duckdb_finds_them_in_one_query_and_in_the_next(rows: ds.Dataset) -> None:
    query = "SELECT n FROM readings WHERE meter = 'a meter of a long name' ORDER BY n"
    twice = f"SELECT count(*) AS n FROM ({query}) JOIN readings USING (n)"
    engine = Engine()
    for sql, expected in ((query, [1, 11]), (twice, [2]), (query, [1, 11])):
        assert engine.query(sql, [], {"readings": rows})["n"].to_pylist() == expected
