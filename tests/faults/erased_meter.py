"""Two people's meters, of which one is erased, and where traces of it may be."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from pipeline.lake import tables
from tests.jobs.conftest import put, rows, split_json

PERSON, OTHER = "9990001112", "1110002223"


def two_meters(electricity):
    put(electricity, "1.json", split_json(["2021-01-04 00:00:00", PERSON, 1], ["2021-01-04 00:00:00", OTHER, 2]))
    put(electricity, "2.json", split_json(["2021-01-05 00:00:00", PERSON, "x"], ["2021-01-05 00:00:00", OTHER, 4]), 5)


def files_that_hold(folder, text):
    """Files below the folder that contain the text, however they are compressed."""
    found = []
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        content = path.read_bytes()
        shown = str(pq.read_table(path).to_pylist()) if content[:4] == b"PAR1" else content.decode("utf-8", "replace")
        if text in shown:
            found.append(str(path.relative_to(folder)))
    return found


def of_the_log(context):
    return rows(context, tables.INGESTION_LOG, "file_id", "rows_read", "rows_accepted", "rows_rejected", "rows_erased")
