"""What every command that writes has in common: it holds the lake's lock, and leaves a row in ops.runs."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jobs import metrics, silver
from jobs.bronze import Batch
from pipeline import causes, creation, formats, lake, run_lock, schema_version, tables
from pipeline.metrics import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.context import Context
    from pipeline.ingestion_log import Delivery


@dataclass
class Outcome:
    """What a run did, for its summary and its row in ops.runs."""

    run_id: str
    started_at: datetime
    batch: Batch = field(default_factory=Batch)
    rows_merged: int = 0
    # Table -> how many of its published values changed.
    restated: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    # Layer -> how long it took.
    layer_milliseconds: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def timed(self, layer: str) -> Iterator[None]:
        """What is done inside is that layer's time, also where it fails."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.layer_milliseconds[layer] = round((time.monotonic() - began) * 1000)

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
            "restated": self.restated,
            "refused": [
                {"file": each.file_path, "reason_code": each.reason_code, "reason": each.reason}
                for each in self.refused
            ],
            "seconds": round(self.seconds, 1),
        }


@contextmanager
def recorded(context: Context, command: str, wait_seconds: float = 0) -> Iterator[Outcome]:
    """Hold the lake, see that its tables are there, and record in ops.runs how what is done inside ended."""
    with run_lock.held(context, command, wait_seconds):
        before = schema_version.check(context)  # in a lake of a newer form not even the failure is written
        outcome = Outcome(context.run_id, context.now)
        try:
            creation.create_missing(context, formats.lake_tables(context.settings))
            schema_version.record(context, before)
            silver.check_zones(context)
            yield outcome
        except Exception as problem:
            _record(context, outcome, command, problem)
            raise
        _record(context, outcome, command, None)


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
        "error": causes.one_line(problem) if problem else None,
        **{f"{layer}_milliseconds": outcome.layer_milliseconds.get(layer) for layer in LAYERS},
    }
    try:
        lake.write_rows(context, tables.RUNS, [row], {"run_id": context.run_id})
    except Exception as second:
        if problem is None:
            raise
        context.log.warning("the run could not be recorded", error=causes.one_line(second))
    metrics.write(context)
