"""Time zones in Python: which there are, by how much their clocks are set back, and which of their days are split."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.clock import zones

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "shifts"),
    [
        ("UTC", []),
        ("Asia/Kathmandu", []),
        ("+05:45", []),
        ("Europe/London", [HOUR]),
        ("Europe/Vilnius", [HOUR]),
        ("America/Havana", [HOUR]),
        ("Asia/Beirut", [HOUR]),
        ("Pacific/Apia", [HOUR]),
        ("Africa/Casablanca", [HOUR]),
        ("America/Caracas", [HOUR / 2]),
        ("Australia/Lord_Howe", [HOUR / 2, HOUR]),
        ("Antarctica/Casey", [3 * HOUR]),
    ],
)
def test_the_clocks_of_a_zone_are_set_back_by(zone, shifts):
    assert set(shifts) <= set(zones.backward_shifts(zone))
    assert len(zones.backward_shifts(zone)) == len(shifts)


@pytest.mark.parametrize(
    ("name", "offset"),
    [
        ("+05:30", timedelta(hours=5, minutes=30)),
        ("-05:30", -timedelta(hours=5, minutes=30)),
        ("-00:30", -timedelta(minutes=30)),
        ("+00:00", timedelta()),
        ("+18:00", timedelta(hours=18)),
    ],
)
def test_an_offset_is_a_zone(name, offset):
    assert datetime(2021, 7, 1, tzinfo=zones.zone_info(name)).utcoffset() == offset


def test_a_region_is_a_zone():
    zone = zones.zone_info("Europe/London")
    assert datetime(2021, 7, 1, 12, tzinfo=UTC).astimezone(zone).hour == 13
    assert datetime(2021, 1, 1, 12, tzinfo=UTC).astimezone(zone).hour == 12


@pytest.mark.parametrize(
    ("zone", "changes"), [("UTC", False), ("GMT", False), ("+01:00", False), ("Europe/London", True)]
)
def test_only_regions_change_their_clocks(zone, changes):
    assert zones.has_clock_changes(zone) is changes


@pytest.mark.parametrize(
    ("zone", "months"),
    [
        ("Asia/Kolkata", set()),
        ("+05:45", set()),
        ("Pacific/Apia", {1, 3, 4, 9, 10, 12}),  # over the end of 2011 it skipped a day
        ("Africa/Casablanca", set(range(1, 13))),  # around Ramadan, which wanders through the year
    ],
)
def test_days_near_a_change_lie_in_the_months(zone, months):
    assert set(zones.months_of_changes(zone)) == months


@pytest.mark.parametrize("zone", ["UTC", "-03:30", "Europe/London", "America/Havana", "Asia/Beirut", "Pacific/Apia"])
def test_a_day_is_one_stretch_of_time_where_no_clock_goes_back_over_a_midnight_it_has_passed(zone):
    assert zones.split_days(zone) == ()


def test_the_day_before_a_clock_goes_back_from_one_minute_past_midnight_comes_in_two_parts_and_so_does_the_next():
    newfoundland = zones.split_days("America/St_Johns")
    assert {date(2010, 11, 6), date(2010, 11, 7)} <= set(newfoundland)
    assert max(newfoundland) == date(2010, 11, 7)  # from 2011 on at two o'clock
    assert zones.split_days("Antarctica/Casey") == (date(2010, 3, 4), date(2010, 3, 5))
