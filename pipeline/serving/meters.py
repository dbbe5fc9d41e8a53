"""/meters: the meters, their readings, and how complete their days are."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from pipeline.lake import tables
from pipeline.lake.snapshots import Pinned
from pipeline.lake.tables import columns
from pipeline.serving import meter_readings, paging, reading_shapes
from pipeline.serving.answers import Rows
from pipeline.serving.common import AskedRows, rows_of
from pipeline.serving.meter_query import MeterQuery
from pipeline.serving.parameters import DirectionName, FeedName, From, FromDay, Meter, TimeZone, To, ToDay
from pipeline.serving.problems import ProblemError

router = APIRouter(tags=["Meters"])

METERS = columns(
    """
    meter_id STRING Meter or meterpoint
    feed STRING Name of the feed
    region STRING Region of the meterpoint, for feeds of the reference database
    directions STRING Directions it has readings for, separated by blanks
    first_date DATE First local day with a reading
    last_date DATE Last local day with a reading
    days BIGINT Local days with a reading
    intervals_received BIGINT Readings of all days
    intervals_expected BIGINT Intervals of these days
    """
)
METERS_SQL = """
    SELECT d.meter_id, d.feed, any_value(p.region) AS region, string_agg(DISTINCT d.direction, ' ' ORDER BY d.direction)
        AS directions, min(d.local_date) AS first_date, max(d.local_date) AS last_date,
        count(DISTINCT d.local_date) AS days, CAST(sum(d.intervals_received) AS BIGINT) AS intervals_received,
        CAST(sum(d.intervals_expected) AS BIGINT) AS intervals_expected
    FROM meter_day d LEFT JOIN meterpoint p ON p.meterpoint_id = d.meter_id AND list_contains($reference_feeds, d.feed)
    WHERE ($feed IS NULL OR d.feed = $feed) AND ($prefix IS NULL OR starts_with(d.meter_id, $prefix))
    GROUP BY d.feed, d.meter_id HAVING $region IS NULL OR any_value(p.region) = $region
"""
DAYS = columns(
    """
    feed STRING Name of the feed
    meter_id STRING Meter or meterpoint
    direction STRING import, export, production or consumption
    local_date DATE Local day of the feed
    intervals_received INT Readings on that day
    intervals_expected INT Intervals that were expected
    intervals_missing INT Of these, how many are not there
    """
)
DAYS_SQL = """
    WITH days AS (SELECT feed, direction, local_date, intervals_received, intervals_expected FROM meter_day
            WHERE meter_id = $meter AND local_date >= $first AND local_date < $last),
        gaps AS (SELECT feed, direction, local_date, count(*) AS n FROM missing
            WHERE meter_id = $meter AND local_date >= $first AND local_date < $last GROUP BY ALL)
    SELECT feed, $meter AS meter_id, direction, local_date, CAST(coalesce(intervals_received, 0) AS INT)
        AS intervals_received, CAST(coalesce(intervals_expected, n) AS INT) AS intervals_expected,
        CAST(coalesce(n, 0) AS INT) AS intervals_missing
    FROM days FULL JOIN gaps USING (feed, direction, local_date) WHERE $feed IS NULL OR feed = $feed
