"""The response to a delivery: which are due, what it says, where it is written. Pure."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC
from typing import TYPE_CHECKING, Any

from pipeline.deliveries.delivery import DUPLICATE, LOADED, WITHDRAWN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

Row = dict[str, Any]  # of ops.ingestion_log or of silver.rejected_readings

ENDING = ".ack.json"
MOST_ROWS = 1000
# Meter ids are short; a hostile cell of a megabyte must not be repeated a thousand times.
LONGEST_METER_ID = 100
# Bytes that Linux allows for a name, and for a path including the unfinished file beside it.
LONGEST_NAME, LONGEST_PATH = 255, 4000


def unanswered(
    logged: list[Row], first_batches: Mapping[str, int], done_to: int, answered: Collection[tuple[int, int]]
) -> list[Row]:
    """Deliveries that are due a response: decided since their feed asks, later than `done_to`, not answered yet.

    `batch_id` is that of the last decision or rebuild: a response that says the same as the last one (`is_said`) is not
    written again. `answered` are (file_id, batch_id). Senders get no response for an erasure.
    """
    return [
        row
        for row in logged
        if row["batch_id"] > done_to
        and row["feed"] in first_batches
        and row["batch_id"] >= first_batches[row["feed"]]
        and (row["file_id"], row["batch_id"]) not in answered
        and not row["rows_erased"]
    ]


def fingerprint(response: Row) -> str:
    """SHA-256 of what a response says, without the run that wrote it."""
    said = {name: value for name, value in response.items() if name != "run_id"}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def is_said(last: Row | None, response: Row, written: Row | None) -> bool:
    """Whether the last response to the delivery, a row of ops.acknowledgements, said the same.

    Rows of earlier versions have no digest: then the file that was `written` is compared if it is still there, else
    the status.
    """
    if last is None:
        return False
    if last["content_sha256"]:
        return bool(last["content_sha256"] == fingerprint(response))
    if written is not None:
        return fingerprint(written) == fingerprint(response)
    return bool(last["status"] == response["status"])


def is_in_silver(delivery: Row, rejected_to: int, readings_to: int) -> bool:
    """Whether silver has the delivery's rows; true for a refused delivery or one without rows.

    There are two marks, because each stays behind when a batch has nothing for its table.
    """
    rejected = not delivery["rows_rejected"] or delivery["batch_id"] <= rejected_to
    readings = not delivery["local_dates"] or delivery["batch_id"] <= readings_to
    return rejected and readings


def document(delivery: Row, rejected: list[Row], in_all: int, *, rows_are_lines: bool) -> Row:
    """The response to a delivery of the log; `rejected` are the first of its `in_all` rejected rows.

    `verdict` is accepted (loaded; some rows may still have been rejected), duplicate (already known, nothing to do),
    withdrawn (was accepted, no longer counts) or refused (status rejected or conflict: no row of it was loaded;
    reason_code and reason say why). Counts are source rows. `rejected_rows` lists the first 1000 in the order of the
    file, each with its `line` (in a file of lines) or `row` (from 1), and `rejected_rows_left_out` says how many more
    there are; a row of several values may be listed once for each rule it breaks. `meter_id` is null if the row names
    none, and cut if it is too long to be one.
    The same delivery always gives the same bytes.
    """
    position = "line" if rows_are_lines else "row"
    verdict = {LOADED: "accepted", DUPLICATE: "duplicate", WITHDRAWN: "withdrawn"}.get(delivery["status"], "refused")
    if delivery["reason_code"]:  # also if it was settled since
        verdict = "refused"
    received = delivery["received_at"].astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        **{name: delivery[name] for name in ("feed", "file_name", "relative_path", "sha256", "size_bytes")},
        "verdict": verdict,
        **{name: delivery[name] for name in ("status", "reason_code", "reason")},
        **{name: delivery[name] for name in ("rows_read", "rows_accepted", "rows_rejected")},
        "rejected_rows": [
            {
                position: row["row_number"],
                "reason_code": row["reason_code"],
                "reason": row["reason"],
                "meter_id": _cut(row["meter_id"]),
            }
            for row in rejected
        ],
        "rejected_rows_left_out": in_all - len(rejected),
        "received_at": received,
        "file_id": delivery["file_id"],
        "run_id": delivery["run_id"],
    }


def _cut(meter_id: str | None) -> str | None:
    long = meter_id is not None and len(meter_id) > LONGEST_METER_ID
    return f"{meter_id[:LONGEST_METER_ID]}…" if meter_id and long else meter_id


def response_path(folder: Path, relative_path: str, file_id: int) -> Path:
    """`<relative path>.<file_id>.ack.json` below the folder.

    A name that is too long with its ending loses its last characters; if the whole path is too long, the response is
    written into the folder itself. The number makes it unique. No part of a delivery's path begins with a dot
    (landing.find), so no path leads out of the folder.
    """
    *parents, name = relative_path.replace("\0", "\\x00").split("/")
    ending = f".{file_id}{ENDING}"
    file = _shortened(name, LONGEST_NAME - len(ending)) + ending
    path = folder.joinpath(*map(_parent, parents), file)
    return path if len(os.fsencode(path)) <= LONGEST_PATH else folder / file


def _parent(name: str) -> str:
    """A folder's name, which must not be the name of a response."""
    short = _shortened(name, LONGEST_NAME)
    return f"{short[:-1]}_" if short.endswith(ENDING) else short


def _shortened(name: str, most: int) -> str:
    return name.encode()[:most].decode(errors="ignore")
