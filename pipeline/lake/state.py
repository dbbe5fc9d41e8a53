"""The state of a table, read once before a command writes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """The state of a table."""

    table: str
    batch_id: int = 0
    is_restored: bool = False
    holds_files: bool = False
    # False if the history only holds commits of others, because ours are too old.
    has_progress: bool = True

    @property
    def layer(self) -> str:
        """Bronze, silver, gold or ops."""
        return self.table.partition(".")[0]
