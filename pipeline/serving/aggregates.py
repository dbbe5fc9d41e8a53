"""/aggregates, /completeness and /agreements: the gold tables."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from pipeline.clock.zones import zone_info
from pipeline.lake import tables
from pipeline.lake.snapshots import Pinned
from pipeline.lake.tables import Column, Table, columns
from pipeline.serving import paging
from pipeline.serving.answers import Rows
from pipeline.serving.asked import Asked
from pipeline.serving.common import AskedRows, rows_of
from pipeline.serving.grains import micros
from pipeline.serving.parameters import (
    Day,
    DirectionName,
    FeedName,
    From,
    FromDay,
    TimeZone,
    To,
    ToDay,
    instant_of,
    local_day,
    zone_or,
)

router = APIRouter(tags=["Aggregates"])

PRODUCT = Annotated[str | None, Query(max_length=200, description="Only this product, by its display name")]
FEED_DAYS = columns(
    """
    feed STRING Name of the feed
    direction STRING import, export, production or consumption
    local_date DATE Local day of the feed
    meterpoint_count BIGINT Meters with a reading on that day
    total_kwh DECIMAL(28,6) Sum in kWh
    intervals_received BIGINT Readings on that day
    intervals_expected BIGINT Intervals that were expected, of meters with a reading and of those without
    intervals_missing BIGINT Of these, how many are not there
    """
)
FEED_DAYS_SQL = """
    WITH days AS (SELECT feed, direction, local_date, count(*) AS meters, sum(consumption) AS kwh,
            sum(intervals_received) AS received FROM meter_day
            WHERE local_date >= $first AND local_date < $last GROUP BY ALL),
        gaps AS (SELECT feed, direction, local_date, count(*) AS n FROM missing
            WHERE local_date >= $first AND local_date < $last GROUP BY ALL)
    SELECT feed, direction, local_date, coalesce(meters, 0) AS meterpoint_count,
        CAST(coalesce(kwh, 0) AS DECIMAL(28,6)) AS total_kwh,
        CAST(coalesce(received, 0) AS BIGINT) AS intervals_received,
        CAST(coalesce(received, 0) + coalesce(n, 0) AS BIGINT) AS intervals_expected,
        coalesce(n, 0) AS intervals_missing
    FROM days FULL JOIN gaps USING (feed, direction, local_date)
    WHERE ($feed IS NULL OR feed = $feed) AND ($direction IS NULL OR direction = $direction)
"""
ACTIVE = columns(
    """
    as_of_date DATE The date asked for
    agreement_id BIGINT Number of the agreement
    meterpoint_id STRING Meterpoint agreed for
    product_display_name STRING Name of its product
    is_variable BOOLEAN Whether the product's price varies
    valid_from DATE First day of the agreement
    valid_to DATE Day it ends on, no longer valid; NULL is open
    """
)
# Strict on both sides, as gold.active_agreements.
ACTIVE_SQL = """
    SELECT $day AS as_of_date, a.agreement_id, a.meterpoint_id,
        coalesce(p.display_name, a.product_id) AS product_display_name, p.is_variable, a.valid_from, a.valid_to
    FROM agreement a LEFT JOIN product p ON p.product_id = a.product_id
    WHERE a.valid_from < $day AND (a.valid_to IS NULL OR a.valid_to > $day)
