"""The main job: all layers, or one, and a row in ops.runs that says how it ended."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jobs import bronze, completeness, gold, silver
from jobs.bronze import Batch
from pipeline import formats, lake, tables

if TYPE_CHECKING:
    from pipeline.context import Context
    from pipeline.ingestion_log import Delivery

LAYERS = ("bronze", "silver", "gold")


@dataclass
class Outcome:
    """What a run did, for its summary and its row in ops.runs."""

    run_id: str
    started_at: datetime
    batch: Batch = field(default_factory=Batch)
    rows_merged: int = 0
    seconds: float = 0.0

    @property
    def deliveries(self) -> list[Delivery]:
        """Deliveries decided in this run."""
        return self.batch.deliveries

    @property
    def refused(self) -> list[Delivery]:
        """Deliveries that were rejected or are in conflict."""
        return [delivery for delivery in self.deliveries if delivery.status in {"rejected", "conflict"}]

    def facts(self) -> dict[str, Any]:
        """The summary as JSON may hold it."""
        return {
            "run_id": self.run_id,
            "files": len(self.deliveries),
            "status": dict(Counter(str(delivery.status) for delivery in self.deliveries)),
            "waiting": self.batch.waiting,
            "rows_read": sum(delivery.rows_read for delivery in self.deliveries),
            "rows_accepted": sum(delivery.rows_accepted for delivery in self.deliveries),
            "rows_rejected": sum(delivery.rows_rejected for delivery in self.deliveries),
            "rows_merged": self.rows_merged,
            "refused": [
                {"file": each.file_path, "reason_code": each.reason_code, "reason": each.reason}
                for each in self.refused
            ],
            "seconds": round(self.seconds, 1),
        }


def run(context: Context, layer: str | None = None, command: str = "run") -> Outcome:
    """Deliveries in, gold out. A fault of an endpoint or of the reference database is raised at the end."""
    outcome = Outcome(context.run_id, context.now)
    try:
        lake.create_missing(context, formats.lake_tables(context.settings))
        silver.check_zones(context)
        _layers(context, layer, outcome)
        if error := outcome.batch.error:
            raise error  # noqa: TRY301 - it ends the run like any other
    except Exception as problem:
        _record(context, outcome, command, problem)
        raise
    _record(context, outcome, command, None)
    context.log.info("done", **{name: value for name, value in outcome.facts().items() if name != "refused"})
    return outcome


def _layers(context: Context, layer: str | None, outcome: Outcome) -> None:
    if layer in {None, "bronze"}:
        outcome.batch = bronze.run(context)
    if layer in {None, "silver"}:
        outcome.rows_merged = silver.run(context)
    if layer in {None, "gold"}:
        gold.run(context, products=outcome.batch.reference_error is None)
        completeness.run(context)


def _record(context: Context, outcome: Outcome, command: str, problem: Exception | None) -> None:
    """The run's row. A fault in writing it must not hide the fault that ended the run."""
    finished = datetime.now(UTC)
    outcome.seconds = (finished - outcome.started_at).total_seconds()
    row = {
        "run_id": context.run_id,
        "command": command,
        "started_at": outcome.started_at,
        "finished_at": finished,
        "status": "failed" if problem else "succeeded",
        "files": len(outcome.deliveries),
        "rows_read": sum(delivery.rows_read for delivery in outcome.deliveries),
        "rows_merged": outcome.rows_merged,
        "error": lake.one_line(problem) if problem else None,
    }
    try:
        lake.write_rows(context, tables.RUNS, [row], {"run_id": context.run_id})
    except Exception as second:
        if problem is None:
            raise
        context.log.warning("the run could not be recorded", error=lake.one_line(second))
