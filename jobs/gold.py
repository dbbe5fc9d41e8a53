"""Gold: the local days that silver changed since gold was last written are aggregated anew, and only those."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from jobs import touched
from pipeline import delta, formats, gold, lake, reference, tables
from pipeline.config_values import DIRECTIONS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from jobs.touched import Days
    from pipeline.context import Context


def run(context: Context, *, products: bool = True) -> None:
    """Bring gold up to silver; `products` is false when the reference database could not be read."""
    _energy_tables(context)
    if products and context.settings.reference is not None:
        _active_agreements(context)
        _product_tables(context)


def _energy_tables(context: Context) -> None:
    # Written last, and with rows whenever a day has readings: what it is complete to, both are.
    done = lake.done_to(context, tables.METER_DAY)
    batch_id = lake.done_to(context, tables.READINGS)
    if batch_id <= done:
        return
    days = touched.changed_days(context, done, [feed.name for feed in context.settings.feeds])
    mark = {"batch_id": batch_id}
    if days:
        zones = _zones(context, days)
        readings = _readings(context, days)
        halves = gold.half_hours(readings, zones)
        totals = gold.total_consumption_half_hour(halves, one_row_a_meter=_one_row_a_meter(context, days))
        rows = delta.replace_days(context, tables.HALF_HOUR, totals, days, mark, at_most=_most_half_hours(days))
        _tell(context, tables.HALF_HOUR, days, rows)
        rows = delta.replace_days(context, tables.METER_DAY, gold.meter_day(readings, zones), days, mark)
        _tell(context, tables.METER_DAY, days, rows)


def _product_tables(context: Context) -> None:
    """Days of the reference's feeds that changed, and days whose agreements changed."""
    written = lake.mark(context, tables.PRODUCT_DAY)  # the last of the two
    done, done_snapshot = int(written.get("batch_id", 0)), int(written.get("snapshot", 0))
    batch_id = lake.done_to(context, tables.READINGS)
    snapshot = int(lake.mark(context, tables.METERPOINT).get("file_id", 0))
    days: Days = {}
    if batch_id > done:
        days = touched.changed_days(context, done, list(context.settings.reference_feeds))
    feeds = list(context.settings.reference_feeds)
    if written.get("feeds", feeds) != feeds or not written:
        # Days of a feed that is named no more are written too: without rows.
        days = touched.by_feed(touched.days_there_are(context, [*feeds, *written.get("feeds", [])]))
    elif snapshot > done_snapshot:
        days = touched.joined(days, touched.days_of_changed_agreements(context, done_snapshot, snapshot))
    if not days:
        return
    mark = {"batch_id": batch_id, "snapshot": snapshot, "feeds": feeds}
    every_day = sorted({day for feed_days in days.values() for day in feed_days})
    products = reference.product_of_day(touched.agreed(context), every_day)
    readings = _readings(context, days).where(F.col("feed").isin(*feeds))
    halves = gold.with_product(gold.half_hours(readings, _zones(context, days)), products)
    averages = gold.avg_half_hour_by_product(halves, one_row_a_meter=_one_row_a_meter(context, days))
    most = _most_half_hours(days) * (lake.row_count(context, tables.PRODUCT) + 1)
    rows = delta.replace_days(context, tables.PRODUCT_HALF_HOUR, averages, days, mark, at_most=most)
    _tell(context, tables.PRODUCT_HALF_HOUR, days, rows)
    meter_days = delta.read(context, tables.METER_DAY).where(delta.on_days(days) & F.col("feed").isin(*feeds))
    per_day = gold.consumption_per_product_per_day(gold.with_product(meter_days, products))
    rows = delta.replace_days(context, tables.PRODUCT_DAY, per_day, days, mark, at_most=most)
    _tell(context, tables.PRODUCT_DAY, days, rows)


def _active_agreements(context: Context) -> None:
    """Small, so it is written whole whenever the agreements or the dates asked for are others."""
    snapshot = int(lake.mark(context, tables.METERPOINT).get("file_id", 0))
    wanted = sorted({day.isoformat() for day in context.settings.active_on})
    # A snapshot from which a meter was erased is the same snapshot of a later batch.
    batch_id = lake.done_to(context, tables.METERPOINT)
    mark = {"snapshot": snapshot, "batch_id": batch_id, "active_on": wanted}
    written = lake.mark(context, tables.ACTIVE_AGREEMENTS)
    nothing = {"snapshot": 0, "batch_id": 0, "active_on": []}
    if {name: written.get(name, default) for name, default in nothing.items()} == mark:
        return
    agreed = touched.agreed(context)
    active = reference.active_on(agreed, context.settings.active_on) if wanted else _none_active(agreed)
    rows = lake.write_rows(
        context,
        tables.ACTIVE_AGREEMENTS,
        delta.conform(active, tables.ACTIVE_AGREEMENTS).toArrow(),
        mark,
        replace=lake.EVERYTHING,
    )
    context.log.info("gold", table=tables.ACTIVE_AGREEMENTS.full_name, rows=rows)


def _none_active(agreed: DataFrame) -> DataFrame:
    return agreed.withColumn("as_of_date", F.lit(None).cast("date")).where("false")


def _most_half_hours(days: Days) -> int:
    """More rows than half hours of days can give: 50 on the longest day, every direction."""
    return sum(map(len, days.values())) * 50 * len(DIRECTIONS)


def _readings(context: Context, days: Days) -> DataFrame:
    return gold.in_kwh(delta.read(context, tables.READINGS).where(delta.on_days(days)))


def _zones(context: Context, days: Days) -> dict[str, str]:
    zones = {feed.name: feed.time_zone for feed in context.settings.feeds if feed.name in days}
    return zones or {"": "UTC"}


def _one_row_a_meter(context: Context, days: Days) -> bool:
    feeds = [feed for feed in context.settings.feeds if feed.name in days]
    return all(feed.minutes >= gold.HALF_HOUR and not formats.format_of(feed).several for feed in feeds)


def _tell(context: Context, table: tables.Table, days: Days, rows: int) -> None:
    context.log.info("gold", table=table.full_name, days=sum(len(some) for some in days.values()), rows=rows)
