"""gold.missing_intervals: each gap by its identity, for meters that are expected by their history or an agreement."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from jobs import query, run
from pipeline.attention import yesterday
from pipeline.config.feeds import Feed
from pipeline.config.reference import Reference
from pipeline.lake import tables
from tests.jobs.conftest import ELECTRICITY, database, day, put, rows, split_json, utc, versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

pytestmark = pytest.mark.slow  # whole runs of every command, one after the other: `make test-platform`

HOURS = Feed(
    name="electricity", format="split_json", path="electricity", time_zone="Europe/London", interval_minutes=60
)


def whole_day(date: str, meter: str, hours: int = 24, without: tuple[int, ...] = ()) -> list[list[Any]]:
    """A day of hourly rows of a meter, without some hours."""
    return [[f"{date} {hour:02d}:00:00", meter, "1"] for hour in range(hours) if hour not in without]


def gaps(context: Context) -> dict[tuple[object, ...], int]:
    """(meter, local date, why) -> number of missing intervals."""
    return dict(Counter(rows(context, tables.MISSING, "meter_id", "local_date", "expected_by")))


def test_a_gap_is_listed_by_its_identity(lake: Callable[..., Context], electricity: Path) -> None:
    put(
        electricity,
        "a.json",
        split_json(*whole_day("2021-06-01", "m1", without=(3, 4)), *whole_day("2021-06-01", "m2")),
    )
    context = lake(HOURS)
    run.run(context)
    assert rows(context, tables.MISSING, "feed", "meter_id", "direction", "interval_start", "interval_minutes") == [
        ("electricity", "m1", "import", utc("2021-06-01 02:00"), 60),
        ("electricity", "m1", "import", utc("2021-06-01 03:00"), 60),
    ]


def test_a_day_with_a_clock_change_is_complete_at_its_true_length(
    lake: Callable[..., Context], electricity: Path
) -> None:
    spring = whole_day("2021-03-28", "m1", without=(1,))  # 01:00 to 02:00 did not exist
    autumn = whole_day("2021-10-31", "m1")  # 01:00 comes once only, where it should twice
    put(electricity, "a.json", split_json(*spring, *autumn))
    context = lake(HOURS)
    run.run(context)
    delivered = {day("2021-03-28"), day("2021-10-31")}
    found = rows(context, tables.MISSING, "local_date", "interval_start", where=lambda r: r["local_date"] in delivered)
    assert found == [(day("2021-10-31"), utc("2021-10-31 01:00"))]


def test_a_meter_that_falls_silent_is_expected_for_a_week(lake: Callable[..., Context], electricity: Path) -> None:
    both = [*whole_day("2021-06-01", "m1"), *whole_day("2021-06-01", "m2")]
    others = [row for n in range(2, 12) for row in whole_day(f"2021-06-{n:02d}", "m2")]
    put(electricity, "a.json", split_json(*both, *others))
    context = lake(HOURS)
    run.run(context)
    assert gaps(context) == {("m1", day(f"2021-06-{n:02d}"), "history"): 24 for n in range(2, 9)}


def test_what_comes_late_fills_the_gap_and_a_new_day_opens_new_ones(
    lake: Callable[..., Context], electricity: Path
) -> None:
    first = [*whole_day("2021-06-01", "m1"), *whole_day("2021-06-01", "m2"), *whole_day("2021-06-02", "m2")]
    put(electricity, "a.json", split_json(*first))
    context = lake(HOURS)
    run.run(context)
    assert gaps(context) == {("m1", day("2021-06-02"), "history"): 24}
    # Days on which the whole feed was silent count once a later one has come.
    put(electricity, "b.json", split_json(*whole_day("2021-06-04", "m2")), minutes=1)
    run.run(lake(HOURS))
    silent = {("m1", day(f"2021-06-0{n}"), "history"): 24 for n in (2, 3, 4)}
    assert gaps(context) == silent | {("m2", day("2021-06-03"), "history"): 24}
    put(electricity, "c.json", split_json(*whole_day("2021-06-03", "m2"), *whole_day("2021-06-02", "m1")), minutes=2)
    run.run(lake(HOURS))
    assert gaps(context) == {("m1", day(f"2021-06-0{n}"), "history"): 24 for n in (3, 4)}
    before = versions(context)
    run.run(lake(HOURS))
    assert versions(context) == before


def test_a_meter_with_an_agreement_is_expected_before_it_ever_delivered(
    lake: Callable[..., Context], electricity: Path, tmp_path: Path
) -> None:
    put(electricity, "a.json", split_json(*whole_day("2021-06-01", "m1"), *whole_day("2021-06-02", "m1")))
    path = tmp_path / "reference.db"
    agreement = (1, "2021-06-02", None, "fixed", "m2", "a")
    settings = {"reference": Reference(url=database(path, [agreement]), feeds=("electricity",))}
    context = lake(HOURS, **settings)
    run.run(context)
    assert gaps(context) == {("m2", day("2021-06-02"), "agreement"): 24}
    # The agreement turns out to have begun a day earlier.
    database(path, [(1, "2021-06-01", None, "fixed", "m2", "a")])
    run.run(lake(HOURS, **settings))
    assert gaps(context) == {("m2", day(f"2021-06-0{n}"), "agreement"): 24 for n in (1, 2)}
    # The reference no longer names this feed.
    run.run(lake(HOURS, reference=Reference(url=settings["reference"].url, feeds=())))
    assert gaps(context) == {}


def test_yesterday_is_the_feeds_own_and_a_feed_that_is_behind_says_so(
    lake: Callable[..., Context], electricity: Path
) -> None:
    put(electricity, "a.json", split_json(*whole_day("2021-06-01", "m1", without=(5,))))
    context = lake(HOURS)
    run.run(context)
    context.now = utc("2021-06-01 23:30")  # in London the second of June has begun
    (fact,) = yesterday.completeness(context)
    assert fact == {
        "feed": "electricity",
        "yesterday": "2021-06-01",
        "meters": 1,
        "intervals_received": 23,
        "intervals_missing": 1,
        "last_day": "2021-06-01",
    }
    context.now = utc("2021-06-02 23:30")
    (fact,) = yesterday.completeness(context)
    assert (fact["yesterday"], fact["meters"], fact["intervals_missing"]) == ("2021-06-02", 0, None)


def test_longer_grains_add_up_and_the_history_keeps_every_version(
    lake: Callable[..., Context], electricity: Path
) -> None:
    days = [*whole_day("2021-05-31", "m1"), *whole_day("2021-06-01", "m1"), *whole_day("2021-06-01", "m2")]
    put(electricity, "a.json", split_json(*days))
    put(electricity, "b.json", split_json(["2021-06-01 00:00:00", "m1", "5"]), minutes=1)
    context = lake(HOURS)
    run.run(context)

    def answer(text: str) -> list[tuple[str, ...]]:
        found = query.select(context, text).toArrow().to_pylist()
        return [tuple(str(value) for value in row.values()) for row in found]

    assert answer("SELECT month_start, total_kwh FROM gold.meter_month WHERE meter_id = 'm1' ORDER BY 1") == [
        ("2021-05-01", "24.000000"),
        ("2021-06-01", "28.000000"),
    ]
    assert answer("SELECT total_kwh, days_with_readings, intervals_expected FROM gold.meter_year ORDER BY 1") == [
        ("24.000000", "1", "24"),
        ("52.000000", "2", "48"),
    ]
    assert answer("SELECT month_start, meterpoint_count, total_kwh FROM gold.feed_month ORDER BY 1") == [
        ("2021-05-01", "1", "24.000000"),
        ("2021-06-01", "2", "52.000000"),
    ]
    assert answer("SELECT year_start, meterpoint_count, total_kwh FROM gold.feed_year") == [
        ("2021-01-01", "2", "76.000000")
    ]
    assert answer("SELECT local_date, total_kwh FROM gold.feed_day ORDER BY 1") == [
        ("2021-05-31", "24.000000"),
        ("2021-06-01", "52.000000"),
    ]
    assert answer("SELECT count(*), sum(total_kwh), max(total_kwh) FROM gold.feed_hour") == [
        ("48", "76.000000", "6.000000")
    ]
    assert answer(
        "SELECT file_id, consumption, is_current FROM reading_history "
        "WHERE meter_id = 'm1' AND interval_start = '2021-05-31 23:00:00' ORDER BY 1"
    ) == [("1", "1.000000", "False"), ("2", "5.000000", "True")]
    assert answer("SELECT count(*) FROM reading_history WHERE is_current") == [("72",)]


def test_the_load_profile_is_by_weekday_and_local_half_hour(lake: Callable[..., Context], electricity: Path) -> None:
    # Two Mondays, one in winter and one in summer: the same half hour on the clock.
    put(
        electricity,
        "a.json",
        split_json(
            ["2021-01-04 18:30:00", "m1", "1"], ["2021-06-07 18:30:00", "m1", "2"], ["2021-06-07 18:30:00", "m2", "6"]
        ),
    )
    context = lake(ELECTRICITY)
    run.run(context)
    found = query.select(
        context, "SELECT weekday, half_hour, days, total_kwh, avg_kwh_per_meter FROM gold.load_profile"
    )
    assert [tuple(str(value) for value in row.values()) for row in found.toArrow().to_pylist()] == [
        ("1", "18:30", "2", "9.000000", "3.000000")
    ]
