"""The report's statistics and its queries, on rows that were worked out by hand or are known by theory."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pyarrow as pa
import pytest

from pipeline.lake import tables
from pipeline.lake.types import arrow_schema
from pipeline.serving.report import statistics
from pipeline.serving.report.facts import Bin, Extent, Gaps, MeterDay, Total
from pipeline.serving.report.figures import Figures
from pipeline.serving.report.local_time import LocalClock

START = datetime(2021, 3, 1, tzinfo=UTC)
LONDON = LocalClock("Europe/London")


def bins(*values, minutes=60, start=START):
    """A series of those values; None leaves an interval out."""
    times = [(start + timedelta(minutes=minutes * n), value) for n, value in enumerate(values)]
    return [
        Bin("import", at, at.date(), at.hour * 60 + at.minute, Decimal(str(value)), 1)
        for at, value in times
        if value is not None
    ]


def readings(*rows, feed="f"):
    """silver.readings of (meter, direction, UTC start, minutes, local day, consumption, unit)."""
    names = ("meter_id", "direction", "interval_start", "interval_minutes", "local_date", "consumption", "unit")
    made = []
    for n, row in enumerate(rows):
        value = dict(zip(names, row, strict=True))
        value["interval_start"] = datetime.fromisoformat(value["interval_start"]).replace(tzinfo=UTC)
        value["local_date"] = date.fromisoformat(value["local_date"])
        value["consumption"] = Decimal(value["consumption"])
        made.append(value | {"feed": feed, "file_id": n + 1, "row_number": 1, "batch_id": 1})
    return pa.Table.from_pylist(made, arrow_schema(tables.READINGS))


def figures(*rows, clock=LONDON, gaps=()):
    missing = pa.Table.from_pylist(list(gaps), arrow_schema(tables.MISSING))
    return Figures(readings(*rows), missing, clock)


@pytest.mark.parametrize(
    ("values", "at", "expected"),
    [
        ("5", Fraction(1, 2), "5.000000"),
        ("1 2", Fraction(1, 2), "1.500000"),
        ("1 2 3 4", Fraction(1, 4), "1.750000"),
        ("1 2 3 4", Fraction(5, 100), "1.150000"),
        ("0.000001 0.000002", Fraction(1, 2), "0.000002"),  # half up
        ("10 20 30", Fraction(95, 100), "29.000000"),
    ],
)
def test_quantiles_lie_between_the_values_and_are_exact(values, at, expected):
    assert str(statistics.quantile([Decimal(value) for value in values.split()], at)) == expected


def test_averages_round_half_up():
    assert str(statistics.average([Decimal("0.000001"), Decimal("0.000002")])) == "0.000002"
    assert str(statistics.average([Decimal(1), Decimal(1), Decimal(2)])) == "1.333333"


def test_autocorrelation_is_the_textbooks():
    found = statistics.autocorrelation(bins(*range(1, 11)), 60)
    assert found.values[:3] == pytest.approx((0.7, 0.412121, 0.148485), abs=1e-6)
    assert found.band[0] == pytest.approx(1.959964 / math.sqrt(10))
    assert found.band[1] == pytest.approx(1.959964 * math.sqrt((1 + 2 * 0.49) / 10))
    assert (found.observed, found.missing) == (10, 0)
    assert len(found.values) == 7  # at a lag of 8 hours two pairs are left, fewer than a quarter of ten


def test_a_daily_rhythm_peaks_at_a_day_and_is_known_at_a_week_only_where_the_series_reaches():
    day = [math.sin(2 * math.pi * hour / 24) + 2 for hour in range(24)]
    found = statistics.autocorrelation(bins(*(day * 3)), 60)
    assert found.peak == 24 * 60
    assert found.at(24 * 60)[0] == pytest.approx(2 / 3)
    assert found.at(7 * 24 * 60) is None
    weeks = statistics.autocorrelation(bins(*(day * 21)), 60)
    assert weeks.at(7 * 24 * 60)[0] == pytest.approx(14 / 21)
    assert weeks.at(90) is None


def test_gaps_are_counted_and_left_out_of_the_sums():
    found = statistics.autocorrelation(bins(1, 2, None, 4, 5, 6, 7, 8, 9, 10), 60)
    assert (found.observed, found.missing) == (9, 1)
    values = [1, 2, None, 4, 5, 6, 7, 8, 9, 10]
    mean = sum(filter(None, values)) / 9
    away = [0 if value is None else value - mean for value in values]
    whole = sum(x * x for x in away)
    assert found.values[0] == pytest.approx(sum(x * y for x, y in pairwise(away)) / whole)


def test_a_lag_between_islands_of_readings_is_no_value():
    island = [1, 2, 3, 2] * 6
    found = statistics.autocorrelation(bins(*island, *[None] * 200, *island), 60)
    assert len(found.values) < 24
    assert not any(math.isnan(value) for value in found.values)
    assert found.missing == 200


@pytest.mark.parametrize(
    ("series", "says"),
    [
        (bins(1, 2, 3), "too short for an autocorrelation (3 of at least 8 values)"),
        (bins(*[0.1] * 48), "constant (48 equal values)"),
        (bins(1, 2, *[None] * 50, 3, 4, 5, 6, 7), "too short for an autocorrelation (7 of"),
    ],
)
def test_no_autocorrelation_of_what_has_none(series, says):
    assert statistics.autocorrelation(series, 60).startswith(says)


def test_daily_values_have_lags_of_days():
    week = [10, 10, 10, 10, 10, 4, 4]
    days = bins(*(week * 8), minutes=1440)
    found = statistics.autocorrelation(days, 1440)
    assert found.peak == 7 * 1440
    assert len(found.values) == 32


@pytest.mark.parametrize(
    ("values", "places"),
    [
        ("1 2 1 2 1 2 50", [6]),
        ("1 1 1 1 1 1 3", [6]),  # more than half are equal: by the mean deviation
        ("1 1 1 1 1 1 1", []),
        ("1 2 50", []),  # too few to call any of them typical
        ("10 11 12 11 10 11 -40 90", [7, 6]),
        ("", []),
    ],
)
def test_outliers_are_far_from_the_median_of_their_kind(values, places):
    numbers = [Decimal(value) for value in values.split()]
    assert [far.place for far in statistics.outliers(numbers, ["same"] * len(numbers))] == places


def test_outliers_name_the_typical_value_and_the_score():
    (far,) = statistics.outliers([Decimal(value) for value in (10, 11, 12, 11, 10, 12, 30)], [0] * 7)
    assert (far.value, far.typical) == (Decimal(30), Decimal("11.000000"))
    assert far.score == pytest.approx(19 / 1.4826)


def test_what_is_usual_at_night_is_unusual_at_noon():
    series = [
        each
        for day in range(6)
        for each in bins(*([1.0] * 12 + [9 + day / 10] * 12), start=START + timedelta(days=day))
    ]
    odd = series[30]
    series[30] = Bin("import", odd.start, odd.day, odd.minute, Decimal(9), 1)
    assert [far.place for far in statistics.outlying_bins(series)] == [30]


def test_days_of_a_meter_are_held_against_the_same_meter():
    days = [
        MeterDay(meter, "import", date(2021, 3, 1 + n), Decimal(value), 48)
        for meter, values in (("small", (1, 1.1, 1, 0.9, 1, 100)), ("large", (100, 101, 99, 100, 98, 100)))
        for n, value in enumerate(map(str, values))
    ]
    assert [days[far.place].meter_id for far in statistics.outlying_days(days)] == ["small"]


def test_the_repeated_hour_is_two_instants_and_one_clock_time():
    rows = [
        ("m", "import", "2021-10-31 00:00", 30, "2021-10-31", "1", "kWh"),  # 01:00 BST
        ("m", "import", "2021-10-31 01:00", 30, "2021-10-31", "3", "kWh"),  # 01:00 GMT
        ("m", "import", "2021-11-01 01:00", 30, "2021-11-01", "5", "kWh"),
    ]
    series = figures(*rows).series(30)
    assert [each.start.hour for each in series] == [0, 1, 1]
    (slot,) = statistics.slots(series)
    assert (slot.minute, slot.values, slot.average) == (60, (1, 3, 5), Decimal(3))


def test_days_are_of_their_true_length():
    days = [date(2021, 3, 27), date(2021, 3, 28), date(2021, 10, 31)]
    assert LONDON.odd_days(days) == [(days[1], timedelta(hours=23)), (days[2], timedelta(hours=25))]
    assert not LocalClock("+05:30").odd_days(days)
    assert not LONDON.shows(datetime(2021, 3, 28, 1, 30))  # noqa: DTZ001 - a wall clock's
    assert LONDON.shows(datetime(2021, 10, 31, 1, 30))  # noqa: DTZ001
    assert LONDON.part_of_day(datetime(2021, 3, 28, 12, tzinfo=UTC), days[1]) == pytest.approx(12 / 23)


def test_energy_is_exact_in_kwh_and_wh_rounds_half_up_value_by_value():
    rows = [
        ("a", "import", "2021-03-01 00:00", 15, "2021-03-01", "0.0005", "Wh"),
        ("b", "import", "2021-03-01 00:15", 15, "2021-03-01", "0.0005", "Wh"),
        ("a", "import", "2021-03-01 00:30", 15, "2021-03-01", "123456789012.345678", "kWh"),
        ("a", "export", "2021-03-08 00:30", 15, "2021-03-08", "1", "kWh"),
    ]
    found = figures(*rows)
    assert found.totals("day")[1] == Total("import", date(2021, 3, 1), Decimal("123456789012.345680"), 3, 1)
    assert [(each.direction, each.start) for each in found.totals("week")] == [
        ("export", date(2021, 3, 8)),
        ("import", date(2021, 3, 1)),
    ]
    assert [each.kwh for each in found.series(30)] == [Decimal(1), Decimal("0.000002"), Decimal("123456789012.345678")]
    extent = found.extent()
    assert extent.directions == ["import", "export"]
    assert (extent.readings, extent.meters, extent.newest_file, extent.grain) == (4, 2, 4, 15)


@pytest.mark.parametrize(
    ("lengths", "grain"),
    [
        ({30: 5}, 30),
        ({60: 1}, 60),
        ({15: 9, 30: 5, 60: 1, 1440: 1}, 60),
        ({1380: 1, 1440: 1, 1500: 1}, 1440),
        ({120: 1}, 120),
        ({}, 1440),
    ],
)
def test_the_series_goes_by_the_interval_that_all_shorter_ones_fill(lengths, grain):
    assert Extent(0, 0, (), lengths, {}, 0).grain == grain


def test_daily_readings_are_a_series_of_days_and_no_hours():
    rows = [("m", "import", f"2021-03-0{n} 00:00", 1440, f"2021-03-0{n}", str(n), "kWh") for n in range(1, 4)]
    found = figures(*rows)
    assert [(each.day, each.kwh) for each in found.series(1440)] == [(date(2021, 3, n), n) for n in range(1, 4)]
    assert found.series(60) == []


def test_local_hours_of_odd_zones_begin_on_their_own_clock():
    rows = [("m", "import", "2021-03-01 00:15", 15, "2021-03-01", "1", "kWh")]  # 06:00 in Kathmandu
    (hour,) = figures(*rows, clock=LocalClock("Asia/Kathmandu")).series(60)
    assert (hour.start, hour.minute) == (datetime(2021, 3, 1, 0, 15, tzinfo=UTC), 360)


def test_a_feed_without_readings_is_empty_not_an_error():
    assert figures().extent() == Extent(0, 0, (), {}, {}, 0)


def test_missing_intervals_are_counted_by_day_and_by_meter():
    gap = {"feed": "f", "direction": "import", "interval_minutes": 30, "expected_by": "history"}
    at = datetime(2021, 3, 1, tzinfo=UTC)
    gaps = [
        gap | {"meter_id": meter, "interval_start": at + timedelta(minutes=30 * n), "local_date": at.date()}
        for meter, count in (("a", 3), ("b", 1))
        for n in range(count)
    ]
    found = figures(gaps=gaps)
    assert found.gaps_by_day() == [Gaps("import", date(2021, 3, 1), 4, 2, 30)]
    assert [(each.key, each.intervals) for each in found.gaps_by_meter()] == [("a", 3), ("b", 1)]
