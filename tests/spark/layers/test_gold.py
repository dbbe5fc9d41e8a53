"""Readings become half hours, meter days and products, all in kWh (contract, section 4)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from chispa import assert_df_equality

from pipeline.lake import tables
from pipeline.lake.rows import conform
from pipeline.lake.types import arrow_schema
from pipeline.layers import gold

READING = (
    "feed string, meter_id string, direction string, interval_start timestamp, interval_minutes int, local_date date, "
    "consumption decimal(18,6), unit string, file_id bigint"
)
PRODUCTS = "meterpoint_id string, day date, product_display_name string"
ZONES = {
    "london": "Europe/London",
    "nepal": "Asia/Kathmandu",
    "howe": "Australia/Lord_Howe",
    "havana": "America/Havana",
    "utc": "UTC",
}
SEED = 1970


def reading(feed, meter, start, minutes, value, *, unit="kWh", direction="import"):
    """`start` is a UTC instant; the local day follows from the feed's zone."""
    moment = datetime.fromisoformat(f"{start}:00+00:00")
    day = moment.astimezone(ZoneInfo(ZONES[feed])).date()
    return (feed, meter, direction, f"{start}:00", minutes, day, value, unit, 1)


def whole_day(feed, meter, day, minutes, value="0.001"):
    """A reading for each interval of a local day."""
    zone = ZoneInfo(ZONES[feed])
    first = datetime.fromisoformat(day)
    moment, end = (each.replace(tzinfo=zone).astimezone(UTC) for each in (first, first + timedelta(days=1)))
    count = (end - moment) // timedelta(minutes=minutes)
    starts = [moment + timedelta(minutes=minutes * n) for n in range(count)]
    return [reading(feed, meter, f"{start:%Y-%m-%d %H:%M}", minutes, value) for start in starts]


@pytest.fixture
def readings(frame):
    return lambda *rows: gold.in_kwh(frame(READING, *rows))


def test_wh_become_kwh_rounded_half_up_value_by_value_and_kwh_stay(readings, as_rows):
    values = {
        "0.5": "0.000500",
        "0.0005": "0.000001",
        "0.000499": "0.000000",
        "1234.5675": "1.234568",
        "1234.567499": "1.234567",
        "999999999999.999999": "1000000000.000000",
    }
    rows = [reading("utc", f"m{n}", "2021-01-01 00:00", 30, value, unit="Wh") for n, value in enumerate(values)]
    found = readings(*rows, reading("utc", "n", "2021-01-01 00:00", 30, "0.0005"))
    assert ("kwh", "decimal(18,6)") in found.dtypes
    expected = [*((f"m{n}", kwh) for n, kwh in enumerate(values.values())), ("n", "0.000500")]
    assert as_rows(found, "meter_id", "kwh") == expected


def test_quarter_hours_are_summed_into_the_half_hours_of_the_local_day(readings, as_rows):
    rows = [
        reading("nepal", "m", "2020-12-31 18:15", 15, "0.1"),  # midnight in Kathmandu
        reading("nepal", "m", "2020-12-31 18:30", 15, "0.2"),
        reading("nepal", "m", "2020-12-31 18:45", 15, "0.4"),
        reading("london", "m", "2021-01-01 00:00", 15, "0.1"),
        reading("london", "m", "2021-01-01 00:15", 15, "0.2"),
        reading("london", "m", "2021-01-01 00:45", 15, "0.4"),
        reading("howe", "m", "2021-04-04 13:15", 15, "0.2"),  # after the clocks went back by half an hour
        reading("havana", "m", "2021-03-14 05:15", 15, "0.1"),  # the day without a midnight
    ]
    halves = gold.half_hours(readings(*rows), ZONES)
    assert as_rows(gold.total_consumption_half_hour(halves, one_row_a_meter=False).drop("file_id")) == [
        ("havana", "import", "2021-03-14 05:00:00", "2021-03-14", "1", "0.100000"),
        ("howe", "import", "2021-04-04 13:00:00", "2021-04-04", "1", "0.200000"),
        ("london", "import", "2021-01-01 00:00:00", "2021-01-01", "1", "0.300000"),
        ("london", "import", "2021-01-01 00:30:00", "2021-01-01", "1", "0.400000"),
        ("nepal", "import", "2020-12-31 18:15:00", "2021-01-01", "1", "0.300000"),
        ("nepal", "import", "2020-12-31 18:45:00", "2021-01-01", "1", "0.400000"),
    ]


