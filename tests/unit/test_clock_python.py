"""Time zones in Python: which there are, and by how much their clocks are set back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline import clock

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
    assert set(shifts) <= set(clock.backward_shifts(zone))
    assert len(clock.backward_shifts(zone)) == len(shifts)


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
    assert datetime(2021, 7, 1, tzinfo=clock.zone_info(name)).utcoffset() == offset


def test_a_region_is_a_zone():
    zone = clock.zone_info("Europe/London")
    assert datetime(2021, 7, 1, 12, tzinfo=UTC).astimezone(zone).hour == 13
    assert datetime(2021, 1, 1, 12, tzinfo=UTC).astimezone(zone).hour == 12


@pytest.mark.parametrize(
    ("zone", "changes"), [("UTC", False), ("GMT", False), ("+01:00", False), ("Europe/London", True)]
)
def test_only_regions_change_their_clocks(zone, changes):
    assert clock.has_clock_changes(zone) is changes
