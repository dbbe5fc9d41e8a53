"""Interval arrays on days with a clock change: true lengths, wall-clock positions, odd zones (contract, section 1)."""

from __future__ import annotations

import pytest

from tests.spark.interval_arrays import AUTUMN, SPRING, VILNIUS, numbered, parquet, readings


@pytest.fixture(scope="module")
def judged(read):
    """Judged rows of every case in Vilnius, by name: all read in one go."""
    with_hole = numbered(24)
    with_hole[3] = None  # 03:00 to 04:00 does not exist in Vilnius on the last Sunday of March
    files = {
        "true.parquet": parquet(
            *((SPRING, f"s{n}", numbered(n)) for n in (23, 46, 92)),
            *((AUTUMN, f"a{n}", numbered(n)) for n in (25, 50, 100)),
        ),
        "wall.parquet": parquet((SPRING, "spring", with_hole), (AUTUMN, "autumn", numbered(24))),
        "hole.parquet": parquet((SPRING, "m", numbered(24))),
        "quarter-wall.parquet": parquet((AUTUMN, "m", numbered(96))),
    }
    return read(VILNIUS, files)


@pytest.mark.parametrize(
    ("meter", "minutes", "first", "last"),
    [
        ("s23", 60, "2021-03-27 22:00", "2021-03-28 20:00"),
        ("s46", 30, "2021-03-27 22:00", "2021-03-28 20:30"),
        ("s92", 15, "2021-03-27 22:00", "2021-03-28 20:45"),
        ("a25", 60, "2021-10-30 21:00", "2021-10-31 21:00"),
        ("a50", 30, "2021-10-30 21:00", "2021-10-31 21:30"),
        ("a100", 15, "2021-10-30 21:00", "2021-10-31 21:45"),
    ],
)
def test_a_list_as_long_as_the_day_holds_every_interval_in_order(judged, meter, minutes, first, last):
    found = readings([row for row in judged.judged["true.parquet"] if row["meter_id"] == meter])
    count = int(meter[1:])
    assert len({start for start, _, _ in found}) == count
    assert found[0] == (first, minutes, "1.000000")
    assert found[-1] == (last, minutes, f"{count}.000000")


def test_a_position_that_does_not_exist_must_be_empty_and_the_others_keep_their_clock_time(judged):
    found = readings([row for row in judged.judged["wall.parquet"] if row["meter_id"] == "spring"])
    assert len(found) == 23
    assert found[2:4] == [("2021-03-28 00:00", 60, "3.000000"), ("2021-03-28 01:00", 60, "5.000000")]


def test_a_value_at_a_position_that_does_not_exist_is_refused_and_the_others_load(judged):
    rows = judged.judged["hole.parquet"]
    refused = [(row["reason_code"], row["reason"]) for row in rows if row["reason_code"]]
    assert refused == [
        ("NONEXISTENT_POSITION", "element 4: '4' stands at a time that does not exist: the clocks went forward")
    ]
    assert len(readings(rows)) == 23


def test_a_position_that_comes_twice_is_split_over_both_instants_and_marked(judged):
    rows = [row for row in judged.judged["wall.parquet"] if row["meter_id"] == "autumn"]
    found = readings(rows)
    assert len(found) == 25
    assert found[3:5] == [("2021-10-31 00:00", 60, "2.000000"), ("2021-10-31 01:00", 60, "2.000000")]
    assert sum(float(value) for _, _, value in found) == sum(range(1, 25))
    assert sorted(row["interval_start"] for row in rows if row["quality"] == "split") == [
        "2021-10-31 00:00:00",
        "2021-10-31 01:00:00",
    ]


def test_an_odd_value_is_split_to_the_half(judged):
    found = readings(judged.judged["quarter-wall.parquet"])
    assert len(found) == 100
    assert ("2021-10-31 00:00", 15, "6.500000") in found
    assert ("2021-10-31 01:00", 15, "6.500000") in found


@pytest.fixture(scope="module")
def elsewhere(read):
    """Judged rows of one file in a zone: (day, meter, values)."""

    def of(zone, *rows):
        feed = VILNIUS.model_copy(update={"time_zone": zone})
        return read(feed, {"a.parquet": parquet(*rows)}).judged["a.parquet"]

    return of


def test_a_day_that_was_skipped_is_refused(elsewhere):
    rows = elsewhere("Pacific/Apia", ("2011-12-30", "m", [1]), ("2011-12-31", "m", [1]))
    assert [(row["row_number"], row["reason_code"]) for row in rows] == [(1, "LOCAL_TIME_NONEXISTENT"), (2, None)]


def test_half_an_hour_is_set_back_on_lord_howe(elsewhere):
    autumn, spring = "2021-04-04", "2021-10-03"
    rows = elsewhere(
        "Australia/Lord_Howe",
        (autumn, "true", list(range(1, 50))),
        (autumn, "wall", list(range(1, 49))),
        (spring, "true", list(range(1, 48))),
        (autumn, "hours", [1] * 24),
    )
    by_meter = {name: [row for row in rows if row["meter_id"] == name] for name in ("true", "wall", "hours")}
    assert len({row["interval_start"] for row in by_meter["true"]}) == 49 + 47
    assert len(readings(by_meter["wall"])) == 49
    assert sum(float(value) for _, _, value in readings(by_meter["wall"])) == sum(range(1, 49))
    # A day of 24 and a half hours is no number of hours.
    assert [row["reason_code"] for row in by_meter["hours"]] == ["ARRAY_LENGTH_INVALID"]


def test_a_day_in_two_parts_keeps_every_reading_on_its_own_date(elsewhere):
    # In Newfoundland the clocks went back at 00:01 on this day, to 23:01 of the day before.
    rows = elsewhere("America/St_Johns", ("2010-11-07", "m", list(range(49))), ("2010-11-06", "m", list(range(49))))
    assert {row["reason_code"] for row in rows} == {None}
    assert len({row["interval_start"] for row in rows}) == 98