def test_readings_longer_than_half_an_hour_are_in_no_half_hour_and_each_feed_and_direction_has_its_own(
    readings, as_rows
):
    halves = gold.half_hours(
        readings(
            reading("london", "a", "2021-01-01 00:00", 60, "5"),
            reading("london", "a", "2021-01-01 00:00", 30, "0.25"),
            reading("london", "b", "2021-01-01 00:00", 30, "0.50"),
            reading("london", "a", "2021-01-01 00:00", 30, "0.75", direction="export"),
            reading("utc", "a", "2021-01-01 00:00", 30, "1"),
        ),
        ZONES,
    )
    expected = [
        ("london", "export", "2021-01-01 00:00:00", "2021-01-01", "1", "0.750000"),
        ("london", "import", "2021-01-01 00:00:00", "2021-01-01", "2", "0.750000"),
        ("utc", "import", "2021-01-01 00:00:00", "2021-01-01", "1", "1.000000"),
    ]
    for one_row_a_meter in (False, True):
        assert (
            as_rows(gold.total_consumption_half_hour(halves, one_row_a_meter=one_row_a_meter).drop("file_id"))
            == expected
        )


def test_a_day_has_as_many_half_hours_and_expects_as_many_readings_as_the_clocks_make_it(readings, as_rows):
    days = {
        ("london", "2021-03-27", 30): 48,
        ("london", "2021-03-28", 30): 46,
        ("london", "2021-10-31", 30): 50,
        ("london", "2022-10-30", 15): 100,
        ("london", "2022-03-27", 60): 23,
        ("london", "2020-10-25", 60): 25,
        ("howe", "2021-04-04", 30): 49,
        ("howe", "2021-10-03", 15): 94,
        ("havana", "2021-03-14", 30): 46,
        ("nepal", "2021-03-28", 15): 96,
    }
    found = readings(*(row for feed, day, minutes in days for row in whole_day(feed, "m", day, minutes)))
    expected = {(feed, day): (str(count), str(count)) for (feed, day, _), count in days.items()}
    counts = as_rows(gold.meter_day(found, ZONES), "feed", "local_date", "intervals_received", "intervals_expected")
    assert {(feed, day): (received, wanted) for feed, day, received, wanted in counts} == expected
    halves = gold.total_consumption_half_hour(gold.half_hours(found, ZONES), one_row_a_meter=False)
    per_day = halves.groupBy("feed", "local_date").count().where("feed != 'nepal'")
    assert {(feed, day): int(count) for feed, day, count in as_rows(per_day)} == {
        (feed, day): count // (2 if minutes == 15 else 1)
        for (feed, day, minutes), count in days.items()
        if minutes <= 30 and feed != "nepal"
    }


def test_a_meter_day_has_its_sum_in_kwh_its_first_and_last_interval_and_expects_the_shortest(readings, frame):
    days = gold.meter_day(
        readings(
            reading("london", "a", "2021-01-01 00:00", 30, "999.9995", unit="Wh"),
            reading("london", "a", "2021-01-01 23:30", 30, "0.0005", unit="Wh"),
            reading("london", "b", "2021-01-01 06:00", 30, "1"),
            reading("london", "b", "2021-01-01 06:30", 15, "1"),
            reading("london", "c", "2021-06-30 23:00", 1440, "7"),
        ),
        ZONES,
    )
    expected = [
        ("a", "2021-01-01", "1.000001", "kWh", 2, 48, "2021-01-01 00:00:00", "2021-01-01 23:30:00"),
        ("b", "2021-01-01", "2.000000", "kWh", 2, 96, "2021-01-01 06:00:00", "2021-01-01 06:30:00"),
        ("c", "2021-07-01", "7.000000", "kWh", 1, 1, "2021-06-30 23:00:00", "2021-06-30 23:00:00"),
    ]
    assert_df_equality(
        conform(days, tables.METER_DAY),
        frame(tables.METER_DAY.schema, *(("london", meter, "import", *rest, 1) for meter, *rest in expected)),
        ignore_row_order=True,
        ignore_nullable=True,
    )


def test_the_average_is_rounded_half_up_and_counts_a_meter_once(readings, frame):
    agreed = frame(PRODUCTS, *((meter, "2021-01-01", "P") for meter in "abc"))
    rows = [
        reading("utc", "a", "2021-01-01 00:00", 30, "0.000001"),
        reading("utc", "b", "2021-01-01 00:00", 30, "0"),
        reading("utc", "a", "2021-01-01 00:30", 15, "0.5"),
        reading("utc", "a", "2021-01-01 00:45", 15, "0.5"),
        reading("utc", "b", "2021-01-01 00:30", 30, "0"),
        reading("utc", "c", "2021-01-01 00:30", 30, "0"),
        reading("utc", "d", "2021-01-01 00:30", 30, "3"),
    ]
    halves = gold.with_product(gold.half_hours(readings(*rows), ZONES), agreed)
    found = conform(gold.avg_half_hour_by_product(halves, one_row_a_meter=False), tables.PRODUCT_HALF_HOUR)
    expected = frame(
        tables.PRODUCT_HALF_HOUR.schema,
        ("utc", "import", "2021-01-01 00:00:00", "2021-01-01", "P", 2, "0.000001", "0.000001", 1),
        ("utc", "import", "2021-01-01 00:30:00", "2021-01-01", "(no agreement)", 1, "3.000000", "3.000000", 1),
        ("utc", "import", "2021-01-01 00:30:00", "2021-01-01", "P", 3, "1.000000", "0.333333", 1),
    )
    assert_df_equality(found, expected, ignore_row_order=True, ignore_nullable=True)


