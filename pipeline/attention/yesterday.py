"""How complete yesterday is. In path mode without a JVM."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.clock.zones import zone_info
from pipeline.lake import access, tables

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.runtime.context import Context


def days_present(context: Context) -> dict[str, set[date]]:
    """Feed -> the local days that it has readings for."""
    present: dict[str, set[date]] = {}
    for feed, day in access.partitions(context, tables.METER_DAY):
        present.setdefault(feed, set()).add(date.fromisoformat(day))
    return present


def completeness(context: Context) -> list[dict[str, Any]]:
    """For each feed how complete its yesterday is (the local day before this one), and which day is its last.

    Days that have not begun are left out: one reading of the year 9999 would hide that a feed has gone silent.
    """
    present = days_present(context)
    facts: list[dict[str, Any]] = []
    for feed in context.settings.feeds:
        today = context.now.astimezone(zone_info(feed.time_zone)).date()
        day = today - timedelta(days=1)
        last = max((each for each in present.get(feed.name, ()) if each <= today), default=None)
        meter_days = _of_day(context, tables.METER_DAY, feed, day)
        gaps = len(_of_day(context, tables.MISSING, feed, day))
        facts.append(
            {
                "feed": feed.name,
                "yesterday": day.isoformat(),
                "meters": len(meter_days),
                "intervals_received": sum(row["intervals_received"] for row in meter_days),
                "intervals_missing": gaps if last and day <= last else None,
                "last_day": last.isoformat() if last else None,
            }
        )
    return facts


def _of_day(context: Context, table: tables.Table, feed: Feed, day: date) -> list[dict[str, Any]]:
    rows = access.small_rows(context, table, table.names, ("local_date", "=", day))
    return [row for row in rows if row["feed"] == feed.name]
