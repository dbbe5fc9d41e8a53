"""What every command that writes has in common: it holds the lake's lock and leaves a row in ops.runs."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from jobs.shared import metrics, notices
from jobs.shared.batch import Batch
from pipeline import formats
from pipeline.deliveries import guards, leftovers
from pipeline.errors import BusyLakeError
from pipeline.lake import access, claim, maintenance, run_lock, schema_version, tables
from pipeline.layers import lake_zones
from pipeline.runtime import error_messages, sail
from pipeline.serving.gauges import LAYERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.attention.checked import Checked
    from pipeline.deliveries.delivery import Delivery
    from pipeline.runtime.context import Context


@dataclass
class Outcome:
    """What a run did, for its summary and its row in ops.runs."""

    run_id: str
    started_at: datetime
    batch: Batch = field(default_factory=Batch)
    rows_merged: int = 0
    # What the checks of the configuration found.
    checks: list[Checked] = field(default_factory=list)
    # Table -> how many of its published values changed.
    restated: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    # Layer -> how long it took.
    layer_milliseconds: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def timed(self, layer: str) -> Iterator[None]:
        """The time spent inside is that layer's, even if it fails."""
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
        """The summary, for JSON."""
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
            "checks": [each.facts() for each in self.checks],
            "seconds": round(self.seconds, 1),
        }


@contextmanager
def recorded(context: Context, command: str, wait_seconds: float = 0) -> Iterator[Outcome]:
    """Lock the lake, check that it is whole, create missing tables, and record in ops.runs how the command ended.

    If the lake has a newer form or is not whole, nothing is written, not even the failure.
    """
    with _shown(context), run_lock.held(context, command, wait_seconds):
        context.log.doing("Checking that the lake is whole")
        context.claim = context.before_commit = None
        before = schema_version.check(context)
        every = _every_table(context)
        _look(context, every)
        if claim.is_left_open(context):
            claim.take(context, every)
            _look(context, every)  # the other run may have written until then
        outcome = Outcome(context.run_id, context.now)
        try:
            maintenance.create_missing(context, formats.lake_tables(context.settings))
            context.before_commit = partial(_claimed, context, every)
            schema_version.record(context, before, every)
            lake_zones.check_zones(context)
            leftovers.undo(context, [table for table in every if table.layer == "bronze"])
            yield outcome
        except BusyLakeError:
            raise  # turned away: the other run has its own row
        except Exception as problem:
            _end(context, outcome, command, problem)
            raise
        _end(context, outcome, command, None)


@contextmanager
def _shown(context: Context) -> Iterator[None]:
    """Whatever the command does is shown while it runs, and no longer."""
    context.log.doing("Opening the lake")
    try:
        yield
    finally:
        context.log.rest()


def _every_table(context: Context) -> list[tables.Table]:
    """Tables of the configuration, and bronze tables of feeds that left it."""
    configured = formats.lake_tables(context.settings)
    names = {table.full_name for table in configured}
    return [*configured, *(table for table in access.bronze_tables(context) if table.full_name not in names)]


def _look(context: Context, every: list[tables.Table]) -> None:
    """Check the lake before anything is written; DamagedLakeError if it is not whole."""
    context.claimed_before = claim.newest(access.mark(context, tables.INGESTION_LOG))
    guards.check(context, every)


def _claimed(context: Context, every: list[tables.Table]) -> None:
    """Called before each commit: a run claims the lake before its first one."""
    if context.claim is None:
        claim.take(context, every)


def _end(context: Context, outcome: Outcome, command: str, problem: Exception | None) -> None:
    """Release the claim and write the run's row, which needs no claim: a run that was overtaken gets one too."""
    claim.release(context)
    sail.tidy()
    context.claim = context.before_commit = None
    _record(context, outcome, command, problem)


def _record(context: Context, outcome: Outcome, command: str, problem: Exception | None) -> None:
    """Write the run's row. A fault in doing so must not hide the fault that ended the run."""
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
        "error": error_messages.one_line(problem) if problem else None,
        **{f"{layer}_milliseconds": outcome.layer_milliseconds.get(layer) for layer in LAYERS},
    }
    try:
        access.write_rows(context, tables.RUNS, [row], {"run_id": context.run_id})
    except Exception as second:
        if problem is None:
            raise
        context.log.warning("the run could not be recorded", error=error_messages.one_line(second))
    metrics.write(context)
    notices.tell(context)
