"""What the ends of a table's files say of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import ColumnProperties, DeltaTable, WriterProperties, write_deltalake

from pipeline.lake import columns

if TYPE_CHECKING:
    from pathlib import Path

NO_STATISTICS = WriterProperties(default_column_properties=ColumnProperties(statistics_enabled="NONE"))


def least(folder: Path, *feeds: str) -> int | None:
    rows = DeltaTable(str(folder)).to_pyarrow_dataset()
    found: int | None = columns.least(rows, "minutes", pc.field("feed").isin(list(feeds)))
    return found


def test_the_least_value_is_told_of_those_partitions_and_not_where_a_file_does_not_tell_it(tmp_path: Path) -> None:
    lengths = {"a": [30, 60], "b": [30, 15]}
    for feed, minutes in lengths.items():
        rows = pa.table({"feed": [feed] * len(minutes), "minutes": pa.array(minutes, pa.int32())})
        write_deltalake(str(tmp_path), rows, mode="append", partition_by=["feed"])
    assert (least(tmp_path, "a"), least(tmp_path, "b"), least(tmp_path, "a", "b")) == (30, 15, 15)
    assert least(tmp_path, "nowhere") is None
    rows = pa.table({"feed": ["a"], "minutes": pa.array([5], pa.int32())})
    write_deltalake(str(tmp_path), rows, mode="append", writer_properties=NO_STATISTICS)
    assert (least(tmp_path, "a"), least(tmp_path, "b")) == (None, 15)
