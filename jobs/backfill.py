"""`run --from --to`: deliveries of a span of time, oldest first, a batch for each day; and local days rebuilt.

The latest received wins, and the batch number says what was received later. So a year of deliveries, loaded in one
batch a day in order, gives the same result as loading each day when it came. A run that was killed is continued by the
same command: what is in the log is not loaded again.
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
    """A run for each day of the span with waiting deliveries; if there is none, one run that finishes what is left."""
    context.need_spark("a backfill of days")
    command = " ".join(filter(None, ("run", layer, str(span))))
    parts = _days_with_news(context, span)
    for part in parts:
        context = context.next_run()
        more = part is not parts[-1]
        yield main_job.run(context, layer, command, wait_seconds, span=part, is_one_of_many=more)


def _days_with_news(context: Context, span: Span) -> list[Span]:
    """In order; the whole span if nothing waits."""
    waiting = bronze.waiting(context)
    inside = [each for each in waiting if span.holds(each.modified_at)]
    fetched = {feed.name for feed in context.settings.feeds if feed.url}  # loaded whatever their time
    older = [
        each for each in waiting if each.feed not in fetched and each.modified_at and each.modified_at < span.first
    ]
    parts = span.parts(inside) or [span]
    context.log.info("backfill", deliveries=len(inside), days=len(parts) if inside else 0)
    if older:
        # Loaded later, they would count as received later: an old reading would replace a newer one.
        context.log.warning("older deliveries wait and are not taken", deliveries=len(older), first=_first(older))
    return parts


def _first(older: list[Delivery]) -> str:
    return min(older, key=decisions.modification_order).relative_path


def rebuild(context: Context, layer: str, span: Span, wait_seconds: float = 0) -> Outcome:
    """Rebuild silver's or gold's local days of the span from the layer before, needed or not."""
    if layer == "bronze":
        raise UsageError("bronze is what was delivered and cannot be rebuilt; silver and gold are built from it")
    span.local_days(())  # raises unless the span is whole days
    with recorded(context, f"run {layer} {span}", wait_seconds) as outcome, outcome.timed(layer):
        if layer == "silver":
            _silver(context, outcome, span)
        else:
            _gold(context, outcome, span)
    context.log.info("done", **{name: value for name, value in outcome.facts().items() if name != "refused"})
    return outcome


def _silver(context: Context, outcome: Outcome, span: Span) -> None:
    """Everything received for these days is marked as revised, which makes silver rebuild them from bronze."""
    batch_id = ingestion_log.last_batch(context) + 1
    log = ingestion_log.rows(context)
    days = {feed: span.local_days(some) for feed, some in log.days().items()}
    chosen = [replace(each, revision=batch_id) for each in log.on_days(days)]
    if not chosen:
        return
    context.expect(formats.weighed(context.settings, chosen))
    context.spark  # noqa: B018 - column expressions need it
    ingestion_log.revise(context, chosen, batch_id)
    outcome.rows_merged = silver.run(context)
    # No sender gets a response for a rebuild; this moves the mark, so that the next run does not look at it again.
    outcome.batch.acknowledgement_errors = acknowledgements.run(context)


def _gold(context: Context, outcome: Outcome, span: Span) -> None:
    days = _days_of(context, span)
    gold.run(context, rebuild=days)
    completeness_job.run(context, rebuild=days)
    outcome.restated = restatements.run(context)


def _days_of(context: Context, span: Span) -> Days:
    """Feed -> its days in the span with readings in silver, or with rows in gold that perhaps should not be there."""
    feeds = [feed.name for feed in context.settings.feeds]
    there = changed_days.joined(
        changed_days.days_there_are(context, feeds), changed_days.days_there_are(context, feeds, tables.METER_DAY)
    )
    inside = {feed: span.local_days(some) for feed, some in there.items()}
    return {feed: some for feed, some in inside.items() if some}
