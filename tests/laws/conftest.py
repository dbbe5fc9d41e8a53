"""The cases and the answers that the laws look at, made once for all of them."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import available_timezones

import pyarrow as pa
import pytest

from tests.conftest import BY_SAIL
from tests.laws import answers, cases, oracle

# No zones of places: names that only files of a system have.
OF_SYSTEMS = {"Factory", "localtime"}


@pytest.fixture(scope="session")
def known_zones(spark):
    """Names of the zones that both Python and the engine know."""
    if BY_SAIL:
        return sorted(available_timezones() - OF_SYSTEMS)
    java = spark._jvm.java
    return sorted(
        available_timezones() & set(java.lang.String.join(",", java.time.ZoneId.getAvailableZoneIds()).split(","))
    )


@pytest.fixture(scope="session")
def disputed(spark, known_zones):
    """(zone, year) in which the clocks of Java and of Python differ: their time zone data are of different releases.

    Spark uses the JVM's, the oracle the system's. No conversion of ours takes part: Spark's own function is asked for
    the first, the last and every fifth day's second of each stretch between two changes.
    """
    stretches = [(name, *stretch) for name in known_zones for stretch in oracle.clock(name).stretches]
    columns = zip(("zone", "begin", "stop", "offset"), zip(*stretches, strict=True), strict=True)
    found = (
        spark.createDataFrame(pa.table({name: list(values) for name, values in columns}))
        .selectExpr(
            "zone", "offset", f"explode(array_append(sequence(begin, stop - 1, {oracle.STEP}), stop - 1)) AS at"
        )
        .where("unix_timestamp(from_utc_timestamp(timestamp_seconds(at), zone)) <> at + offset")
        .selectExpr("zone", "year(timestamp_seconds(at)) AS year")
        .distinct()
    )
    return {(row["zone"], row["year"]) for row in found.toArrow().to_pylist()}


@pytest.fixture(scope="session")
def clocks(known_zones, disputed):
    """Names of zones whose clocks differ from each other; each known zone has the clock of one of them."""
    of_clock = {}
    for name in sorted(known_zones, key=lambda name: not is_region(name)):
        years = frozenset(year for zone, year in disputed if zone == name)
        of_clock.setdefault((oracle.clock(name), years), name)
    return list(of_clock.values())


@pytest.fixture(scope="session")
def every_change(clocks, disputed):
    """All changes of all clocks."""
    return undisputed(cases.every_change(clocks), disputed)


@pytest.fixture(scope="session")
def every_kind_of_change(clocks, disputed):
    """All changes of a few clocks, which hold all kinds of changes."""
    return undisputed(cases.every_kind_of_change(clocks), disputed)


@pytest.fixture(scope="session")
def drawn(known_zones, disputed):
    """Zones and days that hypothesis draws."""
    return undisputed(cases.drawn(list(filter(is_region, known_zones))), disputed)


def is_region(name):
    """Whether a feed may have that zone; the other names are old ones of regions, or abbreviations."""
    return "/" in name or name in {"UTC", "GMT"}


def undisputed(asked, disputed):
    """The cases without the days in, or within three days of, a disputed year of their zone."""

    def agreed(zone, day):
        return not any((zone, year) in disputed for year in oracle.year_of([day - 3, day + 3]).tolist())

    kept = [replace(each, days=tuple(day for day in each.days if agreed(each.zone, day))) for each in asked]
    return [each for each in kept if each.days]


@pytest.fixture(scope="session", params=["every_change", "drawn"])
def asked(request):
    """Either set of cases: each law of the clock holds for both."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def days(spark, asked):
    """What the pipeline says of the days asked."""
    return answers.of_days(spark, asked)


@pytest.fixture(scope="session")
def labels(spark, asked):
    """What the pipeline says of the local times of the days asked."""
    return answers.of_labels(spark, asked)


@pytest.fixture(scope="session", params=["every_kind_of_change", "drawn"])
def readings(spark, request):
    """What the pipeline makes of files that deliver the days: cheaper for fewer clocks, a plan for each is dear."""
    return answers.of_readings(spark, request.getfixturevalue(request.param))
