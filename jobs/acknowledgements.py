"""Acknowledgements: a response file for each delivery of a feed that asks for them, written once.

A delivery that was withdrawn or replayed is answered again if its response differs from the last one. Rebuilt days, and
a replay that changes nothing, send no response.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import formats
from pipeline.deliveries import ingestion_log, rejected_rows, response
from pipeline.deliveries.ingestion_log import ASKED
from pipeline.errors import AcknowledgementError
from pipeline.lake import access, stores, tables
from pipeline.runtime import failpoints

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.response import Row
    from pipeline.runtime.context import Context

LAST = ["file_id", "batch_id", "status", "response_path", "content_sha256"]
# Bytes; no response comes near it: a thousand rows, each with a reason.
LARGEST = 64 * 1024 * 1024
# Deliveries whose rejected rows are in memory at once.
TOGETHER = 100


def run(context: Context) -> list[AcknowledgementError]:
    """Answer what was decided and is in silver; failures to write are logged and returned.

    Files come first, then their rows in one commit: a run that was killed in between finds its files in place, byte for
    byte, and leaves them. The mark is the batch up to which everything is answered. Deliveries of later batches may be
    answered too (a refused one does not wait for silver, nor one feed's folder for another's); the rows say which.
    """
    asking = [feed for feed in context.settings.feeds if feed.acknowledge]
    if not asking:
        return []
    log_mark = access.mark(context, tables.INGESTION_LOG)
    decided_to, done_to = int(log_mark.get("batch_id", 0)), access.done_to(context, tables.ACKNOWLEDGEMENTS)
    if decided_to <= done_to:
        return []
    # The log's mark says since when a feed asks, in the same commit as the batch: a crash loses no response. A feed
    # that stops asking loses the responses that were still due.
    asked = log_mark.get(ASKED, {})
    first_batches = {feed.name: asked[feed.name] for feed in asking if feed.name in asked}
    log = ingestion_log.rows(context)
    later = log.table(tables.INGESTION_LOG.names, log.later_than(done_to)).to_pylist()
    decided = [row | {"batch_id": row["revision"] or row["batch_id"]} for row in later]
    answers = _answers(context, [row["file_id"] for row in decided])
    answered = {(row["file_id"], row["batch_id"]) for row in answers}
    last = {row["file_id"]: row for row in sorted(answers, key=lambda row: row["batch_id"])}
    due = response.unanswered(decided, first_batches, done_to, answered)
    ready = _in_silver(context, due)
    written: list[Row] = []
    settled: list[int] = []
    problems = []
    for feed in asking:
        of_feed = sorted((row for row in ready if row["feed"] == feed.name), key=lambda row: row["file_id"])
        rows, unchanged, problem = _answer(context, feed, of_feed, last)
        written += rows
        settled += unchanged
        problems += [problem] if problem else []
    done = {*settled, *(row["file_id"] for row in written)}
    left = [row["batch_id"] for row in due if row["file_id"] not in done]
    answered_to = min(left) - 1 if left else decided_to
    if written or (settled and answered_to > done_to):
        access.write_rows(context, tables.ACKNOWLEDGEMENTS, written, {"batch_id": answered_to})
        context.log.info("acknowledged", responses=len(written), said_before=len(settled))
    return problems


def _answers(context: Context, file_ids: list[int]) -> list[Row]:
    """The responses so far to those deliveries."""
    if not file_ids or not access.lake_of(context).facts.exists(tables.ACKNOWLEDGEMENTS):
        return []
    pieces = access.scan(context, tables.ACKNOWLEDGEMENTS, LAST, "file_id", file_ids)
    return [row for piece in pieces for row in piece.to_pylist()]


def _in_silver(context: Context, due: list[Row]) -> list[Row]:
    if not due:
        return []
    done = [access.done_to(context, table) for table in (tables.REJECTED, tables.READINGS)]
    return [row for row in due if response.is_in_silver(row, *done)]


def _answer(
    context: Context, feed: Feed, deliveries: list[Row], last: Mapping[int, Row]
) -> tuple[list[Row], list[int], AcknowledgementError | None]:
    """Write a feed's responses: (rows of those written, deliveries whose last response says the same, the failure).

    One failure does not stop the others.
    """
    written: list[Row] = []
    settled: list[int] = []
    failed: list[tuple[Path, OSError]] = []
    folder = Path(str(feed.acknowledge))
    for row, said in _responses(context, feed, deliveries):
        before = last.get(row["file_id"])
        there = _read(Path(before["response_path"])) if before and not before["content_sha256"] else None
        if response.is_said(before, said, there):
            settled.append(row["file_id"])
            continue
        path = response.response_path(folder, row["relative_path"], row["file_id"])
        try:
            _write_once(path, said)
        except OSError as problem:
            failed.append((path, problem))
            continue
        kept = {name: row[name] for name in ("file_id", "feed", "status", "batch_id")}
        stamp = {"written_at": context.now, "run_id": context.run_id}
        content = response.fingerprint(said)
        written.append(kept | stamp | {"response_path": str(path), "content_sha256": content})
    if not failed:
        return written, settled, None
    path, first = failed[0]
    occupied = isinstance(first, (FileExistsError, NotADirectoryError))
    why = "a file is where its folder should be" if occupied else first.strerror or str(first)
    error = AcknowledgementError(feed.name, str(path), why, len(failed))
    context.log.warning("not acknowledged", feed=feed.name, responses=len(failed), error=str(error))
    return written, settled, error


def _responses(context: Context, feed: Feed, deliveries: list[Row]) -> Iterator[tuple[Row, Row]]:
    lines = formats.format_of(feed).rows_are_lines
    for start in range(0, len(deliveries), TOGETHER):
        some = deliveries[start : start + TOGETHER]
        with_rejected = [row["file_id"] for row in some if row["rows_rejected"]]
        rejected = rejected_rows.of_deliveries(context, with_rejected, response.MOST_ROWS)
        for row in some:
            first, in_all = rejected.get(row["file_id"], (None, 0))
            said = response.document(row, first.to_pylist() if first else [], in_all, rows_are_lines=lines)
            yield row, said


def _write_once(path: Path, said: Row) -> None:
    """Write the whole file or nothing; one that is already there and says the same is left alone."""
    content = json.dumps(said, ensure_ascii=False, indent=2).encode() + b"\n"
    for parent in reversed(path.parents):  # mkdir(parents=True) recurses: it fails a thousand folders deep
        parent.mkdir(exist_ok=True)
    # Short, because the response's name may have the maximum length; hidden, so that it is not taken for a response.
    part = path.with_name(f".{said['file_id']}{response.ENDING}.part")
    there = _read(path)
    if there is not None and response.fingerprint(there) == response.fingerprint(said):
        return
    part.unlink(missing_ok=True)
    try:
        # Only a new file: senders may write here, and a link of theirs must not be followed.
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with failpoints.around("move response"):
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    stores.sync_folder(path.parent)


def _read(path: Path) -> Row | None:
    """The response at this path; None if there is none, or something else."""
    try:
        regular = path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGEST
        found = json.loads(path.read_bytes()) if regular else None
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
