"""Wide delimited text as Spark reads and judges it: a row is a meter's local day (contract, section 1)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from tests.spark.csv_files import assert_same_in_python, feed

NORMAL, SPRING, AUTUMN = "2021-06-01", "2021-03-28", "2021-10-31"
HALF_HOURS = [f"{n // 2:02}:{n % 2 * 30:02}" for n in range(48)]
TIMES = {"layout": "wide", "timestamp": "date", "value": r"(?P<time>\d\d:\d\d)"}
PERIODS = {"layout": "wide", "timestamp": "date", "value": r"P(?P<period>\d+)"}


def table(names, *rows, first=("meter", "date")):
    return "".join(",".join(map(str, row)) + "\n" for row in [[*first, *names], *rows]).encode()


def readings(found, path):
    return [
        (row["interval_start"], row["consumption"], row["quality"])
        for row in sorted(found.judged[path], key=lambda row: (row["row_number"], row["interval_start"] or ""))
        if row["consumption"] is not None and row["reason_code"] is None
    ]


def total(found, path):
    return sum(Decimal(consumption) for _, consumption, _ in readings(found, path))


def codes(found, path):
    return Counter((row["row_number"], row["reason_code"]) for row in found.judged[path] if row["reason_code"])


@pytest.fixture(scope="module")
def times(read):
    ones = [1] * 48
    without = ["" if time in {"01:00", "01:30"} else 1 for time in HALF_HOURS]
    files = {
        "normal.csv": table(HALF_HOURS, ["m", NORMAL, *range(48)]),
        "reversed.csv": table(HALF_HOURS[::-1], ["m", NORMAL, *range(47, -1, -1)]),
        "spring.csv": table(HALF_HOURS, ["m", SPRING, *without], ["n", SPRING, *ones]),
        "autumn.csv": table(HALF_HOURS, ["m", AUTUMN, *ones]),
        "hourly.csv": table(HALF_HOURS[::2], ["m", AUTUMN, *[1] * 24]),
        "named.csv": table(HALF_HOURS[:2] + HALF_HOURS[4:], ["m", SPRING, *[1] * 46], ["m", NORMAL, *[1] * 46]),
        "bad.csv": table(
            HALF_HOURS,
            ["m", NORMAL, "x", -1, *ones[2:]],
            ["", NORMAL, *ones],
            ["m", "2021-13-01", *ones],
            ["m", f"{NORMAL} 00:30", *ones],
            ["m", f"{NORMAL} 00:00", *ones],
            ["m", NORMAL, *ones, 1],
            ["m", NORMAL, *["-"] * 48],
            ["m", NORMAL, *ones[1:]],
        ),
    }
    return read(feed(**TIMES), files)


def test_time_columns_are_the_clocks_positions(times):
    starts = [start for start, *_ in readings(times, "normal.csv")]
    assert (starts[0], starts[-1], len(starts)) == ("2021-05-31 23:00:00", "2021-06-01 22:30:00", 48)
    assert total(times, "normal.csv") == sum(range(48))
    assert readings(times, "reversed.csv") == readings(times, "normal.csv")
    assert times.bronze["reversed.csv"][0]["values"][:3] == ["0", "1", "2"]


def test_in_spring_the_hour_that_was_skipped_must_be_empty(times):
    assert len(readings(times, "spring.csv")) == 46 * 2
    assert codes(times, "spring.csv") == {(2, "NONEXISTENT_POSITION"): 2}
    assert [start for start, *_ in readings(times, "spring.csv")][1:3] == [f"{SPRING} 00:30:00", f"{SPRING} 01:00:00"]


def test_in_autumn_a_position_that_comes_twice_is_split_evenly(times):
    found = readings(times, "autumn.csv")
    assert (len(found), total(times, "autumn.csv")) == (50, 48)
    assert Counter(quality for *_, quality in found) == {None: 46, "split": 4}
    assert found[2:6] == [(f"{AUTUMN} {time}:00", "0.500000", "split") for time in ("00:00", "00:30", "01:00", "01:30")]
    assert len(readings(times, "hourly.csv")) == 25
    assert {row["interval_minutes"] for row in times.judged["hourly.csv"]} == {60}


def test_columns_that_lack_the_skipped_hour_fit_its_day_only(times):
    assert len(readings(times, "named.csv")) == 46
    assert codes(times, "named.csv") == {(2, "ARRAY_LENGTH_INVALID"): 1}
    assert "a list of 46 on a day of 1440 minutes" in {row["reason"] for row in times.judged["named.csv"]}


def test_rows_and_values_that_do_not_pass(times):
    assert codes(times, "bad.csv") == {
        (1, "CONSUMPTION_INVALID"): 1,
        (1, "CONSUMPTION_NEGATIVE"): 1,
        (2, "METER_ID_MISSING"): 1,
        (3, "INTERVAL_START_INVALID"): 1,
        (4, "INTERVAL_START_INVALID"): 1,
        (6, "FIELD_COUNT"): 1,
        (8, "FIELD_COUNT"): 1,
    }
    assert Counter(row["row_number"] for row in times.judged["bad.csv"]) == {
        1: 48,
        2: 1,
        3: 1,
        4: 1,
        5: 48,
        6: 1,
        7: 1,
        8: 1,
    }


def test_python_judges_time_columns_the_same(times):
    assert_same_in_python(times, feed(**TIMES))


@pytest.fixture(scope="module")
def periods(read):
    names = [f"P{n}" for n in range(1, 51)]
    files = {
        "fifty.csv": table(
            names,
            ["m", SPRING, *[1] * 46, *[""] * 4],
            ["m", NORMAL, *[1] * 48, "", "-"],
            ["m", AUTUMN, *[1] * 50],
            ["n", SPRING, *[1] * 48, "", ""],
            ["n", NORMAL, *[1] * 50],
            ["o", NORMAL, *[""] * 50],
        ),
        "forty-eight.csv": table(names[:48], ["m", SPRING, *[1] * 46, "", ""], ["m", AUTUMN, *[1] * 48]),
        "odd.csv": table(names[:40], ["m", NORMAL, *[1] * 40]),
        "short.csv": table(
            [*names[:48], "notes", "", ""],
            ["m", NORMAL, *[1] * 48],
            ["m", NORMAL, *[1] * 47, ""],
            ["m", NORMAL, *[1] * 47],
        ),
        "day.csv": table(["P1"], ["m", AUTUMN, 50]),
        "half.csv": table(names[:48], ["m", NORMAL, *[1] * 24, *[""] * 24]),
    }
    return read(feed(**PERIODS), files)


def test_period_columns_are_the_array_of_their_day(periods):
    by_row = Counter(
        row["row_number"] for row in periods.judged["fifty.csv"] if row["reason_code"] is None and row["consumption"]
    )
    assert by_row == {1: 46, 2: 48, 3: 50}
    # 48 values of which none is empty: positions of the clock, two of which do not exist.
    assert codes(periods, "fifty.csv") == {(4, "ARRAY_LENGTH_INVALID"): 1, (5, "ARRAY_LENGTH_INVALID"): 1}
    assert {row["quality"] for row in periods.judged["fifty.csv"]} == {None}


def test_missing_cells_behind_the_days_end_are_dropped(periods):
    found = readings(periods, "forty-eight.csv")
    assert len(found) == 46 + 50
    assert [start for start, *_ in found][2] == f"{SPRING} 01:00:00"
    assert codes(periods, "short.csv") == {(3, "FIELD_COUNT"): 1}
    assert len(readings(periods, "short.csv")) == 48 + 47
    assert codes(periods, "odd.csv") == {(1, "ARRAY_LENGTH_INVALID"): 1}
    assert [row["interval_minutes"] for row in periods.judged["day.csv"]] == [1500]
    assert len(readings(periods, "half.csv")) == 24
    assert {row["interval_minutes"] for row in periods.judged["half.csv"]} == {30}


def test_python_judges_period_columns_the_same(periods):
    assert_same_in_python(periods, feed(**PERIODS))


def test_ends_qualities_directions_and_power(read):
    ends = [*HALF_HOURS[1:], "24:00"]
    names = [name for end in ends for name in (end, f"Q{end}")]
    of = feed(
        **TIMES | {"timestamp": "Tag"},
        label="end",
        decimal=",",
        delimiter=";",
        timestamp_format="dd.MM.yyyy",
        quality_beside=True,
        direction={"column": "OBIS", "import": ["1.8"], "export": ["2.8"], "ignore": ["3.8"]},
        unit="kW",
        max_consumption=Decimal(2),
    )
    qualities = ["A", ""] * 24
    values = ["1,5", "2", "2,5", "1.5", *["0"] * 44]
    cells = [cell for pair in zip(values, qualities, strict=True) for cell in pair]
    rows = [["m", "01.06.2021", code, *cells] for code in ("1.8", "2.8", "3.8", "?")]
    text = table(names, *rows, first=("meter", "Tag", "OBIS")).decode().replace("1,5", "1§5").replace("2,5", "2§5")
    found = read(of, {"a.csv": text.replace(",", ";").replace("§", ",").encode()})
    assert codes(found, "a.csv") == {
        (1, "CONSUMPTION_IMPLAUSIBLE"): 1,
        (1, "CONSUMPTION_INVALID"): 1,
        (2, "CONSUMPTION_IMPLAUSIBLE"): 1,
        (2, "CONSUMPTION_INVALID"): 1,
        (4, "DIRECTION_UNKNOWN"): 1,
    }
    assert readings(found, "a.csv")[:2] == [
        ("2021-05-31 23:00:00", "0.750000", "A"),
        ("2021-05-31 23:30:00", "1.000000", None),
    ]
    assert {row["direction"] for row in found.judged["a.csv"] if row["row_number"] == 2} == {"export"}
    assert_same_in_python(found, of)
