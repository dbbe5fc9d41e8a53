"""Deliveries counted by feed, status and batch, as columns: what checks and measures ask of the whole log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.deliveries.delivery import LOADED, REFERENCE, WITHDRAWN
from pipeline.deliveries.log_rows import has_days, revision_of, together

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from pipeline.deliveries.delivery import Delivery
    from pipeline.deliveries.log_rows import LogRows

KEYS = ("feed", "status", "batch_id", "revision")
SUMS = ("deliveries", "dated", "numbered", "rows_read", "rows_accepted", "rows_rejected", "unaccounted")
GREATEST = ("file_id", "received_at")
# What `status` needs; measures ask for the rest.
FOR_STATUS = (*KEYS, "rows_read", "rows_rejected", "received_at", "local_dates")
FOR_MEASURES = (*FOR_STATUS, "file_id", "rows_accepted", "generation")
# What guards.problems looks at.
LANDMARK = (
    "file_id", *KEYS, "reason_code", "rows_read", "rows_accepted", "rows_erased", "local_dates",
)  # fmt: skip
# Rows that are counted at once: each time costs some milliseconds.
TOGETHER = 200_000


@dataclass(frozen=True)
class Tally:
    """Deliveries of a feed that one batch gave one status, and one batch revised; what was not asked for is 0."""

    feed: str
    status: str
    batch_id: int
    revision: int
    deliveries: int = 0
    # How many have readings on some local day, and how many have a number of their sender.
    dated: int = 0
    numbered: int = 0
    rows_read: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    # Rows that are counted as neither accepted nor rejected, or as both.
    unaccounted: int = 0
    # Of the newest.
    file_id: int = 0
    received_at: datetime | None = None


def of(log: LogRows, names: tuple[str, ...]) -> list[Tally]:
    """The whole log, counted, in the order of arrival; once for each version and choice of columns."""
    question = ("tally", names)
    if question not in log.answers:
        order = "file_id" if "file_id" in names else "batch_id"
        parts = [_summed(_prepared(together(names, some))) for some in _by_many(log.pieces(names))]
        rows = _summed(pa.concat_tables(parts)).sort_by(order).to_pylist() if parts else []
        log.answers[question] = [Tally(**row) for row in rows]
    found: list[Tally] = log.answers[question]
    return found


def _by_many(pieces: Iterable[pa.Table]) -> Iterator[list[pa.Table]]:
    some: list[pa.Table] = []
    for piece in pieces:
        some.append(piece)
        if sum(each.num_rows for each in some) >= TOGETHER:
            yield some
            some = []
    if some:
        yield some


def _prepared(rows: pa.Table) -> pa.Table:
    """Rows of the log with a column for each sum."""
    values = {name: rows[name] for name in rows.column_names if name in {*KEYS, *SUMS, *GREATEST}}
    values |= {"revision": revision_of(rows), "deliveries": pa.repeat(pa.scalar(1, pa.int64()), rows.num_rows)}
    values["dated"] = has_days(rows).cast(pa.int64())
    if "generation" in rows.column_names:  # for measures
        values["numbered"] = pc.is_valid(rows["generation"]).cast(pa.int64())
        counted = pc.add(rows["rows_accepted"], rows["rows_rejected"])
        values["unaccounted"] = pc.abs(pc.subtract(counted, rows["rows_read"]))
    return pa.table(values)


def _summed(rows: pa.Table) -> pa.Table:
    sums = [(name, "sum") for name in SUMS if name in rows.column_names]
    greatest = [(name, "max") for name in GREATEST if name in rows.column_names]
    found = rows.group_by(list(KEYS), use_threads=False).aggregate([*sums, *greatest])
    return found.rename_columns([name.removesuffix("_sum").removesuffix("_max") for name in found.column_names])


def waiting(counted: Iterable[Tally], done: int) -> int:
    """How many deliveries with readings came, or were revised, after the batch."""
    return sum(each.dated for each in counted if each.revision > done)


def newest_in(counted: Iterable[Tally], done: int) -> datetime | None:
    """When the newest of the deliveries that count and have readings came, of those up to the batch."""
    inside = (each.received_at for each in counted if each.status == LOADED and each.dated and each.revision <= done)
    return max((at for at in inside if at is not None), default=None)


def landmarks(log: LogRows) -> list[Delivery]:
    """Deliveries that say how far the log goes: the newest of each feed with rows, and one of the newest batch.

    What guards.problems finds with them it would find with the whole log, as long as silver and gold are not empty.
    """
    with_rows = pc.field("status").isin([LOADED, WITHDRAWN]) & (pc.field("rows_read") > 0)
    last = max(log.greatest("batch_id"), log.greatest("revision"))
    ids = [*log.newest_of_feeds(with_rows).values(), *log.newest(log.later_than(last - 1), 1)]
    return log.deliveries_with("file_id", ids, LANDMARK)


def first_reading(log: LogRows) -> list[Delivery]:
    """Of the deliveries that count and gave readings that were not erased, the one that was first complete; or none."""
    counts = (pc.field("status") == LOADED) & (pc.field("feed") != REFERENCE) & (pc.field("rows_accepted") > 0)
    first: tuple[int, int] | None = None
    for piece in log.pieces(("file_id", "batch_id", "revision", "local_dates", "rows_erased"), counts):
        is_whole = pc.equal(pc.fill_null(piece["rows_erased"], 0), 0)
        some = piece.filter(pc.and_(has_days(piece), is_whole))
        for number in zip(revision_of(some).to_pylist(), some["file_id"].to_pylist(), strict=True):
            first = number if first is None else min(first, number)
    return [] if first is None else log.deliveries(pc.field("file_id") == first[1])
