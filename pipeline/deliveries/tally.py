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
# What the guards need, which every command asks for; measures ask for the rest.
FOR_GUARDS = (*KEYS, "rows_read", "file_id")
FOR_MEASURES = (*FOR_GUARDS, "rows_accepted", "rows_rejected", "generation", "received_at", "local_dates")
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
    """The whole log, counted, by file_id; once for each version and choice of columns."""
    question = ("tally", names)
    if question not in log.answers:
        parts = [_summed(_prepared(together(names, some))) for some in _by_many(log.pieces(names))]
        rows = _summed(pa.concat_tables(parts)).sort_by("file_id").to_pylist() if parts else []
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
    if "generation" in rows.column_names:  # for measures
        values["dated"] = has_days(rows).cast(pa.int64())
        values["numbered"] = pc.is_valid(rows["generation"]).cast(pa.int64())
        counted = pc.add(rows["rows_accepted"], rows["rows_rejected"])
        values["unaccounted"] = pc.abs(pc.subtract(counted, rows["rows_read"]))
    return pa.table(values)


def _summed(rows: pa.Table) -> pa.Table:
    sums = [(name, "sum") for name in SUMS if name in rows.column_names]
    greatest = [(name, "max") for name in GREATEST if name in rows.column_names]
    found = rows.group_by(list(KEYS)).aggregate([*sums, *greatest])
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
    newest: dict[str, Tally] = {}
    last: Tally | None = None
    for each in of(log, FOR_GUARDS):
        if each.status in {LOADED, WITHDRAWN} and each.rows_read:
            newest[each.feed] = max(each, newest.get(each.feed, each), key=lambda found: found.batch_id)
        if last is None or max(each.batch_id, each.revision) > max(last.batch_id, last.revision):
            last = each
    ids = {each.file_id for each in [*newest.values(), *([last] if last else [])]}
    found = log.deliveries_with("file_id", ids)
    told = {each.feed for each in found if each.rows_read and each.batch_id == newest[each.feed].batch_id}
    # The newest of a batch may have no rows while others have some.
    untold = [tally for feed, tally in newest.items() if feed not in told]
    others = [log.first(_is_of(tally) & (pc.field("rows_read") > 0)) for tally in untold]
    return [*found, *(each for each in others if each is not None)]


def _is_of(tally: Tally) -> pc.Expression:
    named = (pc.field("feed") == tally.feed) & (pc.field("status") == tally.status)
    return named & (pc.field("batch_id") == tally.batch_id)


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
