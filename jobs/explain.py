"""`explain METER INSTANT`: every version of a reading, which one counts and why, and what it adds to in gold.

No JVM in path mode, except for tables that only Spark may read.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.text import Text

from jobs.shared import as_received
from jobs.shared.called import as_typed
from jobs.shared.listing import Listing
from jobs.shared.terminal import cell, console
from pipeline.deliveries.delivery import LOADED, WITHDRAWN
from pipeline.deliveries.ingestion_log import logged
from pipeline.errors import UsageError
from pipeline.formats.readings import VERSION, VERSION_KEY
from pipeline.lake import access, schema_version, tables
from pipeline.layers import agreements
from pipeline.layers.gold import HALF_HOUR
from pipeline.serving import received

if TYPE_CHECKING:
    from datetime import date

    from pipeline.deliveries.delivery import Delivery
    from pipeline.runtime.context import Context

MOST_DAYS_APART = 2
SHOWN = ("feed", "direction", "interval_start", "interval_minutes", "consumption", "unit")
PLACE = ("quality", "file", "row_number", "received_at")
VERSIONS = Listing(
    columns=(*SHOWN, *PLACE, "verdict", "raw"),
    narrow=("feed", "direction", "interval_start", "consumption", "unit", "row_number"),
    folds="feed",
    below=("file", "verdict"),
    names={"interval_start": "starts (UTC)", "row_number": "row"},
    apart=("raw",),
)
METERS = 'main.py sql --engine duckdb "SELECT DISTINCT feed, meter_id FROM gold.meter_day ORDER BY ALL"'
CELLS = Listing(columns=("table", "cell", "value"), narrow=("table", "value"), folds="table", below=("cell",))


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
        console().print(Text(as_typed(_nothing(context, meter, at))), soft_wrap=True)
        return
    VERSIONS.print(versions, title=f"Meter {meter} at {cell(at)}")
    if cells:
        CELLS.print(cells, title="It is part of")


def _nothing(context: Context, meter: str, at: datetime) -> str:
    """That there is no version, and which days of the meter have readings, or where meters are listed."""
    said = f"No version of a reading of meter {meter!r} at {cell(at)} was ever received."
    days: dict[tuple[str, str], list[date]] = {}
    for row in access.small_rows(context, tables.METER_DAY, tables.METER_DAY.key, ("meter_id", "=", meter)):
        days.setdefault((row["feed"], row["direction"]), []).append(row["local_date"])
    if not days:
        return f"{said}\nNo reading of this meter is known: write it as the source does. All meters:\n  {METERS}"
    spans = (f"{feed}, {way}: {min(some)} to {max(some)}" for (feed, way), some in sorted(days.items()))
    return "\n".join((said, "Its readings are of these local days:", *(f"  {span}" for span in spans)))


def _versions(context: Context, meter: str, at: datetime) -> list[dict[str, Any]]:
    rows = _received(context, meter, at)
    rows.sort(key=lambda row: (row["file_id"], row["row_number"]), reverse=True)
    names = ["file_id", "relative_path", "received_at", "status", "reason"]
    log = {row["file_id"]: row for row in access.small_rows(context, tables.INGESTION_LOG, names)}
    units = {feed.name: feed.kept_unit for feed in context.settings.feeds}
    winners: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in VERSION_KEY)
        row["file"] = log[row["file_id"]]["relative_path"]
        row["unit"] = units[row["feed"]]
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


def _received(context: Context, meter: str, at: datetime) -> list[dict[str, Any]]:
    """The meter's readings whose interval holds the instant, refused and withdrawn ones too: readings.VERSION."""
    deliveries = [each for each in logged(context) if each.status in {LOADED, WITHDRAWN} and _may_hold(each, at)]
    of_feeds = [(feed, [each for each in deliveries if each.feed == feed.name]) for feed in context.settings.feeds]
    opened = [(feed, some, as_received.rows_for_python(context, feed)) for feed, some in of_feeds if some]
    if any(bronze is None for *_, bronze in opened):
        return _received_by_spark(context, meter, at)
    return [
        {name: reading[name] for name in VERSION}
        for feed, some, bronze in opened
        for reading in received.every_version(feed, meter, some, bronze)
        if timedelta() <= at - reading["interval_start"] < timedelta(minutes=reading["interval_minutes"])
    ]


def _may_hold(delivery: Delivery, at: datetime) -> bool:
    """Whether the delivery may say something of that instant. Refused rows are on no day that the log knows.

    A reading is a day long at most, and a local day begins and ends within a day of UTC's.
    """
    if delivery.rows_rejected or not delivery.local_dates:
        return delivery.rows_read > 0
    return any(abs((day - at.date()).days) <= MOST_DAYS_APART for day in delivery.local_dates)


def _received_by_spark(context: Context, meter: str, at: datetime) -> list[dict[str, Any]]:
    from pipeline.layers import reading_history  # noqa: PLC0415 - path mode needs no Spark for this

    rows = reading_history.received(context, withdrawn=True)
    if rows is None:
        return []
    moment = f"TIMESTAMP'{at.isoformat()}'"
    length = "make_dt_interval(0, 0, coalesce(interval_minutes, 1))"
    holds = f"interval_start <= {moment} AND {moment} < interval_start + {length}"
    found: list[dict[str, Any]] = rows.where(rows["meter_id"] == meter).where(holds).toArrow().to_pylist()
    return found


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
    agreed = access.small_rows(context, tables.AGREEMENT, tables.AGREEMENT.names, ("meterpoint_id", "=", meter))
    products = access.small_rows(context, tables.PRODUCT, tables.PRODUCT.names)
    return agreements.product_of_meter(agreed, products, day)
