"""The envelope of an SMRT file: which files are refused whole, and with which code (contract, sections 1 and 3)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import smrt_envelope

GAS = Feed(name="gas", format="smrt", path="landing/gas")
HEADER = '"HEADR","SMRT","GAZ","20191016","102939","PN000001"'
CONSU = '"CONSU","000000002","20191014","1100",10.28'
TRAIL = '"TRAIL"'
GOOD = f"{HEADER}\r\n{CONSU}\r\n{CONSU}\r\n{TRAIL}\r\n"


def looked_at(content, name="PN000001.SMRT", environment="production"):
    raw = content if isinstance(content, bytes) else content.encode()
    found = Delivery("gas", name, f"landing/gas/{name}", name, len(raw), datetime(2019, 10, 16, tzinfo=UTC))
    return smrt_envelope.inspect(raw, found, GAS, environment)


def code_of(content, name="PN000001.SMRT", environment="production"):
    return looked_at(content, name, environment).reason_code


def lines(*parts):
    return "\n".join(parts) + "\n"


def header(day="20191016", time="102939", generation="PN000001", company="GAZ", file_type="SMRT"):
    return f'"HEADR","{file_type}","{company}","{day}","{time}","{generation}"'


def test_a_sound_file_says_when_it_was_created_its_generation_and_its_rows():
    delivery = looked_at(GOOD)
    assert delivery.reason_code is None
    assert delivery.created_at == datetime(2019, 10, 16, 10, 29, 39, tzinfo=UTC)
    assert delivery.generation == "PN000001"
    assert delivery.rows_read == 2


SOUND = {
    "LF instead of CRLF": GOOD.replace("\r\n", "\n"),
    "no line break at the end": GOOD.removesuffix("\r\n"),
    "a byte order mark": "\ufeff" + GOOD,
    "a byte order mark before a blank line": "\ufeff\r\n" + GOOD,
    "blank lines at the beginning": "\r\n \t\r\n" + GOOD,
    "blank lines between": GOOD.replace("\r\n", "\r\n\r\n  \r\n"),
    "a carriage return among the blanks of a line before the header": " \r \r\n" + GOOD,
    "a carriage return among the blanks of a line after the trailer": GOOD + " \r \n",
    "blank lines at the end": GOOD + "\r\n\n \t \n",
    "no quotes at all": GOOD.replace('"', ""),
    "quotes around the number": GOOD.replace("10.28", '"10.28"'),
    "blanks around every field": GOOD.replace(",", " \t, ").replace("\r\n", " \r\n  "),
    "blanks around the trailer": lines(HEADER, CONSU, CONSU, ' \t"TRAIL" \t'),
    "a CONSU line of four fields": lines(HEADER, CONSU, '"CONSU","1","20191014","1100"', TRAIL),
    "a CONSU line with an open quote": lines(HEADER, CONSU, '"CONSU","1","20191014","1100,1.0', TRAIL),
    "a CONSU line with an open quote at its record id": lines(HEADER, CONSU, '"CONSU,"1","20191014","1100",1.0', TRAIL),
    "a CONSU line of the record id only": lines(HEADER, CONSU, "CONSU", TRAIL),
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND.keys())
def test_a_file_is_sound_with(content):
    delivery = looked_at(content)
    assert (delivery.reason_code, delivery.rows_read) == (None, 2)


def test_an_envelope_without_readings_is_sound_and_has_no_rows():
    delivery = looked_at(lines(HEADER, TRAIL))
    assert (delivery.reason_code, delivery.rows_read) == (None, 0)


NAMES = ["PN000001.smrt", "PN000001", "PN000001.SMRT.SMRT", "PN00001.SMRT", "PN0000011.SMRT", "pn000001.SMRT"]
NAMES += ["XX000001.SMRT", "PN000004 - Copy.SMRT", "PN00000a.SMRT", "PN000001.SMRT\n", "readme.txt", "PN٠٠٠٠٠١.SMRT"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_not_pn_or_dv_six_digits_and_the_ending_is_bad(name):
    assert code_of(GOOD, name) == "BAD_FILE_NAME"


REFUSED = {
    "nothing": (b"", "EMPTY_FILE"),
    "blank lines only": (b" \r\n\t\n\n", "EMPTY_FILE"),
    "a byte order mark only": ("\ufeff", "EMPTY_FILE"),
    "a byte order mark and blank lines": ("\ufeff\r\n \n", "EMPTY_FILE"),
    "a Latin-1 letter": (GOOD.replace("GAZ", "GÄZ").encode("latin-1"), "NOT_UTF8"),
    "UTF-16": (GOOD.encode("utf-16"), "NOT_UTF8"),
    "no header": (lines(CONSU, TRAIL), "HEADER_MISSING"),
    "a trailer only": (lines(TRAIL), "HEADER_MISSING"),
    "a row before the header": (lines(CONSU, HEADER, TRAIL), "HEADER_MISSING"),
    "garbage before the header": (lines("x", HEADER, CONSU, TRAIL), "HEADER_MISSING"),
    "a header in lower case": (lines(HEADER.replace("HEADR", "headr"), TRAIL), "HEADER_MISSING"),
    "a longer record id than HEADR": (lines(HEADER.replace("HEADR", "HEADRS"), TRAIL), "HEADER_MISSING"),
    "a header of five fields": (lines(HEADER.replace('"GAZ",', ""), TRAIL), "HEADER_INVALID"),
    "a header of seven fields": (lines(HEADER + ",", TRAIL), "HEADER_INVALID"),
    "an open quote in the header": (lines(HEADER.removesuffix('"'), CONSU, TRAIL), "HEADER_INVALID"),
    "an open quote at the header's record id": (lines(HEADER.replace('HEADR"', "HEADR"), TRAIL), "HEADER_INVALID"),
    "text after a quote in the header": (lines(HEADER.replace('"GAZ"', '"GAZ"x'), TRAIL), "HEADER_INVALID"),
    "another file type": (lines(header(file_type="SMRX"), TRAIL), "HEADER_INVALID"),
    "a creation date that is none": (lines(header(day="20190229"), TRAIL), "HEADER_INVALID"),
    "a creation date in the year 0": (lines(header(day="00000101"), TRAIL), "HEADER_INVALID"),
    "a creation date with dashes": (lines(header(day="2019-10-16"), TRAIL), "HEADER_INVALID"),
    "a creation date in other digits": (lines(header(day="٢٠١٩١٠١٦"), TRAIL), "HEADER_INVALID"),
    "a creation time of 24 o'clock": (lines(header(time="240000"), TRAIL), "HEADER_INVALID"),
    "a creation time with a 60th second": (lines(header(time="102960"), TRAIL), "HEADER_INVALID"),
    "a creation time without seconds": (lines(header(time="1029"), TRAIL), "HEADER_INVALID"),
    "a generation of five digits": (lines(header(generation="PN00001"), TRAIL), "HEADER_INVALID"),
    "a generation with more after it": (lines(header(generation="PN000001x"), TRAIL), "HEADER_INVALID"),
    "a generation with more before it": (lines(header(generation="xPN000001"), TRAIL), "HEADER_INVALID"),
    "two headers": (lines(HEADER, HEADER, CONSU, TRAIL), "HEADER_INVALID"),
    "a second header in the middle": (lines(HEADER, CONSU, HEADER, CONSU, TRAIL), "HEADER_INVALID"),
    "a second header with an open quote": (lines(HEADER, '"HEADR,"SMRT"', TRAIL), "HEADER_INVALID"),
    "two whole files in one": (GOOD + GOOD, "HEADER_INVALID"),
    "no trailer": (lines(HEADER, CONSU), "TRAILER_MISSING"),
    "a trailer with more fields": (lines(HEADER, CONSU, '"TRAIL","2"'), "TRAILER_MISSING"),
    "a trailer with an empty field": (lines(HEADER, CONSU, "TRAIL,"), "TRAILER_MISSING"),
    "an open quote in the trailer": (lines(HEADER, CONSU, '"TRAIL'), "TRAILER_MISSING"),
    "a longer record id than TRAIL": (lines(HEADER, CONSU, "TRAILS"), "TRAILER_MISSING"),
    "a row after the trailer": (lines(HEADER, CONSU, TRAIL, CONSU), "TRAILER_NOT_LAST"),
    "a second trailer": (lines(HEADER, CONSU, TRAIL, TRAIL), "TRAILER_NOT_LAST"),
    "garbage after the trailer": (GOOD + "\x1a", "TRAILER_NOT_LAST"),
    "an unknown record": (lines(HEADER, CONSU, '"OTHER","1"', TRAIL), "UNKNOWN_RECORD"),
    "a longer record id than CONSU": (lines(HEADER, '"CONSUM","1","20191014","1100",1', TRAIL), "UNKNOWN_RECORD"),
    "a lone comma": (lines(HEADER, ",", TRAIL), "UNKNOWN_RECORD"),
    "a lone quote": (lines(HEADER, '"', TRAIL), "UNKNOWN_RECORD"),
    "another company": (lines(header(company="GAS"), CONSU, TRAIL), "WRONG_COMPANY"),
    "the company in lower case": (lines(header(company="gaz"), CONSU, TRAIL), "WRONG_COMPANY"),
    "a development header in production": (lines(header(generation="DV000001"), TRAIL), "WRONG_ENVIRONMENT"),
    "a header of another number": (lines(header(generation="PN000002"), CONSU, TRAIL), "NAME_MISMATCH"),
}


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_is_refused_whole_with(content, code):
    delivery = looked_at(content)
    assert delivery.reason_code == code
    assert (delivery.status, delivery.rows_read) == ("rejected", 0)


def test_a_development_file_is_refused_in_production_and_taken_in_development():
    development = lines(header(generation="DV000001"), CONSU, TRAIL)
    assert code_of(development, "DV000001.SMRT") == "WRONG_ENVIRONMENT"
    assert code_of(development, "DV000001.SMRT", environment="development") is None
    assert code_of(GOOD, environment="development") is None
    assert code_of(development, "DV000002.SMRT", environment="development") == "NAME_MISMATCH"


LATIN = GOOD.replace("GAZ", "GÄZ").encode("latin-1")
TWO_FAULTS = {
    "empty before the name": ("", "x.txt", "EMPTY_FILE"),
    "the name before the encoding": (LATIN, "x.txt", "BAD_FILE_NAME"),
    "the encoding before the header": (LATIN.replace(b"HEADR", b"X"), "PN000001.SMRT", "NOT_UTF8"),
    "no header before no trailer": (lines(CONSU, HEADER), "PN000001.SMRT", "HEADER_MISSING"),
    "a wrong header before no trailer": (lines(header(time="1")), "PN000001.SMRT", "HEADER_INVALID"),
    "a second header before data after the trailer": (lines(HEADER, TRAIL, HEADER), "PN000001.SMRT", "HEADER_INVALID"),
    "no trailer before an unknown record": (lines(HEADER, "X"), "PN000001.SMRT", "TRAILER_MISSING"),
    "data after the trailer before an unknown record": (lines(HEADER, TRAIL, "X"), "PN000001.SMRT", "TRAILER_NOT_LAST"),
    "an unknown record before the company": (lines(header(company="X"), "X", TRAIL), "PN000001.SMRT", "UNKNOWN_RECORD"),
    "the company before the environment": (
        lines(header(company="X", generation="DV000001"), TRAIL),
        "DV000001.SMRT",
        "WRONG_COMPANY",
    ),
    "the environment before the name": (
        lines(header(generation="DV000001"), TRAIL),
        "PN000001.SMRT",
        "WRONG_ENVIRONMENT",
    ),
}


@pytest.mark.parametrize(("content", "name", "code"), TWO_FAULTS.values(), ids=TWO_FAULTS.keys())
def test_of_two_faults_the_first_in_the_order_of_the_codes_is_named(content, name, code):
    assert code_of(content, name) == code
