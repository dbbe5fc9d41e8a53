"""Protects against two writers on any storage: a run claims the lake by a commit to the log that only one can make.

A claim has a number that only grows, and every commit of the run carries it as a Delta transaction. If two runs make
the same claim, one of them is refused; a run that was overtaken fails at its next commit. A run releases its claim at
its end. A run that was killed or has stalled does not: the next run takes over and commits to every table, so that
anything the other run still tries to commit conflicts. If the lake's lock is held, no other run can be at work, and
these commits are not needed. A lock says nothing of a run by Spark Connect: killed, it leaves a server that goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import BusyLakeError, OvertakenError
from pipeline.lake import access, tables
from pipeline.runtime import connect, error_messages, failpoints
from pipeline.runtime.context import Claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

LOG = tables.INGESTION_LOG
# How often the run that is being overtaken may commit between our reading a table's version and our commit.
TRIES = 20


def newest(mark: dict[str, Any]) -> Claim:
    """The last claim in the log's mark."""
    said = mark.get("claim", {})
    return Claim(
        int(said.get("number", 0)),
        str(said.get("run_id", "")),
        released=bool(said.get("released", not said)),
        by_server=bool(said.get("by_server", False)),
    )


def is_left_open(context: Context) -> bool:
    """Whether the run of the last claim may still be at work: it did not release it, and no lock says otherwise."""
    before = context.claimed_before
    return not before.released and (before.by_server or not context.is_alone)


def take(context: Context, every: Iterable[Table]) -> None:
    """Claim the lake; BusyLakeError if another run has claimed it since `context.claimed_before` was read.

    If the run before may still be at work, `every` table gets a commit that makes its pending commits fail.
    """
    before = context.claimed_before
    claim = Claim(before.number + 1, context.run_id, by_server=connect.is_used())
    try:
        with failpoints.around(f"claim {LOG.full_name}"):
            _commit(context, before, claim)
            context.commits += 1
    except Exception as problem:
        context.claim = None
        if isinstance(problem, OvertakenError) or error_messages.is_overtaken(problem):
            raise BusyLakeError(context.settings.where, "another run", can_wait=False) from None
        raise
    if is_left_open(context):
        context.log.warning("a run before this one did not end; its claim is taken over", run_before=before.run_id)
        for table in every:
            if table not in {LOG, tables.RUNS}:
                _end_what_is_under_way(context, claim, table)


def _end_what_is_under_way(context: Context, claim: Claim, table: Table) -> None:
    """A commit with the claim's number and without a mark.

    The other run may commit until then, and its mark must stay the newest: under a newer mark its rows would not be
    noticed and never be removed.
    """
    for _ in range(TRIES):
        try:
            access.lake_of(context).writes.commit_nothing(table)
        except OvertakenError:
            if newest(access.mark(context, LOG)).number != claim.number:
                raise
        else:
            return
    raise BusyLakeError(context.settings.where, "another run", can_wait=False)


def _commit(context: Context, before: Claim, claim: Claim) -> None:
    """The claim's commit, on the very version of the log that was looked at."""

    def claim_it(mark: dict[str, Any]) -> None:
        if newest(mark).number != before.number:
            raise BusyLakeError(context.settings.where, "another run", can_wait=False)
        context.claim = claim

    since = access.lake_of(context).writes.commit_seen(LOG, claim_it)
    # What the run before wrote while this one claimed is carried on as well.
    if missed := [mark for mark in since if newest(mark).number < claim.number]:
        access.write_rows(context, LOG, [], missed[0])


def release(context: Context) -> None:
    """Release the claim, unless there is a lock that does; if this fails, the next run takes the claim over."""
    if context.claim is None or (context.is_alone and not context.claim.by_server):
        return
    context.claim.released = True
    try:
        access.carry_mark(context, LOG)
    except OvertakenError:
        return  # it is another run's
    except Exception as problem:  # noqa: BLE001 - it must not hide the error that ended the run
        context.log.warning("the claim was not given back", error=error_messages.one_line(problem))
