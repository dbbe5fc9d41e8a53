"""`explain METER INSTANT`: every version of a reading, which one counts and why, and what it adds to in gold."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from rich.text import Text

from jobs.shared.output import cell, console, print_table
from pipeline.deliveries.delivery import WITHDRAWN
from pipeline.errors import UsageError
from pipeline.lake import access, schema_version, tables
from pipeline.layers import agreements, changed_days, reading_history
from pipeline.layers.gold import HALF_HOUR

if TYPE_CHECKING:
    from datetime import date

    from pipeline.runtime.context import Context

SHOWN = ("feed", "direction", "interval_start", "interval_minutes", "consumption", "quality", "file", "row_number")


def instant_of(text: str) -> datetime:
    """The instant of an ISO 8601 text; UTC if it has no offset."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not an instant: write 2021-03-28T00:30Z, or with an offset") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def run(context: Context, meter: str, instant: str, *, as_json: bool) -> None:
    """Show all versions of the meter's readings whose interval contains the instant, newest first."""
    at = instant_of(instant)
    schema_version.check(context)
    versions = _versions(context, meter, at)
    cells = [each for version in versions if version["verdict"] == "current" for each in _gold(context, version)]
    if as_json:
        shown = [{name: cell(value) for name, value in version.items()} for version in versions]
        print(json.dumps({"versions": shown, "gold": cells}, ensure_ascii=False))
        return
    if not versions:
        console().print(Text(f"No version of a reading of meter {meter!r} at {cell(at)} was ever received."))
        return
    names = [*SHOWN, "received_at", "verdict", "raw"]
    print_table(
        names, [[version[name] for name in names] for version in versions], title=f"Meter {meter} at {cell(at)}"
    )
    if cells:
        print_table(["table", "cell", "value"], [list(each.values()) for each in cells], title="It is part of")


def _versions(context: Context, meter: str, at: datetime) -> list[dict[str, Any]]:
    received = reading_history.received(context, withdrawn=True)
    if received is None:
        return []
    length = F.make_dt_interval(mins=F.coalesce("interval_minutes", F.lit(1)))
    moment = F.lit(at.isoformat()).cast("timestamp")
    holds = (F.col("interval_start") <= moment) & (moment < F.col("interval_start") + length)
    rows: list[dict[str, Any]] = received.where((F.col("meter_id") == meter) & holds).toArrow().to_pylist()
    rows.sort(key=lambda row: (row["file_id"], row["row_number"]), reverse=True)
    names = ["file_id", "relative_path", "received_at", "status", "reason"]
    log = {row["file_id"]: row for row in access.small_rows(context, tables.INGESTION_LOG, names)}
    winners: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in reading_history.KEY)
        row["file"] = log[row["file_id"]]["relative_path"]
        row["received_at"] = log[row["file_id"]]["received_at"]
        if log[row["file_id"]]["status"] == WITHDRAWN:
            row["verdict"] = f"no longer counts: {log[row['file_id']]['reason']}"
        elif row["reason_code"]:
            row["verdict"] = f"refused, {row['reason_code']}: {row['reason']}"
        elif winner := winners.get(key):
            row["verdict"] = f"superseded by {winner['file']}, row {winner['row_number']}: received later"
        else:
            winners[key] = row
            row["verdict"] = "current"
    return rows


def _gold(context: Context, version: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells of gold that a current reading is part of, with their values."""
    day, feed, direction = version["local_date"], version["feed"], version["direction"]
    whose = {"feed": feed, "direction": direction}
    found = _cells(context, tables.METER_DAY, day, "consumption", whose | {"meter_id": version["meter_id"]})
    short = version["interval_minutes"] <= HALF_HOUR
    start = version["interval_start"]
    if short:
        found += _cells(context, tables.HALF_HOUR, day, "total_kwh", whose, start)
    if feed in context.settings.reference_feeds:
        product = {"product_display_name": _product(context, version["meter_id"], day)}
        found += _cells(context, tables.PRODUCT_DAY, day, "total_kwh", whose | product)
        if short:
            found += _cells(context, tables.PRODUCT_HALF_HOUR, day, "total_kwh", whose | product, start)
    return found


def _cells(  # noqa: PLR0913, PLR0917 - it takes as many to name a cell
    context: Context, table: tables.Table, day: date, value: str, key: dict[str, Any], start: datetime | None = None
) -> list[dict[str, Any]]:
    """A day's cells that hold `key`; in half-hour tables, the one that the reading starts in."""
    found = []
    for row in access.small_rows(context, table, table.names, (table.partition_by[1], "=", day)):
        within = start is None or timedelta() <= start - row["interval_start"] < timedelta(minutes=HALF_HOUR)
        if within and all(row[name] == wanted for name, wanted in key.items()):
            where = ", ".join(f"{name}={cell(row[name])}" for name in table.key)
            found.append({"table": table.full_name, "cell": where, "value": f"{row[value]} kWh"})
    return found


def _product(context: Context, meter: str, day: date) -> str:
    agreed = changed_days.agreed(context).where(F.col("meterpoint_id") == meter)
    rows = agreements.product_of_day(agreed, [day]).toArrow().to_pylist()
    return rows[0]["product_display_name"] if rows else agreements.NO_AGREEMENT
