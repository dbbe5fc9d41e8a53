"""The same deliveries by Spark and by Sail, each command a process of its own, and what the lakes hold afterwards."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deltalake import DeltaTable

from tests.faults.a_lake import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

ENGINES = ("spark", "sail")
SECONDS = 900
# When something was written, and by which run; where the lake lies.
NOT_COMPARED = {
    *("run_id", "received_at", "rejected_at", "restated_at", "written_at", "checked_at", "started_at", "finished_at"),
    *("file_path", "response_path", "bronze_milliseconds", "silver_milliseconds", "gold_milliseconds"),
}


@dataclass(frozen=True)
class Twin:
    """One of two folders with the same configuration (meterlake.toml, or the variables given) and an engine."""

    folder: Path
    engine: str
    variables: dict[str, str]

    def do(self, *arguments: str, code: int = 0) -> str:
        """What a command prints; fails on another exit code. Sail's has no Java and no JARs."""
        kept = environment() | {"METERLAKE_ENGINE": self.engine} | self.variables
        if self.engine == "sail":
            kept |= {"PATH": os.path.dirname(sys.executable), "METERLAKE_JARS": str(self.folder / "no jars")}  # noqa: PTH120
            kept.pop("JAVA_HOME", None)
        verb, *others = arguments
        done = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), verb, "--config", "meterlake.toml", *others],
            cwd=self.folder,
            env=kept,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == code, done.stdout[-1000:] + done.stderr[-3000:]
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def tables(self) -> dict[str, list[str]]:
        """`layer/table` -> its rows as JSON, all values in full, in order; read without an engine."""
        lake = self.folder / "lake"
        logs = sorted(lake.rglob("_delta_log"))
        return {str(log.parent.relative_to(lake)): _rows(log.parent) for log in logs}

    def digests(self) -> dict[str, tuple[int, str]]:
        """`layer/table` -> how many rows it has, and their SHA-256."""
        return {
            name: (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
            for name, rows in self.tables().items()
        }


def _rows(where: Path) -> list[str]:
    table = DeltaTable(where).to_pyarrow_table()
    kept = table.select([name for name in table.column_names if name not in NOT_COMPARED])
    found = sorted(json.dumps(row, default=_text, sort_keys=True) for row in kept.to_pylist())
    return [re.sub(r"by run \w+", "by a run", row) for row in found]


def _text(value: Any) -> str:
    return f"{type(value).__name__} {value}"


def differences(one: Twin, other: Twin) -> dict[str, list[tuple[str, str]]]:
    """`layer/table` -> the first rows that only one of the lakes has; {} if every table has the same rows."""
    left, right = one.tables(), other.tables()
    assert left.keys() == right.keys()
    found = {}
    for name, rows in left.items():
        if rows != right[name]:
            only = [
                (side, row)
                for side, mine, others in (("one", rows, right[name]), ("other", right[name], rows))
                for row in _beyond(mine, others)
            ]
            found[name] = only[:6] or [("both", f"{len(rows)} and {len(right[name])} rows")]
    return found


def _beyond(rows: list[str], others: list[str]) -> list[str]:
    known = set(others)
    return [row[:2000] for row in rows if row not in known][:3]
