"""What the checks of the configuration found, as ops.checks has it. No JVM in path mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.lake import access, tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pipeline.runtime.context import Context


@dataclass(frozen=True)
class Checked:
    """A check and how many rows it found; None with an `error` where its SQL failed."""

    name: str
    severity: str
    rows: int | None
    error: str | None = None
    # Since when it has found rows, or has failed, each time it was run.
    since: datetime | None = None

    @property
    def is_failed(self) -> bool:
        """Whether it found what must not be there, by its severity."""
        return self.severity == "error" and bool(self.rows)

    @property
    def says_something(self) -> bool:
        """Whether it found rows, or could not be run."""
        return self.rows != 0

    def facts(self) -> dict[str, Any]:
        """The result, for JSON."""
        return {"name": self.name, "severity": self.severity, "rows": self.rows, "error": self.error}


def latest(context: Context) -> list[Checked]:
    """The newest result of each check that the configuration still has, in its order; [] without checks."""
    if not context.settings.checks:
        return []
    return newest(
        access.small_rows(context, tables.CHECKS, tables.CHECKS.names), [each.name for each in context.settings.checks]
    )


def newest(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> list[Checked]:
    """The newest result of each of the names that has any, from rows of ops.checks in any order."""
    by_name: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["checked_at"], reverse=True):
        by_name.setdefault(row["name"], []).append(row)
    found = []
    for name in names:
        if results := by_name.get(name):
            last, since = results[0], None
            for each in results:
                if each["rows"] == 0:
                    break
                since = each["checked_at"]
            found.append(Checked(name, last["severity"], last["rows"], last["error"], since))
    return found
