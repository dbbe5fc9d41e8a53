"""Arrays of instants and local times: what single values give."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from pipeline.clock import arrays, local_time, zones

# Changes that DuckDB's own zones may not know yet, zones with odd shifts, days that are split, an offset.
ZONES = (
    "Europe/London",
    "America/Vancouver",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "+05:30",
    "UTC",
)
QUARTER = timedelta(minutes=15)


def moments(zone):
    """Quarter hours around each change of the zone's clocks, and moments far from any."""
    around = list(zones.offsets(zone)[0][1:-1]) or [0]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    near = [epoch + timedelta(microseconds=at) + n * QUARTER for at in around[-200:] for n in range(-6, 7)]
    return [*near, epoch, datetime(2026, 12, 1, tzinfo=UTC), datetime(2021, 7, 1, tzinfo=UTC)]


@pytest.mark.parametrize("zone", ZONES)
def test_an_array_of_instants_is_what_its_values_are(zone):
    instants = [*moments(zone), None]
    found = arrays.wall_clock(pa.array(instants, arrays.INSTANT), pa.array([zone] * len(instants)))
    expected = [at and local_time.wall_clock(at, zone) for at in instants]
    assert found.to_pylist() == expected
    back = arrays.first_instant(found, pa.array([zone] * len(instants)))
    firsts = [local and local_time.first_instant(local.replace(fold=0), zone) for local in expected]
    assert back.cast(pa.int64()).to_pylist() == pa.array(firsts, arrays.INSTANT).cast(pa.int64()).to_pylist()


@pytest.mark.parametrize("year", [1, 1850, 1969, 2100, 2500])
def test_years_that_the_facts_do_not_cover(year):
    instants = [datetime(year, 7, 1, tzinfo=UTC), datetime(2021, 7, 1, tzinfo=UTC), None]
    found = arrays.wall_clock(pa.array(instants, arrays.INSTANT), pa.array(["Europe/London"] * 3))
    assert found.to_pylist() == [at and local_time.wall_clock(at, "Europe/London") for at in instants]


def test_each_row_has_its_own_zone():
    at = datetime(2021, 7, 1, tzinfo=UTC)
    given = ["Europe/London", "Europe/Vilnius", None, "Europe/London"]
    found = arrays.wall_clock(pa.array([at, at, at, None], arrays.INSTANT), pa.array(given))
    assert [value and value.hour for value in found.to_pylist()] == [1, 3, None, None]
