"""Metrics of the lake: the text file that each run leaves for Prometheus, and the answer of `serve` on /metrics."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import generate_latest, write_to_textfile

from jobs.shared import yesterday
from pipeline import formats
from pipeline.clock.zones import zone_info
from pipeline.deliveries import ingestion_log, open_issues, tally
from pipeline.lake import access, maintenance, tables
from pipeline.runtime import error_messages
from pipeline.serving import gauges

if TYPE_CHECKING:
    from pipeline.runtime.context import Context


def found(context: Context) -> gauges.Facts:
    """The facts that are measured, from the tables and their logs; no JVM in path mode."""
    log = ingestion_log.rows(context)
    counted = tally.of(log, tally.FOR_MEASURES)
    days = yesterday.completeness(context)
    done = access.done_to(context, tables.METER_DAY)
    return gauges.Facts(
        runs=access.small_rows(context, tables.RUNS, tables.RUNS.names),
        deliveries=counted,
        received={each.file_id: each.received_at for each in counted if each.received_at},
        waiting=tally.waiting(counted, done),
        standing_refusals=open_issues.standing_refusals(open_issues.refused_in(log)),
        missing_generations=open_issues.missing_from(log, context.settings.never_sent),
        yesterday=days,
        last_day_ends={day["feed"]: _end(context, day["feed"], day["last_day"]) for day in days if day["last_day"]},
        tables=[
            {
                "table": table.full_name,
                "rows": access.row_count(context, table),
                "version": access.version(context, table),
                **maintenance.storage(context, table),
            }
            for table in formats.lake_tables(context.settings)
        ],
        disk_bytes=maintenance.bytes_on_disk(context),
    )


def _end(context: Context, feed: str, day: str) -> datetime:
    zone = zone_info(context.settings.feed(feed).time_zone)
    return datetime.combine(date.fromisoformat(day) + timedelta(days=1), time(), zone).astimezone(UTC)


def text(context: Context) -> bytes:
    """The metrics in Prometheus's text format; none if there is no lake yet."""
    if access.version(context, tables.RUNS) is None:
        return b""
    return generate_latest(gauges.registry(found(context), context.settings.metrics))


def write(context: Context) -> None:
    """Write the whole file that the configuration names, or nothing. No run fails because of it."""
    path = context.settings.metrics.textfile
    if not path:
        return
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        write_to_textfile(path, gauges.registry(found(context), context.settings.metrics))
    except Exception as problem:  # noqa: BLE001 - the readings are in; an alert on the file's age reports this
        context.log.warning("the metrics could not be written", file=path, error=error_messages.one_line(problem))