"""
KWH = {"total_kwh": "kWh"}


def _instants(
    asked: Asked, table: Table, span: tuple[date | datetime, date | datetime], tz: str | None, wanted: dict[str, Any]
) -> Response:
    """Half hours of a gold table that start in [first, last); days are in the requested zone, else the feed's."""
    first, last = span
    zones = {feed.name: zone_or(tz, feed.time_zone) for feed in asked.service.settings.feeds}
    spans = {name: (instant_of(first, zone), instant_of(last, zone)) for name, zone in zones.items()}
    begin, end = next(iter(spans.values()))
    asked.service.check_days(first, last, -((begin - end) // timedelta(days=1)))
    around = {name: asked.service.feed(name) for name in zones}
    local = [
        local_day(moment, zone_info(feed.time_zone)) for name, feed in around.items() if feed for moment in spans[name]
    ]
    wanted |= {
        "day": min(local) - timedelta(days=1), "last_day": max(local) + timedelta(days=1), "feeds": list(spans),
        "begins": [micros(span[0]) for span in spans.values()], "ends": [micros(span[1]) for span in spans.values()],
    }  # fmt: skip
    product = " AND ($product IS NULL OR product_display_name = $product)" if "product" in wanted else ""
    sql = f"""
        SELECT * FROM rows WHERE local_date >= $day AND local_date <= $last_day
            AND epoch_us(interval_start) >= coalesce($begins[list_position($feeds, feed)], $begins[1])
            AND epoch_us(interval_start) < coalesce($ends[list_position($feeds, feed)], $ends[1])
            AND ($feed IS NULL OR feed = $feed) AND ($direction IS NULL OR direction = $direction){product}
    """  # noqa: S608 - nothing of a client is in the text
    key = ("interval_start", *(name for name in table.key if name != "interval_start"))
    return _answer(asked, table, sql, wanted, key, tz)


def _answer(
    asked: Asked, table: Table, sql: str, wanted: dict[str, Any], key: tuple[str, ...], tz: str | None = None
) -> Response:
    shape: tuple[Column, ...] = table.columns
    units = {column.name: "kWh" for column in shape if column.name.endswith("_kwh")}

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        return paging.rows_after(
            asked.service.engine, sql, wanted, {"rows": pinned.dataset(table)}, shape, key,
            after=after, limit=asked.limit, zone_of=asked.service.zone_of(tz),
        )  # fmt: skip

    return asked.answer([table], shape, rows, time_zone=tz, units=units)


@router.get(
    "/aggregates/half-hour",
    summary="Energy of a feed by half hour",
    responses=rows_of("HalfHour", tables.HALF_HOUR.columns),
)
def half_hours(
    asked: AskedRows, first: From, last: To, feed: FeedName = None, direction: DirectionName = None, tz: TimeZone = None
) -> Response:
    """gold.total_consumption_half_hour: all meters of a feed, readings of 30 minutes or less."""
    asked.service.feed(feed)
    return _instants(asked, tables.HALF_HOUR, (first, last), tz, {"feed": feed, "direction": direction})


@router.get(
    "/aggregates/product-half-hour",
    summary="Energy of a product by half hour: total, and average over its meters",
    responses=rows_of("ProductHalfHour", tables.PRODUCT_HALF_HOUR.columns),
)
def product_half_hours(
    asked: AskedRows,
    first: From,
    last: To,
    feed: FeedName = None,
    direction: DirectionName = None,
    product: PRODUCT = None,
    tz: TimeZone = None,
) -> Response:
    """gold.avg_half_hour_by_product; meters without an agreement on that day are counted as "(no agreement)"."""
    asked.service.feed(feed)
    wanted = {"feed": feed, "direction": direction, "product": product}
    return _instants(asked, tables.PRODUCT_HALF_HOUR, (first, last), tz, wanted)


@router.get(
    "/aggregates/product-day",
    summary="Energy of a product by local day",
    responses=rows_of("ProductDay", tables.PRODUCT_DAY.columns),
)
def product_days(
    asked: AskedRows,
    first: FromDay,
    last: ToDay,
    feed: FeedName = None,
    direction: DirectionName = None,
    product: PRODUCT = None,
) -> Response:
    """gold.consumption_per_product_per_day; local days of the feed."""
    asked.service.feed(feed)
    _check(asked, first, last)
    sql = """SELECT * FROM rows WHERE date >= $first AND date < $last AND ($feed IS NULL OR feed = $feed)
        AND ($direction IS NULL OR direction = $direction) AND ($product IS NULL OR product_display_name = $product)"""
    wanted = {"first": first, "last": last, "feed": feed, "direction": direction, "product": product}
    return _answer(asked, tables.PRODUCT_DAY, sql, wanted, ("date", "feed", "direction", "product_display_name"))


@router.get(
    "/aggregates/feed-day",
    summary="Energy of a feed by local day, and how complete the day is",
    responses=rows_of("FeedDay", FEED_DAYS),
)
def feed_days(
    asked: AskedRows, first: FromDay, last: ToDay, feed: FeedName = None, direction: DirectionName = None
) -> Response:
    """Sums of gold.meter_day, with the intervals that gold.missing_intervals lists for the day."""
    asked.service.feed(feed)
    _check(asked, first, last)
    wanted = {"first": first, "last": last, "feed": feed, "direction": direction}

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        reads = {"meter_day": pinned.dataset(tables.METER_DAY), "missing": pinned.dataset(tables.MISSING)}
        return paging.rows_after(
            asked.service.engine, FEED_DAYS_SQL, wanted, reads, FEED_DAYS, ("local_date", "feed", "direction"),
            after=after, limit=asked.limit, zone_of=asked.service.zone_of(None),
        )  # fmt: skip

    return asked.answer([tables.METER_DAY, tables.MISSING], FEED_DAYS, rows, units=KWH)


@router.get(
    "/agreements/active",
    summary="Agreements active on a date",
    responses=rows_of("Agreement", ACTIVE, nullable={"is_variable", "valid_to"}),
)
def active_agreements(asked: AskedRows, day: Annotated[Day, Query(alias="date", description="The date")]) -> Response:
    """valid_from < date < valid_to, strict on both sides, as gold.active_agreements; on any date."""

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        reads = {"agreement": pinned.dataset(tables.AGREEMENT), "product": pinned.dataset(tables.PRODUCT)}
        return paging.rows_after(
            asked.service.engine, ACTIVE_SQL, {"day": day}, reads, ACTIVE, ("agreement_id",),
            after=after, limit=asked.limit, zone_of=asked.service.zone_of(None), counted=True,
        )  # fmt: skip

    return asked.answer([tables.AGREEMENT, tables.PRODUCT], ACTIVE, rows)


def _check(asked: Asked, first: date, last: date) -> None:
    asked.service.check_days(first, last, (last - first).days)
