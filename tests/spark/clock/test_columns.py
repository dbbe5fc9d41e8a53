"""Local time in Spark against Python's zoneinfo: thousands of local times around the clock changes of seven zones."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import functions as F

from pipeline.clock import columns as clock
from pipeline.clock import zones

ZONES = [
    "Europe/London",
    "Europe/Vilnius",
    "Australia/Lord_Howe",  # half an hour
    "America/Havana",  # midnight does not exist, or occurs twice
    "Asia/Beirut",  # the last hour of a day occurs twice
    "Pacific/Apia",  # a whole day does not exist
    "Asia/Kathmandu",  # quarter of an hour, no changes
]
FIRST, LAST = datetime(1990, 1, 1), datetime(2037, 12, 31)  # noqa: DTZ001 - local times have no zone
SEED = 1916


def offset(local, zone, fold):
    return local.replace(tzinfo=zone, fold=fold).utcoffset()


def changes(zone):
    """Local times near which the zone's offset changes, to the day."""
    days = (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days))
    return [day for day in days if offset(day, zone, 0) != offset(day + timedelta(days=1), zone, 0)]


def local_times(name):
    """Quarter hours of the days of some clock changes and their neighbours, and some of any day."""
    dice = random.Random(SEED)
    zone = ZoneInfo(name)
    found = changes(zone)
    some = found[:2] + dice.sample(found, min(len(found), 8)) + [datetime(2011, 12, 29), datetime(2021, 10, 30)]  # noqa: DTZ001
    times = {day + timedelta(minutes=15 * n) for day in some for n in range(-48, 3 * 96)}
    times |= {FIRST + timedelta(minutes=15 * dice.randrange((LAST - FIRST).days * 96)) for _ in range(200)}
    return sorted(times)


def exists(local, zone):
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    return instant.astimezone(zone).replace(tzinfo=None) == local


def expected(local, zone):
    """(earlier instant, or a neighbour; whether it does not exist; later instant; local day of the earlier one)."""
    first = (local - offset(local, zone, 0)).replace(tzinfo=UTC)
    second = (local - offset(local, zone, 1)).replace(tzinfo=UTC)
    there_is = exists(local, zone)
    return (first if there_is else None, not there_is, second if there_is and second != first else None)


def text(moment):
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


@pytest.fixture(scope="module")
def answers(spark):
    """zone -> {local time: (instant, is_nonexistent, later_instant, local_date)}, all as text, in one Spark job."""
    parts = []
    for name in ZONES:
        times = spark.createDataFrame([(text(local),) for local in local_times(name)], "label string")
        local = F.col("label").cast("timestamp")
        start = clock.instant(local, name)
        columns = [
            start,
            clock.is_nonexistent(local, start, name),
            clock.later_instant(local, start, name),
            clock.local_date(start, name),
        ]
        parts.append(times.select(F.lit(name), "label", *(column.cast("string") for column in columns)))
    found = {name: {} for name in ZONES}
    for name, label, *values in reduce(lambda a, b: a.unionAll(b), parts).collect():
        found[name][label] = values
    return found


@pytest.mark.parametrize("name", ZONES)
def test_a_local_time_that_does_not_exist_is_known_and_no_other(answers, name):
    zone = ZoneInfo(name)
    wrong = [t for t in local_times(name) if answers[name][text(t)][1] != str(not exists(t, zone)).lower()]
    assert wrong == []


@pytest.mark.parametrize("name", ZONES)
def test_a_local_time_is_the_earlier_of_its_instants(answers, name):
    zone = ZoneInfo(name)
    times = [t for t in local_times(name) if exists(t, zone)]
    wrong = [t for t in times if answers[name][text(t)][0] != text(expected(t, zone)[0])]
    assert wrong == []


@pytest.mark.parametrize("name", ZONES)
def test_a_local_time_that_occurs_twice_has_a_later_instant_and_no_other_has(answers, name):
    zone = ZoneInfo(name)
    times = [t for t in local_times(name) if exists(t, zone)]
    wrong = [t for t in times if answers[name][text(t)][2] != text(expected(t, zone)[2])]
    assert wrong == []


@pytest.mark.parametrize("name", ZONES)
def test_the_local_day_of_an_instant_is_the_day_of_its_local_time(answers, name):
    zone = ZoneInfo(name)
    times = [t for t in local_times(name) if exists(t, zone)]
    wrong = [t for t in times if answers[name][text(t)][3] != t.date().isoformat()]
    assert wrong == []


def test_the_generated_times_hold_gaps_and_repetitions_of_every_zone_that_has_them():
    for name in ZONES[:-1]:
        zone = ZoneInfo(name)
        verdicts = [expected(t, zone) for t in local_times(name)]
        assert any(missing for _, missing, _ in verdicts), name
        assert any(later for *_, later in verdicts), name


DAYS = {
    ("Europe/London", "2021-03-27"): 1440,
    ("Europe/London", "2021-03-28"): 23 * 60,
    ("Europe/London", "2021-10-31"): 25 * 60,
    ("Europe/Vilnius", "2021-03-28"): 23 * 60,
    ("Europe/Vilnius", "2021-10-31"): 25 * 60,
    ("Australia/Lord_Howe", "2021-04-04"): 24 * 60 + 30,
    ("Australia/Lord_Howe", "2021-10-03"): 24 * 60 - 30,
    ("America/Havana", "2021-03-14"): 23 * 60,  # begins at 01:00
    ("America/Havana", "2021-11-07"): 25 * 60,  # begins at the first of two midnights
    ("Asia/Beirut", "2021-03-28"): 23 * 60,
    ("Asia/Beirut", "2021-10-30"): 25 * 60,
    ("Asia/Beirut", "2021-10-31"): 1440,
    ("Pacific/Apia", "2011-12-29"): 1440,
    ("Pacific/Apia", "2011-12-30"): 0,  # never was
    ("Pacific/Apia", "2011-12-31"): 1440,
    ("Asia/Kathmandu", "2021-03-28"): 1440,
    ("UTC", "2021-03-28"): 1440,
    ("GMT", "2021-10-31"): 1440,
    ("+05:45", "2021-10-31"): 1440,
    ("-03:30", "2021-10-31"): 1440,
}


