"""One delivery, and what may become of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

LOADED, REJECTED, DUPLICATE, CONFLICT = "loaded", "rejected", "duplicate", "conflict"
WITHDRAWN = "withdrawn"
REFUSED = frozenset({REJECTED, CONFLICT})
REFERENCE = "reference"


@dataclass(frozen=True)
class Delivery:
    """A row of ops.ingestion_log in the making: found, then inspected, then decided, then loaded."""

    feed: str
    file_name: str
    file_path: str
    relative_path: str
    size_bytes: int | None
    modified_at: datetime | None
    sha256: str | None = None
    status: str | None = None
    reason_code: str | None = None
    reason: str | None = None
    created_at: datetime | None = None
    generation: str | None = None
    file_id: int = 0
    batch_id: int = 0
    rows_read: int = 0
    rows_accepted: int = 0
    rows_rejected: int = 0
    local_dates: tuple[date, ...] = ()
    repeated_times: int = 0
    revision: int = 0
    rows_erased: int = 0
    # By the log; a rule for rows rests on it.
    received_at: datetime | None = field(default=None, compare=False)
    # Columns that the delivery names itself, of parquet with their types; known while it is being loaded, not logged.
    columns: tuple[str, ...] = field(default=(), compare=False)

    @property
    def was_taken_out(self) -> bool:
        """Whether it was loaded and then withdrawn; a refused one that was withdrawn keeps its reason code."""
        return self.status == WITHDRAWN and self.reason_code is None

    @property
    def is_revised(self) -> bool:
        """Whether something of it in silver may have to go: it was loaded before, and then replayed or taken out."""
        return self.revision != self.batch_id or self.was_taken_out

    def refused(self, code: str, reason: str, status: str = REJECTED) -> Delivery:
        """This delivery, refused: it counts no rows. What it quotes of the file becomes one line of valid text."""
        line = " ".join(reason.encode("utf-8", "backslashreplace").decode().split())
        return replace(
            self, status=status, reason_code=code, reason=line, rows_read=0, rows_accepted=0, rows_rejected=0
        )