"""
GAPS = columns(
    """
    feed STRING Name of the feed
    meter_id STRING Meter or meterpoint
    direction STRING import, export, production or consumption
    interval_start TIMESTAMP Start of the interval that is missing
    interval_minutes INT Length of the interval in minutes
    local_date DATE Local day of the feed that it starts in
    expected_by STRING Why it is expected: history (the meter's own readings) or agreement
    """
)
OF_GAPS = tuple(column for column in GAPS if column.name not in {each.name for each in DAYS})
# Columns that only one of the two has, for the OpenAPI document.
OF_ONE = {column.name for column in DAYS} ^ {column.name for column in GAPS}
GAPS_SQL = """
    SELECT feed, meter_id, direction, interval_start, interval_minutes, local_date, expected_by FROM missing
    WHERE meter_id = $meter AND local_date >= $first AND local_date < $last AND ($feed IS NULL OR feed = $feed)
"""


@router.get("/meters", summary="Meters: how many, and which", responses=rows_of("Meter", METERS, nullable=["region"]))
def meters(
    asked: AskedRows,
    feed: FeedName = None,
    region: Annotated[str | None, Query(max_length=200, description="Only this region")] = None,
    prefix: Annotated[str | None, Query(max_length=200, description="Only meters whose id begins with this")] = None,
) -> Response:
    """Each meter of each feed with its first and last day. `total` is how many there are."""
    asked.service.feed(feed)
    wanted = {"feed": feed, "region": region, "prefix": prefix}
    wanted["reference_feeds"] = list(asked.service.settings.reference_feeds)  # type: ignore[assignment]

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        reads = {"meter_day": pinned.dataset(tables.METER_DAY), "meterpoint": pinned.dataset(tables.METERPOINT)}
        return paging.rows_after(
            asked.service.engine,
            METERS_SQL,
            wanted,
            reads,
            METERS,
            ("meter_id", "feed"),
            after=after,
            limit=asked.limit,
            zone_of=asked.service.zone_of(None),
            counted=True,
        )

    return asked.answer([tables.METER_DAY, tables.METERPOINT], METERS, rows)


@router.get(
    "/meters/{meter_id:path}/readings",
    summary="Readings of a meter",
    name="meter_readings",
    responses=rows_of("Reading", reading_shapes.ALL, sometimes=reading_shapes.SOMETIMES, nullable=["quality"]),
)
def readings(
    asked: AskedRows,
    meter_id: Meter,
    first: From,
    last: To,
    granularity: Annotated[
        Literal["raw", "half_hour", "hour", "day", "month"], Query(description="raw: as delivered; else sums in kWh")
    ] = "raw",
    tz: TimeZone = None,
    direction: DirectionName = None,
    feed: FeedName = None,
    version: Annotated[
        Literal["current", "all"], Query(description="all: every version that was received (raw only)")
    ] = "current",
) -> Response:
    """Readings that start in [from, to), in the order of their start.

    raw: each reading as delivered, in its own unit, with its quality mark and the delivery (`file_id`) and row it came
    from. Coarser: sums in kWh (half_hour: of readings of 30 minutes or less; hour: of an hour or less), with the number
    of readings in each; `quality` is their mark, or "mixed". Hours, days and months are in `tz`; if [from, to) cuts
    one, only the part inside the range is counted.
    """
    found = asked.service.feed(feed)
    if version == "all" and granularity != "raw":
        raise ProblemError(400, "version: all is available with granularity=raw only", "version")
    query = MeterQuery(meter_id, first, last, granularity, tz, direction, version)
    return meter_readings.answer(asked, query, [found] if found else list(asked.service.settings.feeds))


@router.get(
    "/meters/{meter_id:path}/completeness",
    summary="How complete a meter's days are",
    name="meter_completeness",
    responses=rows_of("Completeness", (*DAYS, *OF_GAPS), sometimes=OF_ONE),
)
def completeness(
    asked: AskedRows,
    meter_id: Meter,
    first: FromDay,
    last: ToDay,
    feed: FeedName = None,
    detail: Annotated[Literal["day", "interval"], Query(description="interval: each interval that is missing")] = "day",
    tz: TimeZone = None,
) -> Response:
    """Local days with readings or gaps: intervals received, expected and missing; or each interval that is missing.

    A meter is expected on a day if it had readings on it or in the week before, or has a valid agreement.
    """
    asked.service.feed(feed)
    asked.service.check_days(first, last, (last - first).days)
    wanted = {"meter": meter_id, "first": first, "last": last, "feed": feed}
    by_day = detail == "day"
    shape, sql = (DAYS, DAYS_SQL) if by_day else (GAPS, GAPS_SQL)
    key = ("local_date", "feed", "direction") if by_day else ("interval_start", "feed", "direction")

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        reads = {"meter_day": pinned.dataset(tables.METER_DAY), "missing": pinned.dataset(tables.MISSING)}
        return paging.rows_after(
            asked.service.engine,
            sql,
            wanted,
            reads,
            shape,
            key,
            after=after,
            limit=asked.limit,
            zone_of=asked.service.zone_of(tz),
        )

    return asked.answer([tables.METER_DAY, tables.MISSING], shape, rows, time_zone=tz)
