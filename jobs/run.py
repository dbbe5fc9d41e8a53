"""The main job: all layers, or one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs import acknowledgements, archiving, bronze, completeness, gold, restatements, silver
from jobs.shared.recorded import Outcome, recorded
from pipeline.layers import reference_snapshots
from pipeline.serving.gauges import LAYERS

__all__ = ["LAYERS", "derive", "run"]

if TYPE_CHECKING:
    from pipeline.deliveries.span import Span
    from pipeline.runtime.context import Context


def run(  # noqa: PLR0913 - a run may be limited to a layer or a span
    context: Context,
    layer: str | None = None,
    command: str = "run",
    wait_seconds: float = 0,
    *,
    span: Span | None = None,
    raise_at_end: bool = True,
) -> Outcome:
    """Load deliveries and bring every layer up to date; with a `span`, only deliveries modified in it.

    A fault of an endpoint or of the reference database is raised at the end, or left in the outcome for the caller.
    """
    if layer in {None, "bronze"}:
        reference_snapshots.check(context)
    with recorded(context, command, wait_seconds) as outcome:
        if layer in {None, "bronze"}:
            with outcome.timed("bronze"):
                outcome.batch = bronze.run(context, span)
        derive(context, outcome, layer)
        if raise_at_end and (error := outcome.batch.error):
            raise error
    context.log.info("done", **{name: value for name, value in outcome.facts().items() if name != "refused"})
    return outcome


def derive(context: Context, outcome: Outcome, layer: str | None = None) -> None:
    """Bring silver up to the log and gold up to silver, and record which published values changed."""
    if layer in {None, "silver"}:
        with outcome.timed("silver"):
            outcome.rows_merged = silver.run(context)
    if layer in {None, "gold"}:
        with outcome.timed("gold"):
            gold.run(context, products=outcome.batch.reference_error is None)
            completeness.run(context)
            outcome.restated = restatements.run(context)
    outcome.batch.acknowledgement_errors = acknowledgements.run(context)
    outcome.batch.archive_errors = archiving.run(context)
