"""The reference database beside the feeds."""

from __future__ import annotations

from pydantic import Field

from pipeline.config.values import Strict, Zone


class Reference(Strict):
    """The SQLite database of agreements, products and meterpoints."""

    url: str = Field(pattern=r"^jdbc:sqlite:.+")
    feeds: tuple[str, ...] = ()
    # The zone of its instants; default: that of its first feed.
    time_zone: Zone | None = None
