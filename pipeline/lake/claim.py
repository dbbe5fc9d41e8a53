"""Two writers on whatever storage: a run claims the lake by a commit to the log that only one of two can make.

A claim has a number that only grows, and every commit of the run carries it as a Delta transaction. So where two runs
make the same claim one of them is refused, and who is overtaken fails at its next commit. A run that ends gives its
claim back. One that was killed, or stalls, does not: the next run takes the claim over and puts a commit of its own on
every table, with which whatever the other has under way conflicts. Where the lake's lock is held nobody else can be at
work, and no such commits are needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import BusyLakeError, OvertakenError
from pipeline.lake import access, tables
from pipeline.runtime import error_messages, failpoints
from pipeline.runtime.context import Claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

LOG = tables.INGESTION_LOG
# How often a run that is being overtaken may commit between our look at a table and our commit to it.
TRIES = 20


def newest(mark: dict[str, Any]) -> Claim:
    """The last claim that the log's mark tells of."""
    said = mark.get("claim", {})
    return Claim(int(said.get("number", 0)), str(said.get("run_id", "")), released=bool(said.get("released", not said)))


def is_left_open(context: Context) -> bool:
    """Whether the run of the last claim may still be at work: it did not give it back, and there is no lock to tell."""
    return not (context.claimed_before.released or context.is_alone)


def take(context: Context, every: Iterable[Table]) -> None:
    """Claim the lake: BusyLakeError where another run has claimed it since `context.claimed_before` was read.

    Where the run before may still be at work, `every` table gets a commit that ends whatever it has under way there.
    """
    before = context.claimed_before
    claim = Claim(before.number + 1, context.run_id)
    try:
        with failpoints.around(f"claim {LOG.full_name}"):
            _commit(context, before, claim)
            context.commits += 1
    except Exception as problem:
        context.claim = None
        if isinstance(problem, OvertakenError) or error_messages.is_overtaken(problem):
            raise BusyLakeError(context.settings.where, "another run") from None
        raise
    if is_left_open(context):
        context.log.warning("a run before this one did not end; its claim is taken over", run_before=before.run_id)
        for table in every:
            if table not in {LOG, tables.RUNS}:
                _end_what_is_under_way(context, claim, table)


def _end_what_is_under_way(context: Context, claim: Claim, table: Table) -> None:
    """A commit with the claim's number and no mark.

    The other run may commit until then, and its mark must stay the newest: below another one its rows would not be
    known, and never be taken out.
    """
    for _ in range(TRIES):
        try:
            access.lake_of(context).commit_nothing(table)
        except OvertakenError:
            if newest(access.mark(context, LOG)).number != claim.number:
                raise
        else:
            return
    raise BusyLakeError(context.settings.where, "another run")


def _commit(context: Context, before: Claim, claim: Claim) -> None:
    """The claim's commit, on the very version of the log that was looked at."""

    def claim_it(mark: dict[str, Any]) -> None:
        if newest(mark).number != before.number:
            raise BusyLakeError(context.settings.where, "another run")
        context.claim = claim

    since = access.lake_of(context).commit_seen(LOG, claim_it)
    # What the run before wrote while this one claimed is carried on as well.
    if missed := [mark for mark in since if newest(mark).number < claim.number]:
        access.write_rows(context, LOG, [], missed[0])


def release(context: Context) -> None:
    """Give the claim back, where there is no lock that does; a fault in it only makes the next run take it over."""
    if context.claim is None or context.is_alone:
        return
    context.claim.released = True
    try:
        access.carry_mark(context, LOG)
    except OvertakenError:
        return  # it is another run's
    except Exception as problem:  # noqa: BLE001 - it must not hide what ended the run
        context.log.warning("the claim was not given back", error=error_messages.one_line(problem))
