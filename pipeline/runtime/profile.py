"""Where a run spends its time: seconds, Spark jobs and commits between events of its log."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.runtime.context import Context


@dataclass(frozen=True)
class Step:
    """The step that led to an event."""

    name: str
    seconds: float
    spark_jobs: int
    commits: int


@dataclass
class Profile:
    """Listens to the log of a run from now on."""

    context: Context
    steps: list[Step] = field(default_factory=list)
    _last: tuple[float, int, int] = (0.0, 0, 0)

    def __post_init__(self) -> None:
        self._last = time.monotonic(), self.context.spark_jobs, self.context.commits
        self.context.log.listener = self._note

    def _note(self, event: str, facts: dict[str, Any]) -> None:
        (then, jobs, commits), now = self._last, time.monotonic()
        self._last = now, self.context.spark_jobs, self.context.commits
        name = " ".join(filter(None, (event, str(facts.get("table") or facts.get("feed") or ""))))
        self.steps.append(Step(name, round(now - then, 2), self._last[1] - jobs, self._last[2] - commits))

    def facts(self) -> dict[str, Any]:
        """Totals and steps, for JSON."""
        return {
            "spark_jobs": sum(step.spark_jobs for step in self.steps),
            "commits": sum(step.commits for step in self.steps),
            "steps": [asdict(step) for step in self.steps],
        }
