"""Versions of a meter's readings from literal bronze rows, without Spark: each format, both clock changes, odd values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable, write_deltalake

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.deliveries.delivery import Delivery
from pipeline.errors import MeterlakeError
from pipeline.lake import tables
from pipeline.lake.types import arrow_schema
from pipeline.serving import received
from tests.adding_a_feed import fixed_width

GAS = Feed(name="gas", format="smrt", path="gas", time_zone="Europe/London")
POWER = Feed(name="power", format="split_json", path="power", time_zone="Europe/London")
SOLAR = Feed(name="solar", format="obis_json", path="solar", time_zone="Europe/Vilnius", direction="production")
ARRAYS = Feed(name="arrays", format="interval_parquet", path="arrays", time_zone="Europe/Vilnius", unit="Wh")
SPRING, AUTUMN = date(2021, 3, 28), date(2021, 10, 31)
LATE = datetime(9999, 12, 24, 23, 30, tzinfo=UTC)


@pytest.fixture
def asked(tmp_path):
    """A function from a feed, its files {file_id: rows}, a meter and days to the versions, as dictionaries."""

    def versions(
        feed, files, meter, first=date.min, last=date.max, *, days=None, withdrawn=(), unlogged=(), received_at=None
    ):
        settings = Settings(lake=str(tmp_path), feeds=(feed,))
        bronze = formats.bronze_table(feed)
        every = [
            dict.fromkeys(bronze.names) | {"file_id": file_id, "row_number": n, "batch_id": batch(file_id)} | row
            for file_id, rows in files.items()
            for n, row in enumerate(rows, start=1)
        ]
        # Laid down backwards: the order of rows in a table means nothing.
        write(settings, bronze, every[::-1])
        of_file = days or {file_id: [SPRING, AUTUMN, date(2021, 6, 1)] for file_id in files}
        logged = [
            {
                "file_id": file_id,
                "feed": feed.name,
                "status": "withdrawn" if file_id in withdrawn else "loaded",
                "local_dates": of_file[file_id],
                "batch_id": batch(file_id),
                "received_at": received_at,
            }
            for file_id in files
            if file_id not in unlogged
        ]
        others = [
            {"file_id": 90, "feed": feed.name, "status": "rejected", "batch_id": 90},
            {"file_id": 91, "feed": "other", "status": "loaded", "local_dates": [SPRING], "batch_id": 91},
        ]
        write(settings, tables.INGESTION_LOG, logged + others)
        found = received.versions(
            feed, meter, first, last, lambda table: DeltaTable(tables.address(settings, table)).to_pyarrow_dataset()
        )
        assert found.schema == received.SCHEMA
        return found.to_pylist()

    return versions


def batch(file_id):
    return 100 + file_id // 2


def write(settings, table, rows):
    filled = [dict.fromkeys(table.names) | row for row in rows]
    values = pa.Table.from_pylist(filled, schema=arrow_schema(table))
    write_deltalake(tables.address(settings, table), values, mode="append")


def seen(rows, *names):
    """Those columns of the rows; instants as `DD HH:MM` of UTC."""
    shown = [{**row, "interval_start": f"{row['interval_start']:%d %H:%M}"} for row in rows]
    return [tuple(row[name] for name in names) for row in shown]


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def consu(meter="1", day="20210601", time="0000", consumption="1", raw=None):
    names = ("meter_number", "measurement_date", "measurement_time", "consumption", "raw")
    return dict(zip(names, (meter, day, time, consumption, raw), strict=True))


def cells(label, consumption="1", meter="m1", raw=None):
    return {"interval_start": label, "meterpoint_id": meter, "consumption_delta": consumption, "raw": raw}


def record(timestamp="2021-06-01T00:00:00Z", muid="m1", quality=None, raw=None, **codes):
    obis = [(name.removeprefix("_"), value) for name, value in codes.items()]
    return {"timestamp": timestamp, "muid": muid, "quality": quality, "obis": obis, "raw": raw}


def array(day, values, meter="m1"):
    return {"date": str(day), "ext_dev_ref": meter, "energy_consumption": values}


# --- versions -------------------------------------------------------------------------------------------------


def test_a_version_has_all_columns_of_the_current_reading_and_whether_it_is_that(asked):
    found = asked(POWER, {7: [cells("2021-06-01 00:00:00", "1.5")]}, "m1")
    assert found == [
        {
            "feed": "power",
            "meter_id": "m1",
            "direction": "import",
            "interval_start": at("2021-05-31T23:00"),
            "interval_minutes": 30,
            "local_date": date(2021, 6, 1),
            "consumption": Decimal("1.500000"),
            "unit": "kWh",
            "quality": None,
            "file_id": 7,
            "row_number": 1,
            "batch_id": 103,
            "is_current": True,
        }
    ]


def test_the_last_row_of_the_last_file_is_current_and_versions_come_in_order(asked):
    files = {
        10: [cells("2021-06-01 00:30:00", "5")],
        9: [cells("2021-06-01 00:00:00", "1"), cells("2021-06-01 00:30:00", "2"), cells("2021-06-01 00:00:00", "3")],
        11: [cells("2021-06-01 00:00:00", "n/a")],
    }
    found = asked(POWER, files, "m1")
    assert seen(found, "interval_start", "file_id", "row_number", "is_current") == [
        ("31 23:00", 9, 1, False),
        ("31 23:00", 9, 3, True),
        ("31 23:30", 9, 2, False),
        ("31 23:30", 10, 1, True),
    ]


def test_what_was_withdrawn_or_is_not_in_the_log_yet_does_not_count(asked):
    files = {n: [cells("2021-06-01 00:00:00", str(n))] for n in (2, 3, 4)}
    found = asked(POWER, files, "m1", withdrawn=[3], unlogged=[4])
    assert seen(found, "file_id", "batch_id", "is_current") == [(2, 101, True)]


def test_rows_of_a_batch_that_died_before_its_log_do_not_count(asked):
    row = cells("2021-06-01 00:00:00")
    found = asked(POWER, {1: [row | {"batch_id": 99}, row]}, "m1")
    assert seen(found, "row_number", "batch_id") == [(2, 100)]


def test_only_the_requested_days_are_returned_both_ends_included(asked):
    labels = [f"2021-06-{day:02} 12:00:00" for day in (1, 2, 3, 4)]
    files = {1: [cells(label) for label in labels]}
    days = {1: [date(2021, 6, day) for day in (1, 2, 3, 4)]}
    found = asked(POWER, files, "m1", date(2021, 6, 2), date(2021, 6, 3), days=days)
    assert [row["local_date"].day for row in found] == [2, 3]


def test_where_no_delivery_has_the_days_there_are_none_and_bronze_need_not_be_there():
    log = pa.Table.from_pylist([], schema=arrow_schema(tables.INGESTION_LOG))

    found = received.versions(POWER, "m1", SPRING, AUTUMN, {tables.INGESTION_LOG: ds.dataset(log)}.__getitem__)
    assert found.schema == received.SCHEMA
    assert found.num_rows == 0


def test_a_meter_without_rows_has_no_versions(asked):
    assert asked(POWER, {1: [cells("2021-06-01 00:00:00")]}, "m2") == []


@pytest.mark.parametrize("meter", ["1", "01", "1.0.0", "1e0", "m", "M", "é", "e\u0301", "'", "1\x00", "x" * 300])
def test_a_meter_is_the_text_that_was_received_letter_by_letter(asked, meter):
    meters = ["1", "01", "1.0.0", "1e0", "m", "M", "é", "e\u0301", "'", "1\x00", "x" * 300]
    files = {1: [cells("2021-06-01 00:00:00", str(n), each) for n, each in enumerate(meters)]}
    assert seen(asked(POWER, files, meter), "meter_id", "consumption") == [(meter, Decimal(meters.index(meter)))]


def test_blanks_around_a_meter_are_cut_off_and_a_number_that_lost_its_digits_is_none(asked):
    meters = ["1", " 1", "1 \t", "\n1", "1\x0b"]
    files = {1: [cells(f"2021-06-01 0{n}:00:00", str(n), each) for n, each in enumerate(meters)]}
    assert seen(asked(POWER, files, "1"), "meter_id", "row_number") == [("1", n) for n in (1, 2, 3, 4)]
    assert asked(POWER, files, " 1") == []


@pytest.mark.parametrize("meter", ["1200012345678.0", "7.22E+13", "1e+5", "-1.5", "true", "false", "", " "])
def test_what_is_no_meter_has_no_versions(asked, meter):
    assert asked(POWER, {1: [cells("2021-06-01 00:00:00", "1", meter)]}, meter) == []


RECEIVED = datetime(2021, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "value"), [("earliest", date(2021, 6, 1)), ("latest_days_ahead", 3), ("max_consumption", 5)]
)
def test_versions_are_held_to_what_their_feed_says(asked, key, value):
    hours = {"2021-05-31": 1, "2021-06-01": 2, "2021-06-03": 5, "2021-06-05": 6, "9999-12-31": 7}
    days = [date.fromisoformat(day) for day in hours]
    files = {
        GAS: [consu(day=day.replace("-", ""), consumption=str(n)) for day, n in hours.items()],
        POWER: [cells(f"{day} 00:00:00", str(n), "1") for day, n in hours.items()],
        SOLAR: [record(f"{day}T00:00:00Z", "1", _0100011D00FF=str(n)) for day, n in hours.items()],
        ARRAYS: [array(day, [str(n)], "1") for day, n in hours.items()],
    }
    wanted = {"earliest": [2, 5, 6], "latest_days_ahead": [1, 2, 5], "max_consumption": [1, 2, 5]}[key]
    for feed, rows in files.items():
        held = feed.model_copy(update={key: value})
        found = asked(held, {1: rows}, "1", days={1: days}, received_at=RECEIVED)
        assert [int(each["consumption"]) for each in found] == wanted, feed.name


@pytest.mark.parametrize("meter", ["", " ", "\t\r\n "])
def test_a_blank_meter_has_no_readings(asked, meter):
    assert asked(POWER, {1: [cells("2021-06-01 00:00:00", meter=meter)]}, meter) == []
    assert asked(SOLAR, {2: [record(muid=meter, _0100011D00FF="1")]}, meter) == []
    assert asked(ARRAYS, {3: [array(SPRING, ["1"], meter)]}, meter) == []


def test_a_format_that_judges_no_rows_in_python_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setitem(formats.FORMATS, "smrt", fixed_width.FORMAT)
    with pytest.raises(MeterlakeError, match=r"feed 'gas'.*smrt.*main\.py sql.*reading_history"):
        received.versions(GAS, "1", SPRING, AUTUMN, lambda _: None)


# --- refused ones too -----------------------------------------------------------------------------------------


def every(feed, rows, meter, received_at=RECEIVED):
    """What is said of the meter in a delivery of those rows: row, start, consumption, code, reason, raw."""
    bronze = formats.bronze_table(feed)
    laid = [
        dict.fromkeys(bronze.names) | {"file_id": 1, "batch_id": 1, "row_number": n} | row
        for n, row in enumerate(rows, 1)
    ]
    delivery = Delivery(feed.name, "a", "a", "a", 1, None, file_id=1, batch_id=1, received_at=received_at)
    found = received.every_version(
        feed, meter, [delivery], ds.dataset(pa.Table.from_pylist(laid, schema=arrow_schema(bronze)))
    )
    names = ("row_number", "interval_start", "consumption", "reason_code", "reason", "raw")
    return [
        tuple(row[name] if name != "consumption" else row[name] and str(row[name]) for name in names) for row in found
    ]


def test_consu_lines_are_refused_with_why_and_told_as_sent():
    midnight = at("2021-06-01T00:00")
    rows = [consu("1"), consu("X1"), consu("1", time="0015", consumption="-2"), consu("1", day="20211301")]
    assert every(GAS, rows, "1") == [
        (1, midnight, "1.000000", None, None, '"CONSU","1","20210601","0000",1'),
        (3, at("2021-06-01T00:15"), "-2.000000", "OFF_GRID", "time '0015' is not on the 60 minute grid",
         '"CONSU","1","20210601","0015",-2'),
    ]  # fmt: skip
    assert [row[3:5] for row in every(GAS, rows, "X1")] == [("METER_ID_INVALID", "meter 'X1' is not digits")]


def test_cells_are_refused_with_why_and_a_time_that_never_was_lies_where_the_clocks_went_forward():
    rows = [
        cells("2021-03-28 01:30:00"),
        cells("2021-06-09 00:00:00", "1e999"),
        cells("2021-06-01 00:00:00", "n/a\x1f\n"),
        cells("2021-06-01 00:00:00", "7", raw="[7]"),
        cells("2021-06-01", "7"),
    ]
    assert every(POWER, rows, "m1") == [
        (1, at("2021-03-28T01:30"), "1.000000", "LOCAL_TIME_NONEXISTENT",
         "'2021-03-28 01:30:00' does not exist in Europe/London: the clocks went forward",
         '["2021-03-28 01:30:00","m1","1"]'),
        (2, at("2021-06-08T23:00"), None, "INTERVAL_OUT_OF_RANGE",
         "'2021-06-09 00:00:00' is out of range: more than 7 days after its delivery came",
         '["2021-06-09 00:00:00","m1","1e999"]'),
        (3, at("2021-05-31T23:00"), None, "CONSUMPTION_INVALID", "consumption 'n/a\x1f\n' is not a usable number",
         r'["2021-06-01 00:00:00","m1","n/a\u001F\n"]'),
        (4, at("2021-05-31T23:00"), "7.000000", "FIELD_COUNT", "the row is shorter or longer than columns", "[7]"),
    ]  # fmt: skip


def test_a_record_is_refused_as_a_whole_or_by_its_codes():
    held = SOLAR.model_copy(update={"max_consumption": Decimal(5)})
    rows = [record(_0100011D00FF="6", _0100021D00FF="5"), record("2021-06-01T00:01:00Z", quality="x")]
    told = '{"timestamp":"2021-06-01T00:00:00Z","tags":{"muid":"m1"},"obis":{"0100011D00FF":"6","0100021D00FF":"5"}}'
    assert every(held, rows, "m1") == [
        (1, at("2021-06-01T00:00"), "6.000000", "CONSUMPTION_IMPLAUSIBLE",
         "0100011D00FF: '6' is more than 5 kWh in an interval", told),
        (1, at("2021-06-01T00:00"), "5.000000", None, None, told),
        (2, at("2021-06-01T00:01"), None, "OFF_GRID", "'2021-06-01T00:01:00Z' is not on the 15 minute grid",
         '{"timestamp":"2021-06-01T00:01:00Z","tags":{"muid":"m1","quality":"x"},"obis":{}}'),
    ]  # fmt: skip


def test_elements_are_refused_one_by_one_and_a_position_that_comes_twice_is_refused_once():
    values = ["1", "1", "1", "-1", *[None] * 19, "x"]
    assert [row[:5] for row in every(ARRAYS, [array(SPRING, values)], "m1")][3:] == [
        (1, at("2021-03-28T01:00"), "-1.000000", "CONSUMPTION_NEGATIVE", "element 4: '-1' is negative"),
        (1, at("2021-03-28T20:00"), None, "CONSUMPTION_INVALID", "element 24: 'x' is not a usable number"),
    ]
    found = every(ARRAYS, [array(AUTUMN, ["0"] * 3 + ["-0.000003"] + ["0"] * 20)], "m1", at("2021-11-01T00:00"))
    assert [row[:5] for row in found if row[3]] == [
        (1, at("2021-10-31T00:00"), "-0.000002", "CONSUMPTION_NEGATIVE", "element 4: '-0.000003' is negative")
    ]
    early = every(ARRAYS, [array("1969-12-31", ["1"])], "m1")
    assert [row[3:5] for row in early] == [("INTERVAL_OUT_OF_RANGE", "'1969-12-31' is out of range: before 1970-01-01")]


# --- values ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1234565", "0.123457"),
        ("0.12345649999999999999999999", "0.123456"),
        ("0.0000005", "0.000001"),
        ("0.00000049", "0"),
        ("5e-7", "0.000001"),
        ("-0.0000004", "0"),
        ("-0", "0"),
        ("+5", "5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("007", "7"),
        ("1E+2", "100"),
        ("1e+0002", "100"),
        ("1e-999", "0"),
        ("0e37", "0"),
        (" \t1\r\n", "1"),
        ("999999999999.9999994", "999999999999.999999"),
        ("0" * 990 + "1.5", "1.5"),
    ],
)
def test_a_number_is_exact_and_rounded_half_up_to_six_decimals(asked, text, value):
    (found,) = asked(POWER, {1: [cells("2021-06-01 00:00:00", text)]}, "m1")
    assert found["consumption"] == Decimal(value)
    assert not found["consumption"].is_signed()


@pytest.mark.parametrize(
    "text",
    [
        *(
            None,
            "",
            " ",
            "n/a",
            "NaN",
            "Infinity",
            "1_000",
            "1,5",
            "0x10",
            "1d",
            ".",
            "-",
            "e5",
            "1e",
            "+-1",
            "1.2.3",
            "1 0",
        ),
        *(
            "-1",
            "-0.0000005",
            "999999999999.9999995",
            "1000000000000",
            "1e12",
            "0e38",
            "1e999",
            "1e1000",
            "1e2147483647",
        ),
        *("1" * 1001, "1" + " " * 1000, "１２", "٣", "1\u00a0", "\ufeff1", "1\x7f", "1\x00e2", "true"),
    ],
)
def test_what_is_no_number_or_negative_or_too_large_does_not_pass(asked, text):
    assert asked(POWER, {1: [cells("2021-06-01 00:00:00", text)]}, "m1") == []


# --- SMRT -----------------------------------------------------------------------------------------------------


def test_smrt_hours_are_utc_and_lie_on_local_days(asked):
    files = {1: [consu(time="2200"), consu(time="2300", consumption="2.50")]}
    found = asked(GAS, files, "1")
    assert seen(found, "interval_start", "local_date", "interval_minutes", "consumption") == [
        ("01 22:00", date(2021, 6, 1), 60, Decimal(1)),
        ("01 23:00", date(2021, 6, 2), 60, Decimal("2.5")),
    ]


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "+14:00", "-12:00"])
def test_smrt_hours_of_both_clock_changes_are_all_there(asked, zone):
    hours = [consu(day=day, time=f"{n:02}00") for day in ("20210328", "20211031") for n in range(24)]
    assert len(asked(GAS.model_copy(update={"time_zone": zone}), {1: hours}, "1")) == 48


@pytest.mark.parametrize(
    "row",
    [
        consu(time="0030"),
        consu(time="2400"),
        consu(time="0060"),
        consu(time="000"),
        consu(time="00:00"),
        consu(day="20210229"),
        consu(day="00000601"),
        consu(day="2021061"),
        consu(day="٢٠٢١٠٦٠١"),
        consu(day="00010101", time="0000"),  # in New York still the year 0
        consu(consumption=""),
        consu(raw='"CONSU'),
    ],
)
def test_smrt_rows_that_do_not_pass_are_no_versions(asked, row):
    feed = GAS.model_copy(update={"time_zone": "America/New_York"})
    assert seen(asked(feed, {1: [row, consu(time="0100")]}, "1"), "row_number") == [(2,)]


@pytest.mark.parametrize("meter", ["1a", " 1", "", "٣", "-1"])
def test_smrt_meters_are_digits(asked, meter):
    assert asked(GAS, {1: [consu(meter=meter)]}, meter) == []


# --- split JSON -----------------------------------------------------------------------------------------------


def half_hours(*labels, day=AUTUMN):
    return [cells(f"{day} {label}:00", str(n)) for n, label in enumerate(labels)]


NIGHT = ("00:30", "01:00", "01:30", "01:00", "01:30", "02:00")


def test_of_a_repeated_local_time_the_first_row_is_the_earlier_instant(asked):
    found = asked(POWER, {1: half_hours(*NIGHT)}, "m1")
    assert seen(found, "interval_start", "consumption") == [
        ("30 23:30", 0), ("31 00:00", 1), ("31 00:30", 2), ("31 01:00", 3), ("31 01:30", 4), ("31 02:00", 5),
    ]  # fmt: skip


def test_in_a_file_that_is_newest_first_it_is_the_later_one(asked):
    found = asked(POWER, {1: half_hours(*reversed(NIGHT))}, "m1")
    assert seen(found, "interval_start", "consumption") == [
        ("30 23:30", 5), ("31 00:00", 4), ("31 00:30", 3), ("31 01:00", 2), ("31 01:30", 1), ("31 02:00", 0),
    ]  # fmt: skip


def test_a_repeated_local_time_that_occurs_once_in_a_file_is_the_earlier_one_in_any_order(asked):
    for file_id, labels in ((1, ("00:30", "01:00", "02:00")), (2, ("02:00", "01:00", "00:30"))):
        found = asked(POWER, {file_id: half_hours(*labels)}, "m1")
        assert {row for row in seen(found, "interval_start", "row_number") if row[1] == 2} == {("31 00:00", 2)}


def test_each_delivery_and_each_meter_has_an_order_of_its_own(asked):
    others = [cells(f"{AUTUMN} 23:00:00", meter="m2"), cells(f"{AUTUMN} 01:00:00", meter="m2")]
    files = {
        1: [*others, *half_hours("01:00", "01:00")],
        2: half_hours("01:00"),
        3: half_hours("02:00", "01:00", "01:00"),
    }
    found = asked(POWER, files, "m1", last=AUTUMN)
    assert seen(found, "interval_start", "file_id", "row_number", "is_current") == [
        ("31 00:00", 1, 3, False),
        ("31 00:00", 2, 1, False),
        ("31 00:00", 3, 3, True),
        ("31 01:00", 1, 4, False),
        ("31 01:00", 3, 2, True),
        ("31 02:00", 3, 1, True),
    ]


@pytest.mark.parametrize(
    "refused",
    [
        cells(f"{AUTUMN} 01:00:00", "n/a"),
        cells(f"{AUTUMN} 01:00:00", "-1"),
        cells(f"{AUTUMN} 01:00:00", raw="[]"),
    ],
)
def test_rows_that_do_not_pass_are_occurrences_too(asked, refused):
    found = asked(POWER, {1: [refused, *half_hours("01:00", "01:30")]}, "m1")
    assert seen(found, "interval_start", "row_number") == [("31 00:30", 3), ("31 01:00", 2)]


def test_so_they_are_where_the_newest_row_is_first(asked):
    rows = [*half_hours("02:00"), cells(f"{AUTUMN} 01:00:00", "n/a"), *half_hours("01:00")]
    assert seen(asked(POWER, {1: rows}, "m1"), "interval_start", "row_number") == [("31 00:00", 3), ("31 02:00", 1)]


def test_rows_of_other_days_also_decide_a_days_occurrences(asked):
    # Only the whole file shows that it is newest first.
    rows = [cells("2021-11-01 00:00:00"), *half_hours("01:00", "01:00")]
    found = asked(POWER, {1: rows}, "m1", AUTUMN, AUTUMN)
    assert seen(found, "interval_start", "row_number") == [("31 00:00", 3), ("31 01:00", 2)]


def test_rows_whose_label_is_none_do_not_tell_the_order(asked):
    rows = [cells("x"), *half_hours("00:30", "01:00", "01:00"), cells("2021-10-31"), cells(None)]
    found = asked(POWER, {1: rows}, "m1")
    assert seen(found, "interval_start", "row_number") == [("30 23:30", 2), ("31 00:00", 3), ("31 01:00", 4)]


def test_local_times_that_the_clocks_skipped_do_not_pass(asked):
    found = asked(POWER, {1: half_hours("00:30", "01:00", "01:30", "02:00", day=SPRING)}, "m1")
    assert seen(found, "interval_start", "consumption") == [("28 00:30", 0), ("28 01:00", 3)]


def test_clocks_that_go_back_by_half_an_hour_repeat_half_an_hour(asked):
    feed = POWER.model_copy(update={"time_zone": "Australia/Lord_Howe"})
    rows = half_hours("01:00", "01:30", "01:30", "02:00", day=date(2021, 4, 4))
    found = asked(feed, {1: rows}, "m1", days={1: [date(2021, 4, 4)]})
    assert seen(found, "interval_start") == [("03 14:00",), ("03 14:30",), ("03 15:00",), ("03 15:30",)]


@pytest.mark.parametrize(
    "label",
    [
        *(
            None,
            "",
            "2021-06-01",
            "2021-06-01 00:00",
            "2021-06-01T00:00:00",
            "2021-06-01 00:00:00Z",
            " 2021-06-01 00:00:00",
        ),
        *(
            "2021-06-01 00:00:00.0",
            "2021-6-01 00:00:00",
            "2021-06-01 24:00:00",
            "2021-06-01 00:60:00",
            "2021-06-01 00:00:60",
        ),
        *(
            "2021-02-29 00:00:00",
            "0000-06-01 00:00:00",
            "2021-06-01 00:10:00",
            "2021-06-01 00:00:01",
            "12021-06-01 00:00:00",
        ),
        *("2021-06-01 00:00:00\n", "٢٠٢١-06-01 00:00:00", "0001-01-01 00:00:00"),
    ],
)
def test_split_json_rows_with_another_label_are_no_versions(asked, label):
    assert asked(POWER.model_copy(update={"time_zone": "Europe/Vilnius"}), {1: [cells(label)]}, "m1") == []


def test_the_last_half_hour_there_is_passes(asked):
    found = asked(POWER, {1: [cells("9999-12-31 23:30:00")]}, "m1", days={1: [date.max]}, received_at=LATE)
    assert [row["interval_start"] for row in found] == [at("9999-12-31T23:30")]


def test_columns_may_have_other_names(asked):
    feed = Feed(
        name="named",
        format="split_json",
        path="named",
        time_zone="Europe/London",
        interval_minutes=60,
        columns={"meter_id": "Meter", "interval_start": "at", "consumption": "kwh"},
    )
    rows = [{"Meter": "m1", "at": f"2021-06-01 0{hour}:00:00", "kwh": "1"} for hour in (0, 1)]
    assert seen(asked(feed, {1: rows}, "m1"), "interval_start", "interval_minutes") == [
        ("31 23:00", 60),
        ("01 00:00", 60),
    ]


# --- OBIS JSON ------------------------------------------------------------------------------------------------


def test_each_code_of_a_record_is_a_reading_of_its_direction(asked):
    codes = {"_0100011D00FF": "1.5", "_0100021d00ff": "2"}
    found = asked(SOLAR, {1: [record(quality="measured", **codes)]}, "m1")
    assert seen(found, "direction", "consumption", "quality", "interval_minutes") == [
        ("export", Decimal(2), "measured", 15),
        ("import", Decimal("1.5"), "measured", 15),
    ]


def test_a_value_that_does_not_pass_leaves_the_records_other_one(asked):
    rows = [record(_0100011D00FF="1", _0100021D00FF="-1"), record(_0100011D00FF=None, _0100021D00FF="3"), record()]
    assert seen(asked(SOLAR, {1: rows}, "m1"), "direction", "row_number") == [("export", 2), ("import", 1)]


def test_a_record_with_a_repeated_key_is_not_a_version(asked):
    assert asked(SOLAR, {1: [record(raw="{}", _0100011D00FF="1")]}, "m1") == []


@pytest.mark.parametrize("quality", [None, "", " \t"])
def test_a_blank_quality_says_nothing(asked, quality):
    assert seen(asked(SOLAR, {1: [record(quality=quality, _0100011D00FF="1")]}, "m1"), "quality") == [(None,)]


@pytest.mark.parametrize("label", ["2021-10-31T01:15:00Z", "2021-10-31T01:15Z", "2021-10-31T01:15:00.000Z"])
def test_obis_times_are_utc(asked, label):
    found = asked(SOLAR, {1: [record(label, _0100011D00FF="1")]}, "m1")
    assert [(row["interval_start"], row["local_date"]) for row in found] == [(at("2021-10-31T01:15"), AUTUMN)]


@pytest.mark.parametrize(
    "label",
    [
        *(None, "", "2021-10-31T01:15:00", "2021-10-31 01:15:00Z", "2021-10-31T01:15:00z", "2021-10-31T01:15:00.Z"),
        *(
            "2021-10-31T01:15:00.001Z",
            "2021-10-31T01:15:01Z",
            "2021-10-31T01:10:00Z",
            "2021-10-31T24:00Z",
            "0000-10-31T00:00Z",
        ),
        *("2021-10-31T01:15:00Z\n", "9999-12-31T23:00:00Z"),
    ],
)
def test_obis_records_with_another_time_are_no_versions(asked, label):
    assert asked(SOLAR, {1: [record(label, _0100011D00FF="1")]}, "m1") == []


# --- interval arrays ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2021, 6, 1), 24), (SPRING, 23), (AUTUMN, 25)], ids=["normal", "spring", "autumn"]
)
@pytest.mark.parametrize("minutes", [60, 30, 15])
def test_a_list_as_long_as_its_day_holds_it_in_order(asked, day, hours, minutes):
    size = hours * 60 // minutes
    found = asked(ARRAYS, {1: [array(day, [str(n) for n in range(size)])]}, "m1")
    assert [row["consumption"] for row in found] == list(range(size))
    assert {(row["interval_minutes"], row["local_date"], row["quality"], row["unit"]) for row in found} == {
        (minutes, day, None, "Wh")
    }
    steps = {(b["interval_start"] - a["interval_start"]).total_seconds() for a, b in pairwise(found)}
    assert steps == {minutes * 60}


@pytest.mark.parametrize(("day", "minutes"), [(date(2021, 6, 1), 1440), (SPRING, 1380), (AUTUMN, 1500)])
def test_one_value_is_the_whole_day(asked, day, minutes):
    assert seen(asked(ARRAYS, {1: [array(day, ["7"])]}, "m1"), "interval_minutes", "consumption") == [(minutes, 7)]


def test_a_normal_days_list_on_the_autumn_day_holds_sums_that_are_split_evenly(asked):
    found = asked(ARRAYS, {1: [array(AUTUMN, [str(n) for n in range(24)])]}, "m1")
    assert len(found) == 25
    # Vilnius showed three o'clock twice: at 00:00 and at 01:00 UTC.
    assert seen(found[2:6], "interval_start", "consumption", "quality", "row_number") == [
        ("30 23:00", 2, None, 1),
        ("31 00:00", Decimal("1.5"), "split", 1),
        ("31 01:00", Decimal("1.5"), "split", 1),
        ("31 02:00", 4, None, 1),
    ]


def test_half_of_an_odd_millionth_is_rounded_half_up(asked):
    values = [None] * 3 + ["0.000001"] + [None] * 20
    assert seen(asked(ARRAYS, {1: [array(AUTUMN, values)]}, "m1"), "consumption") == [(Decimal("0.000001"),)] * 2


def test_a_normal_days_list_on_the_spring_day_has_no_values_where_the_clocks_skipped(asked):
    found = asked(ARRAYS, {1: [array(SPRING, [str(n) for n in range(24)])]}, "m1")
    assert [row["consumption"] for row in found] == [n for n in range(24) if n != 3]
    assert seen(found[2:4], "interval_start") == [("28 00:00",), ("28 01:00",)]


def test_missing_and_refused_elements_leave_the_others(asked):
    found = asked(ARRAYS, {1: [array(date(2021, 6, 1), [None, "-1", "n/a", *["1"] * 21])]}, "m1")
    assert len(found) == 21


@pytest.mark.parametrize("size", [0, 2, 12, 22, 23, 25, 26, 47, 49, 92, 100, 300])
def test_a_list_that_fits_no_normal_day_is_no_version(asked, size):
    assert asked(ARRAYS, {1: [array(date(2021, 6, 1), ["1"] * size)]}, "m1") == []


@pytest.mark.parametrize("day", ["2021-06-01 00:00:00", "2021-06-01"])
def test_a_day_may_have_midnight_beside_it(asked, day):
    assert len(asked(ARRAYS, {1: [array(day, ["1"] * 24)]}, "m1")) == 24


@pytest.mark.parametrize(
    "day", ["2021-06-01 01:00:00", "2021-02-29", "0000-01-01", "0001-01-01", "", "2021-6-1", "1.6.2021"]
)
def test_what_is_no_day_is_no_version(asked, day):
    assert asked(ARRAYS, {1: [array(day, ["1"] * 24)]}, "m1") == []


@pytest.mark.parametrize(("size", "count"), [(23, 0), (24, 0), (47, 47), (48, 47), (94, 94), (96, 94)])
def test_an_interval_divides_the_day_it_is_of(asked, size, count):
    # The clocks of Lord Howe go forward by half an hour: no list of whole hours fits.
    feed = ARRAYS.model_copy(update={"time_zone": "Australia/Lord_Howe"})
    day = date(2021, 10, 3)
    assert len(asked(feed, {1: [array(day, ["1"] * size)]}, "m1", days={1: [day]})) == count


def test_a_day_that_was_skipped_is_no_version(asked):
    feed = ARRAYS.model_copy(update={"time_zone": "Pacific/Apia"})
    skipped, next_day = date(2011, 12, 30), date(2011, 12, 31)
    rows = [array(skipped, ["1"] * 24), array(skipped, ["1"]), array(next_day, ["1"] * 24)]
    found = asked(feed, {1: rows}, "m1", days={1: [next_day]})
    assert {row["local_date"] for row in found} == {next_day}


def test_a_day_in_two_parts_has_the_intervals_of_both(asked):
    # Newfoundland went back from 00:01 to 23:01 of the day before.
    feed = ARRAYS.model_copy(update={"time_zone": "America/St_Johns"})
    first, second = date(2010, 11, 6), date(2010, 11, 7)
    rows = [array(first, ["1"] * 99), array(second, ["1"] * 97)]
    found = asked(feed, {1: rows}, "m1", days={1: [first, second]})
    starts = {day: [row["interval_start"] for row in found if row["local_date"] == day] for day in (first, second)}
    assert [len(each) for each in starts.values()] == [99, 97]
    assert starts[first][-3:] == [at("2010-11-07T02:45"), at("2010-11-07T03:00"), at("2010-11-07T03:15")]
    assert starts[second][:2] == [at("2010-11-07T02:30"), at("2010-11-07T03:30")]


def test_the_last_day_there_is_has_all_hours_that_a_time_can_say(asked):
    last = date.max
    assert len(asked(ARRAYS, {1: [array(last, ["1"] * 24)]}, "m1", days={1: [last]}, received_at=LATE)) == 24
    west = ARRAYS.model_copy(update={"time_zone": "America/New_York", "name": "west"})
    assert len(asked(west, {2: [array(last, ["1"] * 24)]}, "m1", days={2: [last]}, received_at=LATE)) == 19
