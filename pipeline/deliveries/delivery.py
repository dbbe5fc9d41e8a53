"""One delivery and its possible outcomes."""

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
    # From the log; a row rule depends on it.
    received_at: datetime | None = field(default=None, compare=False)
    # Columns named in the delivery itself (parquet: with their types); known while it is loaded, not logged.
    columns: tuple[str, ...] = field(default=(), compare=False)
    # What the driver found around a delivery's rows, for its format's Spark part; known while it is loaded, not logged.
    frame: object = field(default=None, compare=False)

    @property
    def was_taken_out(self) -> bool:
        """Whether it was loaded and then withdrawn; a refused delivery that was withdrawn keeps its reason code."""
        return self.status == WITHDRAWN and self.reason_code is None

    @property
    def is_revised(self) -> bool:
        """Whether readings of it may have to be removed from silver: it was loaded, then replayed or withdrawn."""
        return self.revision != self.batch_id or self.was_taken_out

    @property
    def deliveries(self) -> int:
        """How many it stands for; a Tally stands for many."""
        return 1

    @property
    def numbered(self) -> int:
        """How many of these have a number of their sender."""
        return int(self.generation is not None)

    @property
    def unaccounted(self) -> int:
        """Rows that are counted as neither accepted nor rejected, or as both."""
        return abs(self.rows_accepted + self.rows_rejected - self.rows_read)

    def refused(self, code: str, reason: str, status: str = REJECTED) -> Delivery:
        """This delivery, refused, with no rows. Text of the file in the reason becomes one line of valid text."""
        line = " ".join(reason.encode("utf-8", "backslashreplace").decode().split())
        return replace(
            self, status=status, reason_code=code, reason=line, rows_read=0, rows_accepted=0, rows_rejected=0
        )
