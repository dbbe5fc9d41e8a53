"""Acknowledgements: a response file for each delivery of a feed that asks for them, written once."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import acknowledgement, failpoints, formats, lake, rejected_rows, tables
from pipeline.errors import AcknowledgementError
from pipeline.ingestion_log import ASKED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.acknowledgement import Row
    from pipeline.config import Feed
    from pipeline.context import Context

# Deliveries whose rejected rows are held at once.
TOGETHER = 100


def run(context: Context) -> list[AcknowledgementError]:
    """Answer what was decided and is in silver; what could not be written is told and handed back.

    Files first, then their rows in one commit: a run killed in between finds its files lying there, byte for byte, and
    leaves them. The mark is the batch that all are answered to. Deliveries of later batches may be answered as well
    (a refused one does not wait for silver, one feed's folder not for another's); the rows tell which.
    """
    asking = [feed for feed in context.settings.feeds if feed.acknowledge]
    if not asking:
        return []
    log_mark = lake.mark(context, tables.INGESTION_LOG)
    decided_to, done_to = int(log_mark.get("batch_id", 0)), lake.done_to(context, tables.ACKNOWLEDGEMENTS)
    if decided_to <= done_to:
        return []
    # Since when a feed asks stands in the log's mark, one commit with the batch: a crash loses no response. A feed
    # that stops asking gives up what it was owed.
    asked = log_mark.get(ASKED, {})
    first_batches = {feed.name: asked[feed.name] for feed in asking if feed.name in asked}
    answers = lake.small_rows(context, tables.ACKNOWLEDGEMENTS, ["file_id", "batch_id"])
    answered = {(row["file_id"], row["batch_id"]) for row in answers}
    logged = lake.small_rows(context, tables.INGESTION_LOG, tables.INGESTION_LOG.names)
    decided = [row | {"batch_id": row["revision"] or row["batch_id"]} for row in logged]
    owed = acknowledgement.unanswered(decided, first_batches, done_to, answered)
    ready = _in_silver(context, owed)
    written: list[Row] = []
    problems = []
    for feed in asking:
        of_feed = sorted((row for row in ready if row["feed"] == feed.name), key=lambda row: row["file_id"])
        rows, problem = _answer(context, feed, of_feed)
        written += rows
        problems += [problem] if problem else []
    if written:
        told = {row["file_id"] for row in written}
        left = [row["batch_id"] for row in owed if row["file_id"] not in told]
        mark = {"batch_id": min(left) - 1 if left else decided_to}
        lake.write_rows(context, tables.ACKNOWLEDGEMENTS, written, mark)
        context.log.info("acknowledged", responses=len(written))
    return problems


def _in_silver(context: Context, owed: list[Row]) -> list[Row]:
    if not owed:
        return []
    done = [lake.done_to(context, table) for table in (tables.REJECTED, tables.READINGS)]
    return [row for row in owed if acknowledgement.is_in_silver(row, *done)]


def _answer(context: Context, feed: Feed, deliveries: list[Row]) -> tuple[list[Row], AcknowledgementError | None]:
    """Write the responses of a feed: rows of what is written, and what went wrong; one that fails stops no other."""
    written: list[Row] = []
    failed: list[tuple[Path, OSError]] = []
    folder = Path(str(feed.acknowledge))
    for row, content in _responses(context, feed, deliveries):
        path = acknowledgement.response_path(folder, row["relative_path"], row["file_id"])
        try:
            _write_once(path, content, row["file_id"])
        except OSError as problem:
            failed.append((path, problem))
            continue
        kept = {name: row[name] for name in ("file_id", "feed", "status", "batch_id")}
        written.append(kept | {"response_path": str(path), "written_at": context.now, "run_id": context.run_id})
    if not failed:
        return written, None
    path, first = failed[0]
    occupied = isinstance(first, (FileExistsError, NotADirectoryError))
    said = "a file is in the place of its folder" if occupied else first.strerror or str(first)
    error = AcknowledgementError(feed.name, str(path), said, len(failed))
    context.log.warning("not acknowledged", feed=feed.name, responses=len(failed), error=str(error))
    return written, error


def _responses(context: Context, feed: Feed, deliveries: list[Row]) -> Iterator[tuple[Row, bytes]]:
    lines = formats.format_of(feed).rows_are_lines
    for start in range(0, len(deliveries), TOGETHER):
        some = deliveries[start : start + TOGETHER]
        with_rejected = [row["file_id"] for row in some if row["rows_rejected"]]
        rejected = rejected_rows.of_deliveries(context, with_rejected, acknowledgement.MOST_ROWS)
        for row in some:
            first, in_all = rejected.get(row["file_id"], (None, 0))
            said = acknowledgement.document(row, first.to_pylist() if first else [], in_all, rows_are_lines=lines)
            yield row, json.dumps(said, ensure_ascii=False, indent=2).encode() + b"\n"


def _write_once(path: Path, content: bytes, file_id: int) -> None:
    """The file whole under its name, or nothing; left alone where it lies there already with these bytes."""
    for parent in reversed(path.parents):  # mkdir(parents=True) calls itself: a thousand folders deep it would end
        parent.mkdir(exist_ok=True)
    # Short, for the response's name may be as long as names can be; hidden, so that nobody takes it for one.
    part = path.with_name(f".{file_id}{acknowledgement.ENDING}.part")
    if _holds(path, content):
        return
    part.unlink(missing_ok=True)
    try:
        # A new file only: senders may write here, and a link of theirs must not be followed.
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with failpoints.around("move response"):
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    number = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _holds(path: Path, content: bytes) -> bool:
    """Whether the file is there with these bytes; of another lake or another version it is not."""
    regular = path.is_file() and not path.is_symlink()
    return regular and path.stat().st_size == len(content) and path.read_bytes() == content
