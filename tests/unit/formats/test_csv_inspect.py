"""The driver's verdict on a delimited text, from its bytes (contract, sections 1 and 3)."""

from __future__ import annotations

import pytest

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import csv_bronze

ROWS = "1,2021-01-01 00:00,0.5\n2,2021-01-01 00:30,0.25\n"
HEADER = "meter,timestamp,value\n"


def feed(unit="kWh", ending=None, interval_minutes=None, **csv):
    table = {} if {"meter_id", "meter_in_path"} & set(csv) else {"meter": "meter"}
    return Feed(
        name="power",
        format="csv",
        path="in",
        unit=unit,
        ending=ending,
        interval_minutes=interval_minutes,
        csv=table | csv,
    )


def inspected(content, path="2021/power.csv", **csv):
    content = content if isinstance(content, bytes) else content.encode()
    of = csv.pop("of", None) or feed(**csv)
    found = Delivery("power", path.rsplit("/", 1)[-1], path, path, len(content), None)
    return formats.format_of(of).inspect(content, found, of, "production")


def refused(content, *args, **csv):
    delivery = inspected(content, *args, **csv)
    assert (delivery.status, delivery.rows_read) == ("rejected", 0)
    return delivery.reason_code, delivery.reason


def frame(content, **csv):
    delivery = inspected(content, **csv)
    assert delivery.reason_code is None, delivery.reason
    return delivery


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (HEADER + ROWS, 2),
        (HEADER + ROWS.rstrip("\n"), 2),
        ((HEADER + ROWS).replace("\n", "\r\n"), 2),
        ((HEADER + ROWS).replace("\n", "\r"), 2),
        (HEADER, 0),
        (HEADER.rstrip("\n"), 0),
        ("\n\n" + HEADER + "\n \t\n" + ROWS + "\n\n", 2),
        (HEADER.replace("meter", ' "meter" ') + ROWS, 2),
        (HEADER + '1,"2021-01-01\n00:00",0.5\n2,x,y\n', 2),
        (HEADER + '1,"say ""a"", b",0.5\n', 1),
        (HEADER + '="1",2021-01-01 00:00,0.5\n', 1),
        (HEADER + '""\n1,2,3\n" "\n', 1),
        (HEADER + "only one\n", 1),
        (HEADER + ',,\n5" pipe,2,3\n', 2),
        ("sep=,\n" + HEADER + ROWS, 2),
        ('"SEP=;"\r\n' + HEADER + ROWS, 2),
        ("\ufeff" + HEADER + ROWS, 2),
        ("\ufeffsep=,\n" + HEADER + ROWS, 2),
    ],
)
def test_rows_below_the_header_are_counted(text, rows):
    assert frame(text).rows_read == rows
    assert frame(text).columns == ("meter", "timestamp", "value")


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " ", "^", "]", "\\", "-", ".", "§"])
def test_any_character_may_stand_between_fields(delimiter):
    text = (HEADER + "1,x,2\n").replace(",", delimiter)
    assert frame(text, delimiter=delimiter).rows_read == 1
    assert frame(text + f'"1{delimiter}1"{delimiter}2{delimiter}3\n', delimiter=delimiter).frame.is_quoted


@pytest.mark.parametrize(
    ("encoding", "configured"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-8-sig", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16", "utf-8"),
        ("utf-16-le", "utf-16"),
        ("utf-16-be", "utf-16"),
        ("latin-1", "latin-1"),
        ("cp1252", "cp1252"),
    ],
)
def test_encodings_and_byte_order_marks(encoding, configured):
    content = (HEADER.replace("value", "Zähler") + ROWS).encode(encoding)
    delivery = frame(content, encoding=configured, value="Zähler")
    assert (delivery.rows_read, delivery.columns[-1]) == (2, "Zähler")


def test_what_is_not_in_its_encoding_is_refused():
    assert refused((HEADER + "é,,\n").encode("latin-1")) == ("NOT_UTF8", "byte 23 is not UTF-8")
    assert refused(HEADER.encode() + b"\x81,,\n", encoding="cp1252") == ("NOT_UTF8", "byte 23 is not CP1252")
    assert refused(HEADER.encode("utf-16") + b"\n")[0] == "NOT_UTF8"