def test_the_products_of_a_day_add_up_to_its_half_hours_and_are_what_python_computes(readings, frame, as_rows):
    spring, autumn = "2021-03-28", "2021-10-31"
    dice = random.Random(SEED)
    rows = [
        (*row[:6], f"{dice.randrange(10**6)}.{dice.randrange(10**6):06}", *row[7:])
        for meter in ("a", "b", "c", "d")
        for day in (spring, autumn)
        for row in whole_day("london", meter, day, 30)
    ]
    product_of = {("a", spring): "P", ("b", spring): "P", ("c", spring): "Q", ("a", autumn): "Q"}
    agreed = frame(PRODUCTS, *((*key, product) for key, product in product_of.items()))
    expected = {}
    for _, meter, _, _, _, day, value, *_ in rows:
        key = (str(day), product_of.get((meter, str(day)), "(no agreement)"))
        expected[key] = expected.get(key, 0) + Decimal(value)
    found = readings(*rows)
    per_day = gold.consumption_per_product_per_day(gold.with_product(gold.meter_day(found, ZONES), agreed))
    assert as_rows(conform(per_day, tables.PRODUCT_DAY), "date", "product_display_name", "total_kwh") == sorted(
        (*key, str(total)) for key, total in expected.items()
    )
    halves = gold.half_hours(found, ZONES)
    totals = (
        gold.total_consumption_half_hour(halves, one_row_a_meter=True).groupBy("local_date").agg({"total_kwh": "sum"})
    )
    days = {day: sum(total for (each, _), total in expected.items() if each == day) for day, _ in expected}
    assert as_rows(totals) == sorted((day, str(total)) for day, total in days.items())


def test_the_totals_over_all_products_are_those_of_the_readings_themselves(readings, frame, as_rows):
    agreed = frame(PRODUCTS, ("a", "2021-03-28", "P"), ("b", "2021-03-28", "Q"), ("c", "2021-03-28", "P"))
    rows = [row for meter in ("a", "b", "c", "d") for row in whole_day("london", meter, "2021-03-28", 15, "0.123456")]
    rows += [reading("howe", "a", "2021-03-28 00:00", 30, "1", direction="export")]
    halves = gold.half_hours(readings(*rows), ZONES)
    totals = conform(gold.total_consumption_half_hour(halves, one_row_a_meter=False), tables.HALF_HOUR)
    by_product = gold.avg_half_hour_by_product(gold.with_product(halves, agreed), one_row_a_meter=False)
    added = gold.over_all_products(conform(by_product, tables.PRODUCT_HALF_HOUR).toArrow())
    added = added.select(tables.HALF_HOUR.names).cast(arrow_schema(tables.HALF_HOUR))
    by_start = ["feed", "interval_start"]
    assert (
        added.sort_by([(name, "ascending") for name in by_start]).to_pylist()
        == totals.orderBy(*by_start).toArrow().to_pylist()
    )
    assert len(added) == 46 + 1


def test_every_cell_names_the_newest_delivery_that_it_holds_a_reading_of(readings, frame):
    rows = [
        (*reading("utc", "a", "2021-01-01 00:00", 30, "1")[:-1], 3),
        (*reading("utc", "a", "2021-01-01 00:30", 30, "1")[:-1], 7),
        (*reading("utc", "b", "2021-01-01 00:00", 30, "1")[:-1], 5),
    ]
    agreed = frame(PRODUCTS, ("a", "2021-01-01", "P"))
    halves = gold.half_hours(readings(*rows), ZONES)
    days = gold.meter_day(readings(*rows), ZONES)
    products = gold.with_product(days, agreed)
    for cells, expected in (
        (gold.total_consumption_half_hour(halves, one_row_a_meter=True), [5, 7]),
        (days, [5, 7]),
        (gold.consumption_per_product_per_day(products), [5, 7]),
        (gold.avg_half_hour_by_product(gold.with_product(halves, agreed), one_row_a_meter=True), [3, 5, 7]),
    ):
        assert sorted(row["file_id"] for row in cells.toArrow().to_pylist()) == expected
