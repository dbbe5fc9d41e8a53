"""What both engines do for `sql`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    import pyarrow as pa

    from pipeline.lake.tables import Column
    from pipeline.queries.names import Names


class Session(Protocol):
    """An engine that answers, one statement after the other."""

    dialect: re.Pattern[str]
    names: Names

    def ask(self, statement: str, most: int | None = None) -> pa.Table:
        """The answer's rows, at most so many."""

    def columns(self, name: str) -> Sequence[Column]:
        """The columns of a table or view."""

    def stop(self) -> None:
        """Stop what runs."""