@pytest.mark.parametrize("content", [b"", b" \r\n\t\n", b"\xef\xbb\xbf\n", "\ufeff \n".encode("utf-16-le")])
def test_a_file_of_blanks_is_empty(content):
    assert refused(content, "empty.doc")[0] == "EMPTY_FILE"


def test_a_name_ends_in_csv_in_any_case_or_as_the_feed_says():
    assert refused(HEADER, "in/power.txt")[0] == "BAD_FILE_NAME"
    assert inspected(HEADER, "in/POWER.CSV").reason_code is None
    text = feed(ending=".txt")
    assert inspected(HEADER, "in/power.TXT", of=text).reason_code is None
    assert refused(HEADER, "in/power.csv", of=text) == ("BAD_FILE_NAME", "the name does not end in .txt")


def test_the_meter_may_stand_in_the_path():
    assert inspected("timestamp,value\n", "77/a.csv", meter_in_path="^([0-9]+)/").reason_code is None
    code, reason = refused("timestamp,value\n", "x/a.csv", meter_in_path="^([0-9]+)/")
    assert (code, reason) == ("BAD_FILE_NAME", "the path names no meter as '^([0-9]+)/' finds it")


def test_ten_lines_before_the_header_are_passed_over():
    above = "".join(f'Report "line {n}\n' for n in range(9)) + "\n"
    delivery = frame(above + HEADER + ROWS, skip_lines=10)
    assert (delivery.rows_read, delivery.frame.lines_before) == (2, 11)
    assert refused(above + HEADER, skip_lines=12)[0] == "HEADER_MISSING"
    assert refused("a\n\n \n", skip_lines=1)[0] == "HEADER_MISSING"


def test_without_a_header_columns_are_numbered():
    columns = {"header": False, "meter": "c1", "timestamp": "c2", "value": "c3"}
    delivery = frame(ROWS, **columns)
    assert (delivery.rows_read, delivery.columns) == (2, ("c1", "c2", "c3"))
    assert frame("above\n", skip_lines=1, **columns).rows_read == 0
    assert refused("1,2\n", **columns)[0] == "COLUMNS_MISSING"


def test_a_name_that_stands_twice_is_numbered():
    text = "meter, timestamp ,kWh,kWh,kWh\n"
    assert frame(text, value="kWh.2").columns == ("meter", "timestamp", "kWh", "kWh.2", "kWh.3")


def test_empty_names_at_the_end_of_a_header_are_no_columns():
    for header in ("meter,timestamp,value,,,\n", 'meter,timestamp,value, ,""\n'):
        delivery = frame(header + ROWS)
        assert delivery.columns == ("meter", "timestamp", "value")
        assert (delivery.frame.least, delivery.frame.width) == (3, 3)
    inner = frame("meter,,,timestamp,value,,\n")
    assert inner.columns == ("meter", "", ".2", "timestamp", "value")


def test_a_row_has_the_fields_up_to_the_last_configured_column_at_least():
    assert (frame("meter,timestamp,value,a,b\n").frame.least, frame("a,value,timestamp,meter\n").frame.least) == (3, 4)
    assert frame("meter,timestamp,value,a,b\n", quality="a").frame.least == 4
    assert frame("1,2,3,4\n", header=False, meter="c1", timestamp="c2", value="c3").frame.least == 3
    assert wide([*HALF_HOURS, "a", "b"]).frame.least == 50


def test_a_header_may_hold_quotes_and_line_breaks():
    text = 'meter,timestamp,"value\n(kWh)"\r\n' + ROWS
    delivery = frame(text, value="value\n(kWh)")
    assert (delivery.rows_read, delivery.frame.lines_before) == (2, 2)


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROWS + '3,"2021-01-01 01:00,0.5\n',
        HEADER + '1,2,"',
        HEADER + '1,2,3\n"',
        'meter,"timestamp,value\n' + ROWS,
        HEADER + f'1,2,"{"x" * 200_000}"\n',
        HEADER + '"a"b,"c\n',
        'meter,"timestamp,value\n' + ROWS * 5000,
    ],
)
def test_an_open_quote_refuses_the_file(text):
    assert refused(text) == ("MALFORMED_CSV", "a quote is opened and not closed")


