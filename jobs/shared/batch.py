"""What one run takes in, for its summary and its row in ops.runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import (
    AcknowledgementError,
    ArchiveError,
    EndpointError,
    LandingFolderError,
    MeterlakeError,
    ReferenceDatabaseError,
    SeveralError,
)

if TYPE_CHECKING:
    from pipeline.deliveries.delivery import Delivery


@dataclass
class Batch:
    """What a bronze job did: the deliveries it logged, how many still wait, what was wrong with the reference data."""

    deliveries: list[Delivery] = field(default_factory=list)
    waiting: int = 0
    reference_error: ReferenceDatabaseError | None = None
    # For feeds whose folders are missing; the others load.
    folder_errors: list[LandingFolderError] = field(default_factory=list)
    endpoint_errors: list[EndpointError] = field(default_factory=list)
    acknowledgement_errors: list[AcknowledgementError] = field(default_factory=list)
    archive_errors: list[ArchiveError] = field(default_factory=list)
    # Log entries whose files have the same bytes as before but another time.
    touched: list[Delivery] = field(default_factory=list)

    @property
    def error(self) -> MeterlakeError | None:
        """The error to raise once everything good is loaded."""
        problems: list[MeterlakeError] = [*self.folder_errors, *self.endpoint_errors]
        if self.reference_error:
            problems.append(self.reference_error)
        problems += [*self.acknowledgement_errors, *self.archive_errors]
        return SeveralError(problems) if len(problems) > 1 else next(iter(problems), None)
