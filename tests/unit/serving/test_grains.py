"""Sums by half hour, hour, day and month, over clock changes; without Spark."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock.zones import zone_info
from pipeline.serving.grains import buckets, day_start, instant, micro_kwh, micros
from pipeline.serving.meter_files import Part

LONDON, KATHMANDU = ZoneInfo("Europe/London"), ZoneInfo("Asia/Kathmandu")


def reading(start, *, zone=LONDON, minutes=30, kwh=1.0, unit="kWh", quality=None, direction="import"):
    moment = datetime.fromisoformat(start).replace(tzinfo=UTC)
    day = moment.astimezone(zone).date()
    return Part(
        "f", day, [micros(moment)], [direction], [minutes], [round(kwh * 1_000_000)], [unit], [quality], [1], [1]
    )


def found(readings, grain, zone=LONDON, feed_zone=LONDON):
    return [
        (instant(each.start).isoformat()[:16], instant(each.end).isoformat()[:16], each.micro / 1e6, each.readings)
        for each in buckets(readings, grain, zone, feed_zone)
    ]


def test_the_hour_that_comes_twice_is_two_hours():
    autumn = [reading(f"2021-10-31 {at}") for at in ("00:00", "00:30", "01:00", "01:30")]
    assert found(autumn, "hour") == [
        ("2021-10-31T00:00", "2021-10-31T01:00", 2.0, 2),
        ("2021-10-31T01:00", "2021-10-31T02:00", 2.0, 2),
    ]


def test_a_day_is_as_long_as_the_clocks_make_it():
    autumn = [reading("2021-10-30 23:00"), reading("2021-10-31 23:30")]
    assert found(autumn, "day") == [("2021-10-30T23:00", "2021-11-01T00:00", 2.0, 2)]
    spring = [reading("2021-03-28 00:00"), reading("2021-03-28 22:30"), reading("2021-03-28 23:00")]
    assert found(spring, "day") == [
        ("2021-03-28T00:00", "2021-03-28T23:00", 2.0, 2),
        ("2021-03-28T23:00", "2021-03-29T23:00", 1.0, 1),
    ]


def test_half_hours_lie_on_the_feeds_own_grid():
    quarters = [reading(f"2021-01-01 {at}", zone=KATHMANDU, minutes=15) for at in ("18:15", "18:30", "18:45", "19:00")]
    assert found(quarters, "half_hour", KATHMANDU, KATHMANDU) == [
        ("2021-01-01T18:15", "2021-01-01T18:45", 2.0, 2),
        ("2021-01-01T18:45", "2021-01-01T19:15", 2.0, 2),
    ]


def test_hours_are_those_of_the_zone_that_is_asked_for():
    halves = [reading(f"2021-01-01 {at}") for at in ("00:00", "00:30", "01:00")]
    assert found(halves, "hour", ZoneInfo("Asia/Kolkata")) == [
        ("2020-12-31T23:30", "2021-01-01T00:30", 1.0, 1),
        ("2021-01-01T00:30", "2021-01-01T01:30", 2.0, 2),
    ]


@pytest.mark.parametrize(("grain", "counted"), [("half_hour", 1), ("hour", 2), ("day", 3), ("month", 3)])
def test_readings_too_long_for_a_grain_are_left_out(grain, counted):
    some = [reading("2021-01-01 00:00", minutes=minutes) for minutes in (30, 60, 1440)]
    assert sum(each.readings for each in buckets(some, grain, LONDON, LONDON)) == counted


def test_directions_and_months_stand_apart_and_quality_says_where_marks_differ():
    some = [
        reading("2021-01-31 12:00", quality="measured"),
        reading("2021-01-31 12:30", quality="estimated"),
        reading("2021-01-31 12:30", direction="export", quality="measured"),
        reading("2021-02-01 00:00"),
    ]
    assert [(each.direction, each.local_date, each.quality) for each in buckets(some, "month", LONDON, LONDON)] == [
        ("export", date(2021, 1, 1), "measured"),
        ("import", date(2021, 1, 1), "mixed"),
        ("import", date(2021, 2, 1), None),
    ]


@pytest.mark.parametrize(("wh", "kwh"), [(0, 0), (499, 0), (500, 1), (1499, 1), (1500, 2), (1_234_500_000, 1_234_500)])
def test_watt_hours_are_rounded_half_up_as_in_gold(wh, kwh):
    assert micro_kwh(wh, "Wh") == kwh
    assert micro_kwh(wh, "kWh") == wh


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001 - what the strategy asks for
    st.sampled_from(["Europe/London", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "+05:30", "UTC"]),
    st.sampled_from(["hour", "day", "month"]),
)
def test_a_reading_is_in_the_span_that_it_is_counted_in(at, name, grain):
    zone = zone_info(name)
    start = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0, tzinfo=UTC)
    day = start.astimezone(zone).date()
    one = Part("f", day, [micros(start)], ["import"], [15], [1], ["kWh"], [None], [1], [1])
    (span,) = buckets([one], grain, zone, zone)
    assert span.start <= one.starts[0] < span.end
    local = instant(span.start).astimezone(zone)
    assert (local.minute, local.second) == (0, 0) or grain == "hour" or local.date() == span.local_date
    assert span.end - span.start <= timedelta(days=32) // timedelta(microseconds=1)


@given(st.dates(date(1971, 1, 1), date(2099, 1, 1)), st.sampled_from(["America/Havana", "Asia/Beirut", "Pacific/Apia"]))
def test_a_day_begins_with_its_first_instant(day, name):
    zone = ZoneInfo(name)
    first = day_start(day, zone)
    assert first.astimezone(zone).date() >= day
    assert (first - timedelta(microseconds=1)).astimezone(zone).date() < day