def test_a_column_that_is_missing_is_named_with_the_nearest_one():
    assert refused("meter,Timestamp,value\n") == (
        "COLUMNS_MISSING",
        "no column 'timestamp'; the nearest is 'Timestamp'",
    )
    assert refused("meter,timestamp,value\n", value="Consumption (kWh)")[1] == (
        "no column 'Consumption (kWh)'; there are meter, timestamp, value"
    )
    assert refused("meter;timestamp;value\n")[1] == "the header is one field that holds ';': is that the delimiter?"


WIDE = {"layout": "wide", "timestamp": "date", "value": r"(?P<time>\d\d:\d\d)"}
HALF_HOURS = [f"{n // 2:02}:{n % 2 * 30:02}" for n in range(48)]


def wide(names, **csv):
    return inspected(",".join(["meter", "date", *names]) + "\n", **(WIDE | csv))


def test_time_columns_are_positions_of_a_day_in_any_order():
    assert wide(HALF_HOURS).frame.positions == tuple(range(2, 50))
    assert wide(HALF_HOURS[::-1]).frame.positions == tuple(range(49, 1, -1))
    assert len(wide(HALF_HOURS[::2]).frame.positions) == 24
    assert wide(["00:00"]).frame.positions == (2,)


def test_a_column_that_names_the_end_is_the_position_before_it():
    ends = [*HALF_HOURS[1:], "24:00"]
    assert wide(ends, label="end").frame.positions == tuple(range(2, 50))
    assert wide([*HALF_HOURS[1:], "00:00"], label="end").frame.positions == tuple(range(2, 50))
    assert wide(ends).reason_code == "WRONG_SHAPE"


def test_a_time_without_a_column_is_a_position_without_a_place():
    assert wide(HALF_HOURS[:2] + HALF_HOURS[4:]).frame.positions[:5] == (2, 3, -1, -1, 4)


def test_periods_are_numbered_from_one_without_a_gap():
    pattern = {"value": r"P(?<period>[0-9]+)"}
    assert wide([f"P{n}" for n in range(1, 51)], **pattern).frame.positions == tuple(range(2, 52))
    missing = wide(["P1", "P3"], **pattern)
    assert (missing.reason_code, missing.reason) == ("COLUMNS_MISSING", "no value column for period 2")
    assert wide(["P0", "P1"], **pattern).reason_code == "WRONG_SHAPE"


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["a", "b"], "COLUMNS_MISSING"),
        (["00:00", "25:00"], "WRONG_SHAPE"),
        (["00:00", "00:30", "01:10"], "WRONG_SHAPE"),
        (["00:00", "00:07"], "WRONG_SHAPE"),
        (["00:00", "00:30", "00:30"], "WRONG_SHAPE"),
    ],
)
def test_value_columns_that_make_no_day_refuse_the_file(names, code):
    assert wide(names).reason_code == code


def test_a_quality_stands_beside_each_value():
    names = [each for time in HALF_HOURS for each in (time, f"Q{time}")]
    assert wide(names, quality_beside=True).frame.positions == tuple(range(2, 98, 2))
    assert wide(names[:-1], quality_beside=True).reason_code == "COLUMNS_MISSING"
    nameless = wide([*names[:-1], "", ""], quality_beside=True).frame
    assert (nameless.positions[-1], nameless.least, nameless.width) == (96, 98, 98)
    assert wide(HALF_HOURS, quality_beside=True).reason_code == "COLUMNS_MISSING"


def test_bronze_has_the_names_of_the_source_in_words_that_a_table_may_hold():
    said = feed(
        meter="MPAN (core)", timestamp=["Read Date", "Read Time"], value=["kWh", "KWH"], quality="raw", where={"15": []}
    ).csv
    assert csv_bronze.names(said) == {
        "MPAN (core)": "MPAN_core",
        "Read Date": "Read_Date",
        "Read Time": "Read_Time",
        "kWh": "kWh",
        "KWH": "KWH_2",
        "raw": "raw_2",
        "15": "c15",
    }
