"""Gold: only the local days that changed in silver since gold was last written are aggregated again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc
from pyspark.sql import functions as F

from pipeline.config.values import DIRECTIONS
from pipeline.lake import access, tables
from pipeline.lake.days import days_text
from pipeline.lake.rows import collect, conform
from pipeline.layers import agreements, changed_days, gold

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from pipeline.layers.changed_days import Days
    from pipeline.runtime.context import Context


# Intervals of a meter on a day.
USUAL_INTERVALS = 24
# Rows of agreements by day that each executor holds for a join: some 200 MB.
MOST_TO_BROADCAST = 2_000_000


@dataclass(frozen=True)
class _Work:
    """Days to rewrite, and the mark of the commits that do it."""

    days: Days
    mark: dict[str, Any]


def run(context: Context, *, products: bool = True, rebuild: Days | None = None) -> None:
    """Bring gold up to silver; the days in `rebuild` are rewritten in any case.

    `products` is false when the reference database could not be read.
    """
    with_products = products and context.settings.reference is not None
    energy = _energy_work(context, rebuild or {})
    by_product = _product_work(context, rebuild or {}) if with_products else None
    averages = _in_one_pass(context, energy, by_product)
    if energy:
        _energy_tables(context, energy, averages)
    if with_products:
        _active_agreements(context)
    if by_product:
        _product_tables(context, by_product, averages)


def _energy_work(context: Context, rebuild: Days) -> _Work | None:
    # gold.meter_day is written last, and has rows whenever a day has readings: both tables are complete to its mark,
    # unless one was lost.
    done = access.done_to(context, tables.METER_DAY) if access.mark(context, tables.HALF_HOUR) else 0
    batch_id = access.done_to(context, tables.READINGS)
    days = (
        changed_days.changed_days(context, done, [feed.name for feed in context.settings.feeds])
        if batch_id > done
        else {}
    )
    days = changed_days.joined(days, rebuild)
    return _Work(days, {"batch_id": batch_id}) if days else None


def _product_work(context: Context, rebuild: Days) -> _Work | None:
    """Days of the reference's feeds that changed, and days whose agreements changed."""
    written = access.mark(context, tables.PRODUCT_DAY)  # the last of the two
    if not access.mark(context, tables.PRODUCT_HALF_HOUR):  # which was lost
        written = {}
    done, done_snapshot = int(written.get("batch_id", 0)), int(written.get("snapshot", 0))
    batch_id = access.done_to(context, tables.READINGS)
    snapshot = int(access.mark(context, tables.METERPOINT).get("file_id", 0))
    feeds = list(context.settings.reference_feeds)
    days = changed_days.changed_days(context, done, feeds) if batch_id > done else {}
    if written.get("feeds", feeds) != feeds or not written:
        # The days of a feed that is no longer named are written too: without rows.
        days = changed_days.joined(days, changed_days.days_there_are(context, [*feeds, *written.get("feeds", [])]))
    elif snapshot > done_snapshot:
        days = changed_days.joined(days, changed_days.days_of_changed_agreements(context, done_snapshot, snapshot))
    days = changed_days.joined(days, {feed: some for feed, some in rebuild.items() if feed in feeds})
    return _Work(days, {"batch_id": batch_id, "snapshot": snapshot, "feeds": feeds}) if days else None


def _in_one_pass(context: Context, energy: _Work | None, by_product: _Work | None) -> pa.Table | None:
    """Half hours by product of all feeds, if they and the totals are due for the same days and fit on the driver.

    A meter has one product on a local day, so the totals are sums over the products: silver is read once for both.
    """
    if energy is None or by_product is None:
        return None
    feeds = by_product.mark["feeds"]
    if {feed: days for feed, days in energy.days.items() if feed in feeds} != by_product.days:
        return None
    if not access.fits_the_driver(context, _most_by_product(context, energy.days)):
        return None
    return collect(context, _averages(context, energy.days), tables.PRODUCT_HALF_HOUR)


def _energy_tables(context: Context, work: _Work, averages: pa.Table | None) -> None:
    days, mark = work.days, work.mark
    context.log.doing(f"Adding up {sum(map(len, days.values())):,} days in gold")
    zones = _zones(context, days)
    readings = _readings(context, days)
    if averages is not None or not _with_half_hours(context, days):
        totals_held = [] if averages is None else gold.over_all_products(averages)
        rows = access.write_rows(context, tables.HALF_HOUR, totals_held, mark, replace=days_text(days))
    else:
        halves = gold.half_hours(readings, zones)
        totals = gold.total_consumption_half_hour(halves, one_row_a_meter=_one_row_a_meter(context, days))
        rows = access.replace_days(context, tables.HALF_HOUR, totals, days, mark, at_most=_most_half_hours(days))
    _log_written(context, tables.HALF_HOUR, days, rows)
    most = access.count_on_days(context, tables.READINGS, days)  # as if each meter had one reading a day
    estimated_rows = None if most is None else most // USUAL_INTERVALS
    meter_days = gold.meter_day(readings, zones)
    rows = access.replace_days(context, tables.METER_DAY, meter_days, days, mark, at_most=most, about=estimated_rows)
    _log_written(context, tables.METER_DAY, days, rows)


