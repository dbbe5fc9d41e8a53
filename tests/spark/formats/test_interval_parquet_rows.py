"""Interval arrays in Spark: lists of a local day become readings on their instants (contract, section 1)."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.formats.judged import summary
from tests.spark.interval_arrays import AUTUMN, NORMAL, SPRING, VILNIUS, numbered, parquet, readings

ZONED = pa.timestamp("us", "Europe/Vilnius")
COLUMNS = {
    "client_id": pa.array(["c"]),
    "date": pa.array([NORMAL]),
    "ext_dev_ref": pa.array(["m"]),
    "energy_consumption": pa.array([[1] * 24], pa.list_(pa.int64())),
    "resolution": pa.array(["?"]),
}


def of_columns(**columns):
    """A file of one row, some of its columns given, under names of any case, and further ones."""
    lower = {name.lower() for name in columns}
    usual = {name: values for name, values in COLUMNS.items() if name not in lower}
    out = io.BytesIO()
    pq.write_table(pa.table(usual | columns), out)
    return out.getvalue()


@pytest.fixture(scope="module")
def judged(read):
    """Judged rows of every case of this module, by name: all read in one go."""

    files = {
        "hours.parquet": parquet((NORMAL, "m", numbered(24))),
        "halves.parquet": parquet((NORMAL, "m", numbered(48))),
        "quarters.parquet": parquet((NORMAL, "m", numbered(96))),
        "day.parquet": parquet((NORMAL, "m", [77]), (SPRING, "m", [78]), (AUTUMN, "m", [79])),
        "lengths.parquet": parquet(
            (NORMAL, "a", numbered(23)), (NORMAL, "b", []), (NORMAL, "c", None), (SPRING, "d", numbered(25))
        ),
        "nulls.parquet": parquet((NORMAL, "a", [None, 5, *[None] * 22]), (NORMAL, "b", [None] * 24)),
        "bad.parquet": parquet(
            (NORMAL, "a", [1, -2, 3, -4, *[0] * 19, 10**15]),
            (NORMAL, "", [1] * 24),
            (NORMAL, None, [1] * 24),
            ("27.03.2021", "b", [1] * 24),
            (None, "c", [1] * 24),
        ),
        "range.parquet": parquet(
            ("1969-12-31", "a", [1]),
            ("1970-01-01", "b", [1]),
            ("2021-11-09", "c", numbered(24)),
            ("2021-11-10", "d", [1] * 24),
            ("9999-12-31", "e", [1] * 7),
            ("0001-01-01", "f", [1]),
            ("0000-01-01", "g", [1]),
        ),
        "pandas.parquet": of_columns(
            DATE=pa.array(["2021-03-27"]),
            Energy_Consumption=pa.array([[1.5, 0.1, float("nan"), *[1e15] * 21]]),
            __index_level_0__=pa.array([7]),
            note=pa.array(["a"]),
            when=pa.array([datetime(2021, 3, 27, 1)], pa.timestamp("us")),  # noqa: DTZ001
            amount=pa.array([Decimal("1.50")]),
        ),
        "decimals.parquet": of_columns(
            energy_consumption=pa.array([[Decimal("1.50")] * 24], pa.list_(pa.decimal128(9, 2)))
        ),
        "floats.parquet": of_columns(energy_consumption=pa.array([[0.1] * 24], pa.list_(pa.float32()))),
        "zoned.parquet": of_columns(date=pa.array([datetime(2021, 3, 26, 22, tzinfo=UTC)], ZONED)),
        "zoned_ns.parquet": of_columns(
            date=pa.array([datetime(2021, 3, 26, 22, tzinfo=UTC)], pa.timestamp("ns", "UTC"))
        ),
        "utc.parquet": of_columns(date=pa.array([datetime(2021, 3, 27, tzinfo=UTC)], pa.timestamp("ms", "UTC"))),
        "not_midnight.parquet": of_columns(date=pa.array([datetime(2021, 3, 27, 1, tzinfo=UTC)], ZONED)),
        "one_nanosecond.parquet": of_columns(date=pa.array([1616803200000000001], pa.timestamp("ns"))),
        "no_rows.parquet": of_columns(**{name: pa.nulls(0) for name in COLUMNS}),
        "two/meters.parquet": parquet((NORMAL, "a", [1]), (NORMAL, "b", [2]), ("2021-03-26", "a", [3])),
        "nanoseconds.parquet": parquet(
            (datetime(2021, 3, 27), "m", [1]),  # noqa: DTZ001 - a local day
            (datetime(2021, 3, 27, 1), "m", [1]),  # noqa: DTZ001
            dates=pa.timestamp("ns"),
        ),
        "microseconds.parquet": parquet((datetime(2021, 3, 27), "m", [1]), dates=pa.timestamp("us")),  # noqa: DTZ001
        "date.parquet": parquet((date(2021, 3, 27), "m", [1]), dates=pa.date32()),
        "bytes.parquet": parquet((NORMAL, "m", [127] * 24), values=pa.list_(pa.int8())),
        "unsigned.parquet": parquet((NORMAL, "m", [2**64 - 1, *[1] * 23]), values=pa.large_list(pa.uint64())),
        "groups.parquet": parquet(*((NORMAL, f"m{n}", [n]) for n in range(50)), row_group_size=7),
    }
    return read(VILNIUS, files)


@pytest.mark.parametrize(
    ("file", "minutes", "second", "last"),
    [
        ("hours.parquet", 60, "2021-03-26 23:00", "2021-03-27 21:00"),
        ("halves.parquet", 30, "2021-03-26 22:30", "2021-03-27 21:30"),
        ("quarters.parquet", 15, "2021-03-26 22:15", "2021-03-27 21:45"),
    ],
)
def test_the_length_of_the_list_says_how_long_an_interval_is(judged, file, minutes, second, last):
    found = readings(judged.judged[file])
    assert found[0] == ("2021-03-26 22:00", minutes, "1.000000")
    assert found[1] == (second, minutes, "2.000000")
    assert found[-1] == (last, minutes, f"{1440 // minutes}.000000")
    assert {row["local_date"] for row in judged.judged[file]} == {NORMAL}


def test_one_value_is_the_whole_day_however_long_it_is(judged):
    assert readings(judged.judged["day.parquet"]) == [
        ("2021-03-26 22:00", 1440, "77.000000"),
        ("2021-03-27 22:00", 1380, "78.000000"),
        ("2021-10-30 21:00", 1500, "79.000000"),
    ]


def test_any_other_length_is_a_rejected_row(judged):
    assert judged.codes("lengths.parquet") == [(n, "ARRAY_LENGTH_INVALID") for n in (1, 2, 3, 4)]
    assert judged.values("lengths.parquet", "reason")[3] == "a list of 25 on a day of 1380 minutes"


def test_an_empty_element_is_no_reading_and_a_row_without_any_is_still_counted(judged, frame):
    assert readings(judged.judged["nulls.parquet"]) == [("2021-03-26 23:00", 60, "5.000000")]
    assert {row["row_number"] for row in judged.judged["nulls.parquet"]} == {1, 2}
    assert {row["reason_code"] for row in judged.judged["nulls.parquet"]} == {None}


def test_one_bad_element_does_not_take_the_others_with_it(judged):
    rows = [row for row in judged.judged["bad.parquet"] if row["row_number"] == 1]
    assert sorted((row["position"], row["reason_code"]) for row in rows if row["reason_code"]) == [
        (1, "CONSUMPTION_NEGATIVE"),
        (3, "CONSUMPTION_NEGATIVE"),
        (23, "CONSUMPTION_INVALID"),
    ]
    assert len(readings(rows)) == 21


def test_a_row_without_a_meter_or_a_day_is_refused_once(judged):
    assert [each for each in judged.codes("bad.parquet") if each[0] > 1] == [
        (2, "METER_ID_MISSING"),
        (3, "METER_ID_MISSING"),
        (4, "INTERVAL_START_INVALID"),
        (5, "INTERVAL_START_INVALID"),
    ]


def test_a_day_out_of_range_is_refused_once_and_of_the_last_one_the_elements_that_are(judged):
    codes = judged.codes("range.parquet")
    assert [each for each in codes if each[0] != 3] == [
        (1, "INTERVAL_OUT_OF_RANGE"),
        (2, None),
        (4, "INTERVAL_OUT_OF_RANGE"),
        (5, "INTERVAL_OUT_OF_RANGE"),
        (6, "INTERVAL_OUT_OF_RANGE"),
        (7, "INTERVAL_START_INVALID"),
    ]
    # A week after the deliveries came it is two o'clock in Vilnius.
    assert [code for row, code in codes if row == 3] == [None] * 3 + ["INTERVAL_OUT_OF_RANGE"] * 21
    assert judged.values("range.parquet", "reason")[0] == "'1969-12-31' is out of range: before 1970-01-01"


def test_what_pandas_writes_loads_and_further_columns_are_kept(judged):
    (row,) = judged.bronze["pandas.parquet"]
    assert (row["date"], row["ext_dev_ref"], row["energy_consumption"][:2]) == (NORMAL, "m", ["1.5", "0.1"])
    assert dict(row["extra"]) == {
        "__index_level_0__": "7",
        "note": "a",
        "when": "2021-03-27 01:00:00",
        "amount": "1.50",
    }
    codes = [code for _, code in judged.codes("pandas.parquet")]
    assert codes == [None, None] + ["CONSUMPTION_INVALID"] * 22
    assert [each[2] for each in readings(judged.judged["pandas.parquet"])] == ["1.500000", "0.100000"]
    assert judged.bronze["hours.parquet"][0]["extra"] is None


@pytest.mark.parametrize(("file", "consumption"), [("decimals.parquet", "1.500000"), ("floats.parquet", "0.100000")])
def test_fractions_are_taken_as_their_shortest_decimals(judged, file, consumption):
    assert {each[2] for each in readings(judged.judged[file])} == {consumption}
    assert len(readings(judged.judged[file])) == 24


@pytest.mark.parametrize("file", ["zoned.parquet", "zoned_ns.parquet", "utc.parquet"])
def test_an_instant_at_its_zones_midnight_is_a_day(judged, file):
    assert readings(judged.judged[file])[0] == ("2021-03-26 22:00", 60, "1.000000")
    assert {row["local_date"] for row in judged.judged[file]} == {NORMAL}


@pytest.mark.parametrize(
    ("file", "date"),
    [("not_midnight.parquet", "2021-03-27 03:00:00"), ("one_nanosecond.parquet", "2021-03-27 and nanoseconds")],
)
def test_an_instant_at_another_time_is_no_day(judged, file, date):
    assert judged.values(file, "reason_code", "reason") == [("INTERVAL_START_INVALID", f"not a day: '{date}'")]


def test_a_file_without_rows_is_sound_whatever_its_types(judged):
    assert judged.deliveries["no_rows.parquet"].reason is None
    assert judged.bronze["no_rows.parquet"] == []


def test_many_meters_and_days_in_one_file(judged):
    rows = judged.judged["two/meters.parquet"]
    assert sorted((row["meter_id"], row["local_date"], row["consumption"]) for row in rows) == [
        ("a", "2021-03-26", "3.000000"),
        ("a", "2021-03-27", "1.000000"),
        ("b", "2021-03-27", "2.000000"),
    ]


@pytest.mark.parametrize("file", ["microseconds.parquet", "date.parquet"])
def test_days_of_other_types_are_days(judged, file):
    assert judged.values(file, "local_date", "reason_code") == [(NORMAL, None)]


def test_a_timestamp_of_pandas_is_a_day_where_it_is_midnight(judged):
    assert judged.values("nanoseconds.parquet", "local_date", "reason_code") == [
        (NORMAL, None),
        (None, "INTERVAL_START_INVALID"),
    ]


def test_other_integers_keep_all_their_digits(judged):
    assert {row["consumption"] for row in judged.judged["bytes.parquet"]} == {"127.000000"}
    assert judged.bronze["unsigned.parquet"][0]["energy_consumption"][0] == str(2**64 - 1)
    assert judged.judged["unsigned.parquet"][0]["reason_code"] == "CONSUMPTION_INVALID"
    assert len(readings(judged.judged["unsigned.parquet"])) == 23


def test_rows_are_numbered_through_all_row_groups(judged):
    rows = judged.judged["groups.parquet"]
    assert [(row["row_number"], row["meter_id"]) for row in rows] == [(n + 1, f"m{n}") for n in range(50)]


def test_the_summary_counts_rows_not_elements(judged, spark, frame, as_rows):
    columns = "file_id bigint, row_number bigint, local_date date, consumption decimal(18,6), reason_code string, "
    columns += "position int, is_repeated boolean"
    names = [part.split(" ")[0] for part in columns.split(", ")]
    literal = frame(columns, *(tuple(row[name] for name in names) for row in judged.judged["bad.parquet"]))
    assert as_rows(summary(literal, many_readings_per_row=True), "local_date", "rows", "rejected") == [
        (NORMAL, "1", "1"),
        (None, "4", "4"),
    ]
