"""The frame of a NEM12 file: which files are refused whole, and with which code (contract, sections 1 and 3)."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import nem12_frame
from pipeline.formats.row_rules import FILE_CODES

POWER = Feed(name="power", format="nem12", path="landing/power")
HEADER = "100,NEM12,202103050015,MDP1,RETAIL1"
DETAILS = "200,6305123456,E1B1,01,E1,N1,A1234567,kWh,30,20210605"
DAY = f"300,20210304,{','.join(['0.125'] * 48)},A,,,20210305001500,"
QUALITY = "400,1,48,F14,76,"
TRAILER = "900"


def lines(*parts, end="\r\n"):
    return end.join(parts) + end


GOOD = lines(HEADER, DETAILS, DAY, DAY, QUALITY, TRAILER)


def looked_at(content, name="power.csv"):
    raw = content if isinstance(content, bytes) else content.encode()
    found = Delivery("power", name, f"landing/power/{name}", name, len(raw), datetime(2021, 3, 5, tzinfo=UTC))
    return nem12_frame.inspect(raw, found, POWER, "production")


SOUND = {
    "CRLF": GOOD,
    "LF": GOOD.replace("\r\n", "\n"),
    "no line break at the end": GOOD.rstrip(),
    "a byte order mark": "\ufeff" + GOOD,
    "blank lines": "\r\n \r\n" + GOOD.replace("\r\n", "\r\n\t\r\n"),
    "quotes around the record numbers": GOOD.replace("300,", '"300",').replace("900", '"900"'),
    "blanks around the record numbers": GOOD.replace("300,", " 300 ,").replace("900", " 900 "),
    "the empty fields that a spreadsheet adds": lines(*(line + ",,," for line in GOOD.split())),
    "the version in lower case": GOOD.replace("NEM12", "nem12"),
    "a 500 record": GOOD.replace(QUALITY, "500,S,1234,20210305001500,"),
    "an open quote in a 200 record": GOOD.replace(",N1", ',"N1'),
    "an open quote in a 300 record": GOOD.replace("300,20210304", '300,"20210304'),
    "an open quote at a 300 record's number": GOOD.replace("300,", '"300,'),
    "a 300 record of its number only": GOOD.replace(DAY, "300"),
    "a 300 record before the first 200": lines(HEADER, DAY, DETAILS, DAY, TRAILER),
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND.keys())
def test_a_file_is_sound_with(content):
    delivery = looked_at(content)
    assert (delivery.reason_code, delivery.reason, delivery.rows_read) == (None, None, 2)


def test_a_frame_without_days_is_sound_and_has_no_rows():
    delivery = looked_at(lines(HEADER, TRAILER))
    assert (delivery.reason_code, delivery.rows_read) == (None, 0)


REFUSED = {
    "nothing": (b"", "EMPTY_FILE"),
    "blank lines only": (b" \r\n\t\n", "EMPTY_FILE"),
    "a byte order mark only": ("\ufeff", "EMPTY_FILE"),
    "a Latin-1 letter": (GOOD.replace("MDP1", "MDPÄ").encode("latin-1"), "NOT_UTF8"),
    "UTF-16": (GOOD.encode("utf-16"), "NOT_UTF8"),
    "no 100 record": (lines(DETAILS, DAY, TRAILER), "HEADER_MISSING"),
    "a day before the 100 record": (lines(DAY, HEADER, TRAILER), "HEADER_MISSING"),
    "a title before the 100 record": (lines("Interval data", HEADER, DETAILS, DAY, TRAILER), "HEADER_MISSING"),
    "a longer record number than 100": (GOOD.replace("100,", "1000,", 1), "HEADER_MISSING"),
    "NEM13": (GOOD.replace("NEM12", "NEM13"), "HEADER_INVALID"),
    "no version": (lines("100", DETAILS, DAY, TRAILER), "HEADER_INVALID"),
    "an open quote in the 100 record": (GOOD.replace("MDP1", '"MDP1'), "HEADER_INVALID"),
    "a second 100 record": (lines(HEADER, DETAILS, HEADER, DAY, TRAILER), "HEADER_INVALID"),
    "two files in one": (GOOD + GOOD, "HEADER_INVALID"),
    "no 900 record": (lines(HEADER, DETAILS, DAY), "TRAILER_MISSING"),
    "a 900 record with more fields": (lines(HEADER, DETAILS, DAY, "900,1"), "TRAILER_MISSING"),
    "a longer record number than 900": (lines(HEADER, DETAILS, DAY, "9000"), "TRAILER_MISSING"),
    "an open quote in the 900 record": (lines(HEADER, DETAILS, DAY, '"900'), "TRAILER_MISSING"),
    "a day after the 900 record": (lines(HEADER, DETAILS, DAY, TRAILER, DAY), "TRAILER_NOT_LAST"),
    "a second 900 record": (lines(HEADER, DETAILS, DAY, TRAILER, TRAILER), "TRAILER_NOT_LAST"),
    "text after the 900 record": (GOOD + "\x1a", "TRAILER_NOT_LAST"),
    "a record of NEM13": (lines(HEADER, DETAILS, "250,6305123456", TRAILER), "UNKNOWN_RECORD"),
    "a 600 record": (lines(HEADER, DETAILS, DAY, "600,1", TRAILER), "UNKNOWN_RECORD"),
    "a longer record number than 300": (lines(HEADER, DETAILS, "3000,1", TRAILER), "UNKNOWN_RECORD"),
    "a record number with a letter": (lines(HEADER, DETAILS, "300x,1", TRAILER), "UNKNOWN_RECORD"),
    "a 400 record before any day": (lines(HEADER, QUALITY, DETAILS, DAY, TRAILER), "WRONG_SHAPE"),
    "a 400 record before the days of a 200 record": (lines(HEADER, DETAILS, QUALITY, DAY, TRAILER), "WRONG_SHAPE"),
    "a 500 record, after a blank line": (lines(HEADER, DETAILS, DAY, DETAILS, " ", '"500",S', TRAILER), "WRONG_SHAPE"),
    "400 records and no day": (lines(HEADER, QUALITY, QUALITY, TRAILER), "WRONG_SHAPE"),
    "a lone comma": (lines(HEADER, DETAILS, ",", TRAILER), "UNKNOWN_RECORD"),
    "a lone quote": (lines(HEADER, DETAILS, '"', TRAILER), "UNKNOWN_RECORD"),
}


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_is_refused_whole_with(content, code):
    delivery = looked_at(content)
    assert delivery.reason_code == code
    assert (delivery.status, delivery.rows_read) == ("rejected", 0)


@pytest.mark.parametrize("name", ["power.txt", "power", "power.csv.gz", "_power.csv", "a:b.csv", ".xml"])
def test_a_name_without_the_ending_or_that_spark_cannot_read_is_bad(name):
    assert looked_at(GOOD, name).reason_code == "BAD_FILE_NAME"


def test_the_ending_is_read_in_any_case_and_may_be_another():
    assert looked_at(GOOD, "POWER.CSV").reason_code is None
    found = Delivery("power", "a.TXT", "landing/a.TXT", "a.TXT", 1, datetime(2021, 3, 5, tzinfo=UTC))
    other = POWER.model_copy(update={"ending": ".txt"})
    assert nem12_frame.inspect(GOOD.encode(), found, other, "production").reason_code is None


TWO_FAULTS = {
    "empty before the name": ("", "x.txt", "EMPTY_FILE"),
    "the name before the header": (DAY, "x.txt", "BAD_FILE_NAME"),
    "no header before no trailer": (DAY, "power.csv", "HEADER_MISSING"),
    "a wrong header before no trailer": ("100,NEM13", "power.csv", "HEADER_INVALID"),
    "no trailer before an unknown record": (lines(HEADER, "600"), "power.csv", "TRAILER_MISSING"),
    "an unknown record before a 400 record without a day": (
        lines(HEADER, QUALITY, "600", TRAILER),
        "power.csv",
        "UNKNOWN_RECORD",
    ),
    "data after the trailer before an unknown record": (lines(HEADER, TRAILER, "6"), "power.csv", "TRAILER_NOT_LAST"),
}


@pytest.mark.parametrize(("content", "name", "code"), TWO_FAULTS.values(), ids=TWO_FAULTS.keys())
def test_of_two_faults_the_first_in_the_order_of_the_codes_is_named(content, name, code):
    assert looked_at(content, name).reason_code == code


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_file_cut_at_any_byte_is_never_accepted_unless_the_whole_trailer_is_there(end):
    whole = lines(HEADER, DETAILS, DAY, QUALITY, TRAILER, end=end).encode()
    accepted = {length for length in range(len(whole) + 1) if looked_at(whole[:length]).reason_code is None}
    assert accepted == set(range(len(whole.rstrip()), len(whole) + 1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lines(HEADER, "", DETAILS, HEADER, TRAILER), "line 4: a second 100 record"),
        (lines("", HEADER, DETAILS, "600,x", TRAILER), "line 4: record '600'"),
        (lines(HEADER, DETAILS, "", QUALITY, DAY, TRAILER), "line 4: a 400 record without a 300 record before it"),
        (lines(HEADER, TRAILER, "", DAY), "line 4 stands after the 900 record of line 2"),
        (lines(HEADER.replace("NEM12", "NEM13"), TRAILER), "the 100 record names 'NEM13', not NEM12"),
    ],
)
def test_the_reason_names_the_line_and_blank_lines_count(content, said):
    assert said in looked_at(content).reason


PIECES = [HEADER, DETAILS, DAY, QUALITY, TRAILER, "100", "300", ",", '"', "\n", "\r", "\r\n", " ", "\x00", "é", "NEM12"]


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
@settings(derandomize=True, deadline=None, max_examples=500)
def test_arbitrary_text_of_the_right_words_gets_a_verdict(text):
    delivery = looked_at(text)
    if delivery.reason_code is None:
        written = [line.strip(" \t\r") for line in text.split("\n") if line.strip(" \t\r")]
        assert written[0].lstrip('"').startswith("100")
        assert written[-1].rstrip(", \t") in {"900", '"900"'}
    else:
        assert delivery.reason_code in FILE_CODES
        assert "\n" not in delivery.reason


@given(st.binary(max_size=200))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_arbitrary_bytes_get_a_verdict_and_are_never_a_delivery(content):
    assert looked_at(content).reason_code in FILE_CODES


@pytest.mark.parametrize("line", [HEADER, "a,b,c", DAY, QUALITY, '300,"1', "," * 100, '"400,1'])
def test_a_big_file_is_judged_in_seconds(line):
    content = "\n".join([HEADER, *[line] * 20_000, TRAILER]).encode()
    begun = time.process_time()
    looked_at(content)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("line", ['"' * 1_000_001, "300," * 200_000, '"300",' + '"a""' * 200_000, " " * 1_000_000])
def test_one_very_long_line_is_judged_in_seconds(line):
    begun = time.process_time()
    looked_at("\n".join([HEADER, line, TRAILER]))
    assert time.process_time() - begun < 2