def _product_tables(context: Context, work: _Work, averages: pa.Table | None) -> None:
    days, mark, feeds = work.days, work.mark, work.mark["feeds"]
    context.log.doing(f"Adding up {sum(map(len, days.values())):,} days by product in gold")
    most = _most_by_product(context, days)
    if averages is not None:
        of_feeds = averages.filter(pc.field("feed").isin(feeds))
        rows = access.write_rows(context, tables.PRODUCT_HALF_HOUR, of_feeds, mark, replace=days_text(days))
    else:
        by_product = _averages(context, days).where(F.col("feed").isin(*feeds))
        rows = access.replace_days(context, tables.PRODUCT_HALF_HOUR, by_product, days, mark, at_most=most)
    _log_written(context, tables.PRODUCT_HALF_HOUR, days, rows)
    meter_days = access.read_days(context, tables.METER_DAY, days).where(F.col("feed").isin(*feeds))
    per_day = gold.consumption_per_product_per_day(gold.with_product(meter_days, _products(context, days)))
    rows = access.replace_days(context, tables.PRODUCT_DAY, per_day, days, mark, at_most=most)
    _log_written(context, tables.PRODUCT_DAY, days, rows)


def _averages(context: Context, days: Days) -> DataFrame:
    halves = gold.half_hours(_readings(context, days), _zones(context, days))
    with_product = gold.with_product(halves, _products(context, days))
    return gold.avg_half_hour_by_product(with_product, one_row_a_meter=_one_row_a_meter(context, days))


def _products(context: Context, days: Days) -> DataFrame:
    every_day = sorted({day for feed_days in days.values() for day in feed_days})
    products = agreements.product_of_day(changed_days.agreed(context), every_day)
    most = access.row_count(context, tables.AGREEMENT) * len(every_day)
    # Spark cannot know that they are few, and would shuffle and sort the readings for the join.
    return F.broadcast(products) if most <= MOST_TO_BROADCAST else products


def _active_agreements(context: Context) -> None:
    """Small, so it is rewritten whenever the agreements or the dates asked for have changed."""
    snapshot = int(access.mark(context, tables.METERPOINT).get("file_id", 0))
    wanted = sorted({day.isoformat() for day in context.settings.active_on})
    # A snapshot from which a meter was erased keeps its number and gets a later batch.
    batch_id = access.done_to(context, tables.METERPOINT)
    mark = {"snapshot": snapshot, "batch_id": batch_id, "active_on": wanted}
    written = access.mark(context, tables.ACTIVE_AGREEMENTS)
    nothing = {"snapshot": 0, "batch_id": 0, "active_on": []}
    if {name: written.get(name, default) for name, default in nothing.items()} == mark:
        return
    agreed = changed_days.agreed(context)
    active = agreements.active_on(agreed, context.settings.active_on) if wanted else _none_active(agreed)
    rows = access.write_rows(
        context,
        tables.ACTIVE_AGREEMENTS,
        conform(active, tables.ACTIVE_AGREEMENTS).toArrow(),
        mark,
        replace=access.EVERYTHING,
    )
    context.log.info("gold", table=tables.ACTIVE_AGREEMENTS.full_name, rows=rows)


def _none_active(agreed: DataFrame) -> DataFrame:
    return agreed.withColumn("as_of_date", F.lit(None).cast("date")).where("false")


def _most_half_hours(days: Days) -> int:
    """An upper bound for rows of half hours: 50 on the longest day, for every direction."""
    return sum(map(len, days.values())) * 50 * len(DIRECTIONS)


def _most_by_product(context: Context, days: Days) -> int:
    return _most_half_hours(days) * (access.row_count(context, tables.PRODUCT) + 1)


def _readings(context: Context, days: Days) -> DataFrame:
    return gold.in_kwh(access.read_days(context, tables.READINGS, days))


def _zones(context: Context, days: Days) -> dict[str, str]:
    zones = {feed.name: feed.time_zone for feed in context.settings.feeds if feed.name in days}
    return zones or {"": "UTC"}


def _with_half_hours(context: Context, days: Days) -> bool:
    """Whether one of these feeds may have readings of half an hour or less: hourly ones are in no half-hour table."""
    lengths = changed_days.interval_lengths(context)
    return any(min(lengths.get(feed, [0])) <= gold.HALF_HOUR for feed in days)


def _one_row_a_meter(context: Context, days: Days) -> bool:
    return changed_days.all_last(context, days, gold.HALF_HOUR)


def _log_written(context: Context, table: tables.Table, days: Days, rows: int) -> None:
    context.log.info("gold", table=table.full_name, days=sum(len(some) for some in days.values()), rows=rows)
