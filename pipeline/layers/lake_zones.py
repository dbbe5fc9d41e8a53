"""The time zones that the local days in silver were made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import ConfigurationError
from pipeline.lake import access, tables

if TYPE_CHECKING:
    from pipeline.runtime.context import Context


def zones_of(context: Context) -> dict[str, str]:
    """Feed -> the time zone of its local days in silver."""
    zones: dict[str, str] = access.mark(context, tables.READINGS).get("zones", {})
    return zones


def check_zones(context: Context) -> None:
    """Silver and gold are partitioned by local day, so a feed's time zone cannot change once readings are loaded."""
    for name, zone in zones_of(context).items():
        for feed in context.settings.feeds:
            if feed.name == name and feed.time_zone != zone:
                problem = (
                    f"time_zone is {feed.time_zone!r}, but the lake was loaded with {zone!r}: load it into a new lake"
                )
                raise ConfigurationError(f"feed {name!r}", problem)
