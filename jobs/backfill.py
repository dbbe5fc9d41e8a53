"""`run --from --to`: deliveries of a span of time, oldest first, a batch for each day; and local days made anew.

The latest received wins, and a batch's number is part of when something was received: what a year brought, taken in
one batch a day in the order of the days, is what it would be if it had been taken as it came. Killed anywhere, the same
command goes on: what is in the log is not taken again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jobs import acknowledgements, bronze, gold, restatements, silver
from jobs import completeness as completeness_job
from jobs import run as main_job
from jobs.shared.recorded import Outcome, recorded
from pipeline import formats
from pipeline.deliveries import decisions, ingestion_log
from pipeline.deliveries.delivery import LOADED
from pipeline.errors import UsageError
from pipeline.lake import tables
from pipeline.layers import changed_days

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.deliveries.delivery import Delivery
    from pipeline.deliveries.span import Span
    from pipeline.layers.changed_days import Days
    from pipeline.runtime.context import Context


def run(context: Context, span: Span, layer: str | None = None, wait_seconds: float = 0) -> Iterator[Outcome]:
    """A run for each day of the span that has deliveries waiting, else one that makes good what was left undone."""
    command = " ".join(filter(None, ("run", layer, str(span))))
    for part in _days_with_news(context, span):
        context = context.next_run()
        yield main_job.run(context, layer, command, wait_seconds, span=part)


def _days_with_news(context: Context, span: Span) -> list[Span]:
    """In order; the whole span where nothing waits."""
    waiting = bronze.waiting(context)
    inside = [each for each in waiting if span.holds(each.modified_at)]
    fetched = {feed.name for feed in context.settings.feeds if feed.url}  # taken whatever their time
    older = [
        each for each in waiting if each.feed not in fetched and each.modified_at and each.modified_at < span.first
    ]
    parts = span.parts(inside) or [span]
    context.log.info("backfill", deliveries=len(inside), days=len(parts) if inside else 0)
    if older:
        # Taken later, they would count as received later: an old reading in the place of a newer one.
        context.log.warning("older deliveries wait and are not taken", deliveries=len(older), first=_first(older))
    return parts


def _first(older: list[Delivery]) -> str:
    return min(older, key=decisions.modification_order).relative_path


def anew(context: Context, layer: str, span: Span, wait_seconds: float = 0) -> Outcome:
    """Make silver's or gold's local days of the span anew from the layer before, needed or not."""
    if layer == "bronze":
        raise UsageError("bronze is what was delivered: nothing makes it anew; silver and gold are made from it")
    span.local_days(())  # refuses what is no days
    with recorded(context, f"run {layer} {span}", wait_seconds) as outcome, outcome.timed(layer):
        if layer == "silver":
            _silver(context, outcome, span)
        else:
            _gold(context, outcome, span)
    context.log.info("done", **{name: value for name, value in outcome.facts().items() if name != "refused"})
    return outcome


def _silver(context: Context, outcome: Outcome, span: Span) -> None:
    """All that was received for these days counts as revised: silver's own way to make days from bronze."""
    known = ingestion_log.logged(context)
    batch_id = ingestion_log.next_batch(known)
    chosen = [
        replace(each, revision=batch_id)
        for each in known
        if each.status == LOADED and span.local_days(each.local_dates)
    ]
    if not chosen:
        return
    context.expect(formats.weighed(context.settings, chosen))
    context.spark  # noqa: B018 - column expressions need it
    ingestion_log.revise(context, chosen, batch_id)
    outcome.rows_merged = silver.run(context)
    # Nothing of it is to be told, and the next run must not find it waiting.
    outcome.batch.acknowledgement_errors = acknowledgements.run(context)


def _gold(context: Context, outcome: Outcome, span: Span) -> None:
    days = _days_of(context, span)
    gold.run(context, again=days)
    completeness_job.run(context, again=days)
    outcome.restated = restatements.run(context)


def _days_of(context: Context, span: Span) -> Days:
    """Feed -> its days in the span that silver has readings for, or gold rows that perhaps should not be there."""
    feeds = [feed.name for feed in context.settings.feeds]
    there = changed_days.joined(
        changed_days.days_there_are(context, feeds), changed_days.days_there_are(context, feeds, tables.METER_DAY)
    )
    inside = {feed: span.local_days(some) for feed, some in there.items()}
    return {feed: some for feed, some in inside.items() if some}
