"""The frame of a split-JSON file: which files are refused whole, and with which code (contract, sections 1 and 3)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline.config.feeds import Columns, Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import split_document

ELECTRICITY = Feed(name="electricity", format="split_json", path="landing", time_zone="Europe/London")
NAMES = ["interval_start", "meterpoint_id", "consumption_delta"]
ROW = ["2021-01-01 00:00:00", "1400000001", "0.125"]
GOOD = {"columns": NAMES, "data": [ROW, ROW]}


def found(name="2021-01-01.json", size=1):
    return Delivery("electricity", name, f"landing/{name}", name, size, datetime(2021, 1, 2, tzinfo=UTC))


def looked_at(content, name="2021-01-01.json", feed=ELECTRICITY):
    """The verdict on a document (dumped), a text or bytes."""
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    raw = text if isinstance(text, bytes) else text.encode()
    return split_document.inspect(raw, found(name, len(raw)), feed, "production")


def columns_text(*names):
    return json.dumps([*NAMES, *names])


SOUND = {
    "one line": json.dumps(GOOD),
    "pretty-printed": json.dumps(GOOD, indent=4),
    "CRLF": json.dumps(GOOD, indent=1).replace("\n", "\r\n"),
    "no blanks": json.dumps(GOOD, separators=(",", ":")),
    "a byte order mark": "\ufeff" + json.dumps(GOOD),
    "blank lines around": "\n\r\n \t" + json.dumps(GOOD) + "\n\n",
    "data before columns": json.dumps({"data": [ROW], "columns": NAMES}),
    "columns in another order": json.dumps({"columns": NAMES[::-1], "data": [ROW[::-1]]}),
    "further columns": json.dumps({"columns": ["x", *NAMES, "y"], "data": [[1, *ROW, None]]}),
    "a further column named data": json.dumps({"columns": [*NAMES, "data"], "data": [[*ROW, 1]]}),
    "a further column with brackets and braces": json.dumps({"columns": [*NAMES, "[x] {y}"], "data": [[*ROW, 1]]}),
    "a further key": json.dumps({"meta": {"columns": 1, "data": [1]}, **GOOD}),
    "braces inside a text": json.dumps({"columns": NAMES, "data": [["{", "}{", "}"]]}),
    "a quoted key inside a text": json.dumps({"columns": NAMES, "data": [['"columns": [1]', '"data": []', "1"]]}),
    "numbers and null as cells": json.dumps({"columns": NAMES, "data": [[ROW[0], 1400, 0.1], [None, None, None]]}),
    "a short, a long, an empty and a null row": json.dumps({"columns": NAMES, "data": [[1], [1, 2, 3, 4], [], None]}),
    "no rows": json.dumps({"columns": NAMES, "data": []}),
    "an escaped column name": '{"columns":["interval\\u005fstart","meterpoint_id","consumption_delta"],"data":[]}',
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND.keys())
def test_a_file_is_sound_with(content):
    assert looked_at(content).reason_code is None


def test_a_sound_file_names_its_columns_in_their_order():
    assert looked_at({"columns": ["x", *NAMES[::-1]], "data": []}).columns == ("x", *NAMES[::-1])
    assert looked_at({"columns": [*NAMES, "{"], "data": []}).columns == (*NAMES, "{")


REFUSED = {
    "nothing": (b"", "EMPTY_FILE"),
    "blanks only": (" \r\n\t", "EMPTY_FILE"),
    "a byte order mark only": ("\ufeff", "EMPTY_FILE"),
    "a byte order mark and a line break": ("\ufeff\n", "EMPTY_FILE"),
    "a Latin-1 letter": (json.dumps(GOOD).replace("1400", "1400Ä").encode("latin-1"), "NOT_UTF8"),
    "UTF-16 with a byte order mark": (json.dumps(GOOD).encode("utf-16"), "NOT_UTF8"),
    "UTF-16 without one": (json.dumps(GOOD).encode("utf-16-le"), "MALFORMED_JSON"),
    "a NUL at the end": (json.dumps(GOOD) + "\x00", "MALFORMED_JSON"),
    "a NUL between two documents": (json.dumps(GOOD) + "\x00" + json.dumps(GOOD), "MALFORMED_JSON"),
    "a NUL inside a text": (json.dumps(GOOD).replace("1400", "14\x0000"), "MALFORMED_JSON"),
    "two documents": (json.dumps(GOOD) + json.dumps(GOOD), "MALFORMED_JSON"),
    "two documents on two lines": (json.dumps(GOOD) + "\n" + json.dumps(GOOD), "MALFORMED_JSON"),
    "garbage after": (json.dumps(GOOD) + "x", "MALFORMED_JSON"),
    "a bracket after": (json.dumps(GOOD) + "]", "MALFORMED_JSON"),
    "a brace after": (json.dumps(GOOD) + "}", "MALFORMED_JSON"),
    "garbage before": ("x" + json.dumps(GOOD), "MALFORMED_JSON"),
    "two byte order marks": ("\ufeff\ufeff" + json.dumps(GOOD), "MALFORMED_JSON"),
    "single quotes": (str(GOOD), "MALFORMED_JSON"),
    "nesting too deep to read": ('{"columns":' + "[" * 100_000 + "}", "MALFORMED_JSON"),
    "a root array": ([GOOD], "WRONG_SHAPE"),
    "a root array of rows": ([ROW], "WRONG_SHAPE"),
    "a text": ('"columns"', "WRONG_SHAPE"),
    "a number": ("1", "WRONG_SHAPE"),
    "null": ("null", "WRONG_SHAPE"),
    "an empty object": ("{}", "WRONG_SHAPE"),
    "no columns": ({"data": [ROW]}, "WRONG_SHAPE"),
    "no data": ({"columns": NAMES}, "WRONG_SHAPE"),
    "data that is null": ({"columns": NAMES, "data": None}, "WRONG_SHAPE"),
    "data that is a text": ({"columns": NAMES, "data": "[[1,2,3]]"}, "WRONG_SHAPE"),
    "data that is an object": ({"columns": NAMES, "data": {"0": ROW}}, "WRONG_SHAPE"),
    "rows that are objects": ({"columns": NAMES, "data": [dict(zip(NAMES, ROW, strict=True))]}, "WRONG_SHAPE"),
    "columns that are null": ({"columns": None, "data": []}, "WRONG_SHAPE"),
    "columns that are numbers": ({"columns": [1, 2, 3], "data": []}, "WRONG_SHAPE"),
    "a column that is null": ({"columns": [*NAMES, None], "data": []}, "WRONG_SHAPE"),
    "a column name twice": ({"columns": [*NAMES, "interval_start"], "data": []}, "WRONG_SHAPE"),
    "the key data twice": (f'{{"columns": {columns_text()}, "data": [], "data": []}}', "WRONG_SHAPE"),
    "the key columns twice": (f'{{"columns": {columns_text()}, "data": [], "columns": []}}', "WRONG_SHAPE"),
    "the key data twice, once escaped": (f'{{"columns":{columns_text()},"data":[],"d\\u0061ta":[]}}', "WRONG_SHAPE"),
    "a key that only ends in columns": (f'{{"x\\"columns": {columns_text()}, "data": [[1, 2, 3]]}}', "WRONG_SHAPE"),
    "a split document inside an object": ({"body": GOOD}, "WRONG_SHAPE"),
    "a missing column": ({"columns": NAMES[:2], "data": [ROW[:2]]}, "COLUMNS_MISSING"),
    "a renamed column": ({"columns": [*NAMES[:2], "consumption"], "data": [ROW]}, "COLUMNS_MISSING"),
    "a column in capitals": ({"columns": [*NAMES[:2], "CONSUMPTION_DELTA"], "data": [ROW]}, "COLUMNS_MISSING"),
    "a column with a blank": ({"columns": [*NAMES[:2], "consumption_delta "], "data": [ROW]}, "COLUMNS_MISSING"),
    "no column at all": ({"columns": [], "data": []}, "COLUMNS_MISSING"),
}


@pytest.mark.parametrize(("content", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_is_refused_whole_with(content, code):
    delivery = looked_at(content)
    assert delivery.reason_code == code
    assert (delivery.status, delivery.rows_read) == ("rejected", 0)


# A look at the frame cannot see these; Spark reads no row of them, and the exact look says why.
ROWS_OF_NO_USE = {
    "rows that are numbers": ([1, 2], "WRONG_SHAPE"),
    "one row that is a text": ([ROW, "x"], "WRONG_SHAPE"),
    "one row that is true": ([ROW, True], "WRONG_SHAPE"),
}


@pytest.mark.parametrize(("data", "code"), ROWS_OF_NO_USE.values(), ids=ROWS_OF_NO_USE.keys())
def test_the_exact_look_refuses(data, code):
    content = json.dumps({"columns": NAMES, "data": data}).encode()
    assert split_document.diagnose(content, found(), ELECTRICITY).reason_code == code


@pytest.mark.parametrize("name", ["2021.JSON", "2021.json.gz", "2021.txt", "json", "2021.json "])
def test_a_name_without_the_ending_is_bad(name):
    assert looked_at(GOOD, name).reason_code == "BAD_FILE_NAME"


@pytest.mark.parametrize("name", ["2021 01.json", "%41.json", "a+b#c[1].json", "Zähler.json", ".json.json"])
def test_any_name_with_the_ending_is_good(name):
    assert looked_at(GOOD, name).reason_code is None


def test_the_columns_have_the_names_that_the_configuration_gives_them():
    named = ELECTRICITY.model_copy(
        update={"columns": Columns(meter_id="who", interval_start="when", consumption="kwh")}
    )
    assert looked_at({"columns": ["kwh", "when", "who"], "data": []}, feed=named).reason_code is None
    refused = looked_at(GOOD, feed=named)
    assert refused.reason_code == "COLUMNS_MISSING"
    assert "when, who, kwh" in refused.reason


TWO_FAULTS = {
    "empty before the name": ("", "x.txt", "EMPTY_FILE"),
    "the name before the encoding": (b"\xff", "x.txt", "BAD_FILE_NAME"),
    "the encoding before the JSON": (b"{\xff", "x.json", "NOT_UTF8"),
    "not JSON before the columns": ('{"columns": ["a"], "data": [[1,,2]]}', "x.json", "MALFORMED_JSON"),
    "not JSON before a column twice": (
        f'{{"columns": {columns_text("a", "a")}, "data": [[1}}',
        "x.json",
        "MALFORMED_JSON",
    ),
    "a column twice before a missing one": ('{"columns": ["a", "a"], "data": []}', "x.json", "WRONG_SHAPE"),
    "the shape before the columns": ('{"columns": ["a"], "data": [1]}', "x.json", "WRONG_SHAPE"),
}


@pytest.mark.parametrize(("content", "name", "code"), TWO_FAULTS.values(), ids=TWO_FAULTS.keys())
def test_of_two_faults_the_first_in_the_order_of_the_codes_is_named(content, name, code):
    assert looked_at(content, name).reason_code == code


@pytest.mark.parametrize("name", ["2021-01-01T00:30:00.json", "_day.json"])
def test_a_name_that_spark_cannot_read_is_refused_and_says_so(name):
    """Hadoop's file systems take what stands before ':' for a scheme, and hide names that begin with '_'."""
    refused = looked_at({"columns": list(NAMES), "data": []}, name=name)
    assert refused.reason_code == "BAD_FILE_NAME"
    assert "rename it" in refused.reason
