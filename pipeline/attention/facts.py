"""The facts from which the list of what needs attention is made. No JVM in path mode."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from pipeline import formats
from pipeline.attention import checked, lateness, runs, yesterday
from pipeline.deliveries import ingestion_log, open_issues
from pipeline.lake import access, lost_files, maintenance, tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.attention.checked import Checked
    from pipeline.deliveries.delivery import Delivery
    from pipeline.deliveries.log_rows import LogRows
    from pipeline.runtime.context import Context


@dataclass(frozen=True)
class Late:
    """A feed whose readings of a day that is over are not there; `since` is when they should have been."""

    feed: str
    last_day: date | None
    last_delivery_at: datetime | None
    since: datetime | None
    expected_by: str | None = None


@dataclass(frozen=True)
class Facts:
    """What is found in the tables and their logs."""

    last_run: Mapping[str, Any] | None = None
    # Table -> names of lost data files, where there are any.
    lost_files: Mapping[str, Sequence[str]] = field(default_factory=dict)
    missing_tables: Sequence[str] = ()
    late: Sequence[Late] = ()
    # Refused deliveries that are not settled.
    refused: Sequence[Delivery] = ()
    # Of each: feed, first, last and count.
    missing_generations: Sequence[Mapping[str, Any]] = ()
    # Meterpoints with two agreements that are valid on the same day.
    overlapping: Sequence[str] = ()
    # What the checks of the configuration found.
    checks: Sequence[Checked] = ()
    # Version, files, bytes and small_files of each table.
    tables: Sequence[Mapping[str, Any]] = ()
    # How complete each feed's yesterday is (yesterday.py).
    completeness: Sequence[Mapping[str, Any]] = ()


def found(context: Context) -> Facts:
    """The facts of the lake as it is now; without those of tables that have lost a file."""
    every = formats.lake_tables(context.settings)
    stored: list[dict[str, Any]] = [
        {"table": table.full_name, "version": access.version(context, table), **maintenance.storage(context, table)}
        for table in every
    ]
    by_table = {table: lost_files.of_table(context, table) for table in every}
    known = Facts(
        lost_files={table.full_name: files for table, files in by_table.items() if files},
        # Without ops.checks: a configuration that was just given checks has none yet, and it cannot hold what is lost.
        missing_tables=[
            each["table"] for each in stored if each["version"] is None and each["table"] != tables.CHECKS.full_name
        ],
        tables=stored,
    )
    return _read(context, known)


def _read(context: Context, known: Facts) -> Facts:
    """With what stands in the rows of tables, as far as those can be read."""

    def is_whole(*every: tables.Table) -> bool:
        return not any(table.full_name in known.lost_files for table in every)

    if not is_whole(tables.INGESTION_LOG, tables.RUNS):
        return known
    log = ingestion_log.rows(context)
    days = yesterday.completeness(context) if is_whole(tables.METER_DAY, tables.MISSING) else []
    return replace(
        known,
        last_run=runs.last_main(access.small_rows(context, tables.RUNS, tables.RUNS.names)),
        late=_late(context, days, _last_deliveries(log)),
        refused=open_issues.standing(open_issues.refused_in(log)),
        missing_generations=open_issues.missing_from(log, context.settings.never_sent),
        checks=checked.latest(context) if is_whole(tables.CHECKS) else [],
        overlapping=_overlapping(context) if is_whole(tables.AGREEMENT) else [],
        completeness=days,
    )


def _last_deliveries(log: LogRows) -> dict[str, datetime]:
    """Feed -> when its last delivery came."""
    newest = log.newest_of_feeds(pc.field("received_at").is_valid()).values()
    found = log.table_with(["feed", "received_at"], "file_id", newest)
    return dict(zip(found["feed"].to_pylist(), found["received_at"].to_pylist(), strict=True))


def _late(context: Context, days: list[dict[str, Any]], last_delivery: Mapping[str, datetime]) -> list[Late]:
    """Feeds without readings of a day that is over; `last_delivery` says when the last delivery of each came."""
    late = []
    for each in days:
        feed = context.settings.feed(each["feed"])
        last = date.fromisoformat(each["last_day"]) if each["last_day"] else None
        since = lateness.late_since(feed, last, context.now) if last else None
        if since or last is None:
            late.append(Late(feed.name, last, last_delivery.get(feed.name), since, feed.expected_by))
    return late


def _overlapping(context: Context) -> list[str]:
    """Meterpoints with two agreements that are valid on the same day, in order."""
    rows = access.small_rows(context, tables.AGREEMENT, ["meterpoint_id", "valid_from", "valid_to"])
    by_meter: dict[str, list[tuple[date, date]]] = {}
    for row in rows:
        end = row["valid_to"] or date.max
        if row["valid_from"] < end:
            by_meter.setdefault(row["meterpoint_id"], []).append((row["valid_from"], end))
    return sorted(
        meter
        for meter, spans in by_meter.items()
        if any(later[0] < earlier[1] for earlier, later in pairwise(sorted(spans)))
    )
