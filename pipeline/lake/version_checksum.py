"""The checksum file of a table's first version (Delta protocol, "Version Checksum File").

Spark writes one beside each of its versions and derives the next from it. delta-rs, which creates the tables, writes
none; without it Spark reads the whole log again at each of its first commits (measured: eight Spark jobs and 12 of 95
CPU seconds of a first run).

Right as long as the table is new and has no rows: only `create` calls it, just after version 0. What it writes must be
what Spark itself would derive, which tests/spark/lake/test_access.py checks by Spark's next checksum file.
"""

from __future__ import annotations

import json
from typing import Any

from pipeline.lake import stores

FIRST = "0" * 20


def write_first(where: str) -> None:
    """Write the checksum file of version 0 of the empty table at `where`; raises OSError."""
    system, folder = stores.opened(where)
    with system.open_input_stream(stores.inside(folder, f"_delta_log/{FIRST}.json")) as log:
        content = of_empty(log.read().decode())
    with system.open_output_stream(stores.inside(folder, f"_delta_log/{FIRST}.crc")) as checksum:
        checksum.write(content.encode())


def of_empty(commit: str) -> str:
    """The checksum of the empty version that this commit (the text of its file) creates."""
    actions: dict[str, Any] = {}
    for line in commit.splitlines():
        actions |= json.loads(line)
    metadata = {name: value for name, value in actions["metaData"].items() if value is not None}
    counts = {"tableSizeBytes": 0, "numFiles": 0, "numMetadata": 1, "numProtocol": 1}
    lists: dict[str, list[Any]] = {"setTransactions": [], "domainMetadata": [], "allFiles": []}
    return json.dumps(counts | lists | {"metadata": metadata, "protocol": actions["protocol"]})
