"""What the two one-machine peers share: which files are new, and writing whole days with delta-rs.

A peer lists the files that it has read in one JSON file beside its lake; no bronze, no log, no rejected rows.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

GOLD = {
    "total_consumption_half_hour": "local_date",
    "meter_day": "local_date",
    "avg_half_hour_by_product": "local_date",
    "consumption_per_product_per_day": "date",
}


def arguments() -> tuple[Path, list[Path], int]:
    """The lake, the new files in order of arrival, and the number of the first one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, help="a folder filled by generate.py")
    parser.add_argument("lake", type=Path)
    args = parser.parse_args()
    seen: list[str] = json.loads((args.lake / "seen.json").read_text()) if (args.lake / "seen.json").exists() else []
    known = set(seen)
    found = [path for path in (args.data / "landing" / "electricity").iterdir() if path.name not in known]
    return args.lake, sorted(found, key=lambda path: (path.stat().st_mtime_ns, str(path))), len(seen) + 1


def remember(lake: Path, files: list[Path]) -> None:
    """Note that these files are in the lake now."""
    note = lake / "seen.json"
    before = json.loads(note.read_text()) if note.exists() else []
    note.write_text(json.dumps(before + [path.name for path in files]))


def silver_of(lake: Path, days: list[Any]) -> pa.Table | None:
    """Silver's rows of those days; None if there is no silver yet."""
    if not DeltaTable.is_deltatable(str(lake / "silver" / "readings")):
        return None
    return DeltaTable(lake / "silver" / "readings").to_pyarrow_table(filters=[("local_date", "in", days)])


def replace_days(lake: Path, layer: str, table: str, rows: pa.Table, days: list[Any]) -> None:
    """Replace those days with the rows; the table is created if it is missing."""
    where, day = str(lake / layer / table), GOLD.get(table, "local_date")
    listed = ", ".join(f"'{each}'" for each in days)
    there = DeltaTable.is_deltatable(where)
    predicate = f"{day} IN ({listed})" if there else None
    write_deltalake(where, rows, mode="overwrite", partition_by=None if there else [day], predicate=predicate)


def as_of(data: Path) -> str:
    """The day for the active agreements."""
    line = next(line for line in (data / "meterlake.toml").read_text().splitlines() if line.startswith("active_on"))
    return line.split('"')[1]
