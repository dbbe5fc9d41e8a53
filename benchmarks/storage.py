"""Bytes a row of every table of a lake, in the files of its newest versions; the figures of docs/platform.md.

    python benchmarks/storage.py LAKE            # after measure.py: benchmarks/data/S/lake
    python benchmarks/storage.py LAKE --ordered  # and silver's largest day, rewritten in the order of its meters

Reads without Spark, changes nothing. `files`, `rows` and `bytes` come from Delta's log; the last column divides by the
readings in silver, so that the bytes of all tables for one reading can be added up.
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

READINGS = "silver/readings"


def files_of(table: Path) -> list[dict[str, Any]]:
    """The data files of the newest version: path, size_bytes, num_records, partition values."""
    found: list[dict[str, Any]] = pa.table(DeltaTable(str(table)).get_add_actions(flatten=True)).to_pylist()
    return found


def sizes(lake: Path) -> dict[str, tuple[int, int, int]]:
    """layer/table -> (files, rows, bytes) of tables that hold rows."""
    facts = {}
    for log in sorted(lake.glob("*/*/_delta_log")):
        files = files_of(log.parent)
        if rows := sum(file["num_records"] for file in files):
            name = log.parent.relative_to(lake).as_posix()
            facts[name] = (len(files), rows, sum(file["size_bytes"] for file in files))
    return facts


def in_order(lake: Path) -> tuple[str, int, int, int]:
    """Silver's largest day: its name, readings, bytes as it is, and bytes when ordered by meter and instant."""
    by_day: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for file in files_of(lake / READINGS):
        by_day[f"{file['partition.feed']} {file['partition.local_date']}"].append(file)
    day, files = max(by_day.items(), key=lambda item: sum(file["num_records"] for file in item[1]))
    tables = [pq.ParquetFile(lake / READINGS / file["path"]).read() for file in files]
    with tempfile.TemporaryDirectory() as folder:
        written = []
        whole = pa.concat_tables(tables)
        for n, rows in enumerate((whole, whole.sort_by([("meter_id", "ascending"), ("interval_start", "ascending")]))):
            path = Path(folder) / f"{n}.parquet"
            pq.write_table(rows, path, compression="zstd", coerce_timestamps="us", version="2.6")
            written.append(path.stat().st_size)
    return day, whole.num_rows, *written


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description="Bytes a row of every table of a lake.")
    parser.add_argument("lake", type=Path)
    parser.add_argument("--ordered", action="store_true", help="rewrite silver's largest day, ordered by meter")
    args = parser.parse_args()
    facts = sizes(args.lake)
    if READINGS not in facts:
        sys.exit(f"error: no readings in {args.lake}")
    readings = facts[READINGS][1]
    print(f"{'table':<36}{'files':>7}{'rows':>14}{'bytes':>16}{'bytes/row':>12}{'bytes/reading':>15}")
    for name, (files, rows, size) in facts.items():
        print(f"{name:<36}{files:>7,}{rows:>14,}{size:>16,}{size / rows:>12.2f}{size / readings:>15.3f}")
    if args.ordered:
        day, rows, before, after = in_order(args.lake)
        print(f"{day}: {rows:,} readings; written by pyarrow as they are {before / rows:.2f} bytes each, ", end="")
        print(f"in the order of meters {after / rows:.2f}")


if __name__ == "__main__":
    main()
