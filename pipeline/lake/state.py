"""What a table says of itself, asked once before a command writes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class State:
    """What a table says of itself."""

    table: str
    batch_id: int = 0
    is_restored: bool = False
    holds_files: bool = False
    # False where commits of others have outlived ours in the history.
    tells_progress: bool = True

    @property
    def layer(self) -> str:
        """Bronze, silver, gold or ops."""
        return self.table.partition(".")[0]
