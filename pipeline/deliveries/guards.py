"""Checks that the lake is whole before a command writes: a table may be lost, copied from a backup or restored.

The log says which deliveries count and which numbers are used. If the log is behind the tables, a run would remove rows
that count, or use numbers twice; if a table is behind the log, readings would be missing for good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.deliveries import erased, ingestion_log, tally
from pipeline.deliveries.delivery import LOADED, REFERENCE, WITHDRAWN
from pipeline.errors import DamagedLakeError
from pipeline.lake import access, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pipeline.deliveries.delivery import Delivery
    from pipeline.lake.state import State
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

LOST_BRONZE = "Bronze or the log is lost"
LOST_DERIVED = "Silver or gold is lost"
RESTORED = "A table was restored"
NO_PROGRESS = "A table's progress is no longer in its history"
GONE = "is not there, but the log says that it holds rows"
UNTOLD = "no longer says in its history how far it is complete"
SNAPSHOTS = {table.full_name for table in tables.SNAPSHOTS}
# Where deliveries that count gave readings, these hold rows.
FOLLOWING = (tables.READINGS, tables.METER_DAY)
# These tables cannot go on without their marks; others are rebuilt without theirs, or compared from then on.
NEEDED_MARKS = {tables.READINGS.full_name, tables.REJECTED.full_name, tables.INGESTION_LOG.full_name}


def check(context: Context, every: Iterable[Table]) -> None:
    """Raise DamagedLakeError where the lake is not whole; nothing is written."""
    states = {each.table: each for each in access.states(context, every)}
    log = ingestion_log.rows(context)
    known = tally.landmarks(log)
    if any(table.full_name in states and not states[table.full_name].holds_files for table in FOLLOWING):
        known += tally.first_reading(log)
    found = next(problems(states, known, erasing=bool(erased.unfinished(context))), None)
    if found is not None:
        raise DamagedLakeError(context.settings.where, *found)


def problems(
    states: dict[str, State], known: Sequence[Delivery], *, erasing: bool = False
) -> Iterator[tuple[str, str, str]]:
    """(table, what is wrong, section of the runbook), the worst first. Of `known` the landmarks will do (tally.py).

    While an erasure is unfinished (`erasing`), bronze may hold less than the log says.
    """
    log = states.get(tables.INGESTION_LOG.full_name)
    if log is None:
        for state in states.values():
            if state.layer != "ops" and state.holds_files:
                yield tables.INGESTION_LOG.full_name, f"is not there, but {state.table} holds rows", LOST_BRONZE
        return
    for state in states.values():
        if state.is_restored:
            yield state.table, "was RESTOREd to a state before its progress", RESTORED
    for state in states.values():
        if not state.has_progress and state.table in NEEDED_MARKS:
            yield state.table, UNTOLD, NO_PROGRESS
    yield from _log_behind(states, known, log)
    if not erasing:
        yield from _behind_the_log(states, known)


def _log_behind(states: dict[str, State], known: Sequence[Delivery], log: State) -> Iterator[tuple[str, str, str]]:
    last = max((max(each.batch_id, each.revision) for each in known), default=0)
    for state in states.values():
        # A killed run leaves bronze one batch ahead. Silver and gold follow from the log and never are.
        ahead = 1 if state.layer in {"bronze", "ops"} else 0
        if state.batch_id > last + ahead:
            problem = f"ends at batch {last}, but {state.table} is complete to batch {state.batch_id}"
            if state is log:
                problem = f"ends at batch {last}, but its newest commit says {state.batch_id}: rows of it are gone"
            yield tables.INGESTION_LOG.full_name, problem, LOST_BRONZE


def _behind_the_log(states: dict[str, State], known: Sequence[Delivery]) -> Iterator[tuple[str, str, str]]:
    """Bronze tables that lack what the log says they hold; silver and gold tables that are empty but had rows."""
    for name, batch_id in _held(known).items():
        state = states.get(name)
        if state is None:
            yield name, GONE, LOST_BRONZE
        elif not state.has_progress:
            yield name, UNTOLD, NO_PROGRESS
        elif state.batch_id < batch_id:
            problem = f"is complete to batch {state.batch_id}, but the log says that it holds batch {batch_id}"
            yield name, problem, LOST_BRONZE
        elif not state.holds_files and name not in SNAPSHOTS:
            yield name, "is empty, but the log says that it holds rows", LOST_BRONZE
    if _held(known).keys() & SNAPSHOTS and not any(states[name].holds_files for name in SNAPSHOTS & states.keys()):
        yield min(SNAPSHOTS), "is empty, but the log says that it holds rows", LOST_BRONZE
    for table in FOLLOWING:
        derived = states.get(table.full_name)
        if derived is not None and not derived.holds_files and _has_readings(known, derived.batch_id):
            yield derived.table, "is empty, but the log says that it holds rows", LOST_DERIVED


def _held(known: Sequence[Delivery]) -> dict[str, int]:
    """Bronze table -> the newest batch of which, by the log, it holds rows; a snapshot may leave one of three empty."""
    held: dict[str, int] = {}
    for each in known:
        if each.status in {LOADED, WITHDRAWN} and each.rows_read and not each.reason_code:
            for name in SNAPSHOTS if each.feed == REFERENCE else {f"bronze.{each.feed}"}:
                held[name] = max(held.get(name, 0), each.batch_id)
    return held


def _has_readings(known: Sequence[Delivery], batch_id: int) -> bool:
    """Whether deliveries that count, up to the batch, gave readings that were not erased."""
    return any(
        each.status == LOADED
        and each.feed != REFERENCE
        and each.rows_accepted
        and each.local_dates
        and not each.rows_erased
        and each.revision <= batch_id
        for each in known
    )
