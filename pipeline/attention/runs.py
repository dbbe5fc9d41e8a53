"""Which runs are runs of the main job. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Commands that bring gold up to date; a backfill is "run --from … --to …".
MAIN_JOB = {"run", "watch", "demo"}


def is_main(run: Mapping[str, Any]) -> bool:
    """Whether a row of ops.runs is a run of all layers."""
    return run["command"].split(" --")[0] in MAIN_JOB


def last_main(runs: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The main run that ended last; None where there was none."""
    return max((run for run in runs if is_main(run)), key=lambda run: run["finished_at"], default=None)