def test_a_day_is_as_long_as_the_clocks_make_it_and_begins_with_its_first_instant(spark):
    parts = [
        spark.createDataFrame([(day,)], "day string").select(
            F.lit(zone),
            "day",
            clock.day_minutes(F.col("day").cast("date"), zone),
            clock.day_start(F.col("day").cast("date"), zone).cast("string"),
        )
        for zone, day in DAYS
    ]
    rows = reduce(lambda a, b: a.unionAll(b), parts).collect()
    assert {(zone, day): minutes for zone, day, minutes, _ in rows} == DAYS
    starts = {(zone, day): start for zone, day, _, start in rows}
    for (name, day), start in starts.items():
        first = datetime.combine(date.fromisoformat(day), datetime.min.time(), zones.zone_info(name)).astimezone(UTC)
        local = first.astimezone(zones.zone_info(name))
        if local.date().isoformat() == day or day == "2011-12-30":
            assert start == text(first), (name, day)
    assert starts["America/Havana", "2021-03-14"] == "2021-03-14 05:00:00"


# (zone, local day, minutes) -> (number of instants, the first, the last); the laws (tests/laws) look at all zones.
INSTANTS = {
    ("UTC", "2021-03-28", 60): (24, "2021-03-28 00:00:00", "2021-03-28 23:00:00"),
    ("+05:45", "2021-03-28", 30): (48, "2021-03-27 18:15:00", "2021-03-28 17:45:00"),
    ("Asia/Kathmandu", "2021-03-28", 60): (24, "2021-03-27 18:15:00", "2021-03-28 17:15:00"),
    ("Europe/London", "2021-03-28", 30): (46, "2021-03-28 00:00:00", "2021-03-28 22:30:00"),
    ("Europe/London", "2021-10-31", 15): (100, "2021-10-30 23:00:00", "2021-10-31 23:45:00"),
    ("Australia/Lord_Howe", "2021-04-04", 30): (49, "2021-04-03 13:00:00", "2021-04-04 13:00:00"),
    ("Australia/Lord_Howe", "2021-04-04", 60): (24, "2021-04-03 13:00:00", "2021-04-04 12:00:00"),  # whole hours
    ("Pacific/Apia", "2011-12-30", 30): (0, None, None),  # never was
    # From one minute past midnight back to the day before: its quarters came again after the new day's first.
    ("America/St_Johns", "2010-11-06", 15): (99, "2010-11-06 02:30:00", "2010-11-07 03:15:00"),
    ("America/St_Johns", "2010-11-07", 15): (97, "2010-11-07 02:30:00", "2010-11-08 03:15:00"),
    ("America/St_Johns", "2010-11-07", 60): (25, "2010-11-07 02:30:00", "2010-11-08 02:30:00"),
    ("America/St_Johns", "2010-11-08", 15): (96, "2010-11-08 03:30:00", "2010-11-09 03:15:00"),
    ("Europe/London", None, 30): (None, None, None),
}


def test_the_intervals_of_a_day_are_counted_from_its_first_instant_and_all_lie_in_it(spark):
    parts = []
    for zone, text_of_day, minutes in INSTANTS:
        day = F.lit(text_of_day).cast("date")
        instants = clock.instants_of_day(day, minutes, zone)
        ends = [F.get(instants, n).cast("string") for n in (F.lit(0), F.size(instants) - 1)]
        columns = [clock.intervals_of_day(day, minutes, zone), *ends, F.size(instants)]
        parts.append(spark.range(1).select(F.lit(zone), F.lit(text_of_day), F.lit(minutes), *columns))
    rows = reduce(lambda a, b: a.unionAll(b), parts).collect()
    assert {tuple(row)[:3]: tuple(row)[3:6] for row in rows} == INSTANTS
    assert all(row[3] == row[6] for row in rows if row[1])


def test_the_length_of_the_intervals_may_be_a_column(spark):
    day, minutes = F.lit("2021-03-28").cast("date"), F.col("minutes").cast("int")
    lengths = spark.sql("SELECT explode(array(15, 30, 60, 1440)) AS minutes")
    for zone in ("Europe/London", "America/St_Johns"):
        columns = [clock.intervals_of_day(day, minutes, zone), F.size(clock.instants_of_day(day, minutes, zone))]
        assert {row[0] == row[1] for row in lengths.select(*columns).collect()} == {True}


@pytest.mark.parametrize(("zone", "start"), [("UTC", "00:00"), ("+05:45", "18:15"), ("-03:30", "03:30")])
def test_a_zone_without_clock_changes_has_neither_gaps_nor_repetitions(spark, zone, start):
    local = F.lit("2021-10-31 00:00:00").cast("timestamp")
    first = clock.instant(local, zone)
    columns = [first, clock.is_nonexistent(local, first, zone), clock.later_instant(local, first, zone)]
    (row,) = spark.range(1).select(*(column.cast("string") for column in columns)).collect()
    assert (row[0][11:16], row[1], row[2]) == (start, "false", None)
