"""The shape of an OBIS-JSON file: which files are refused whole, with which code and words (contract, sections 1, 3)."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import obis_document

SOLAR = Feed(name="solar", format="obis_json", path="landing")
IMPORT, EXPORT = "0100011D00FF", "0100021D00FF"
TAGS = {"muid": "meter", "quality": "measured"}
ONE = {"measurement": "energy", "timestamp": "2021-03-28T00:15:00Z", "tags": TAGS, IMPORT: 0.123, EXPORT: 0.0}
OTHER = ONE | {"timestamp": "2021-03-28T00:00:00Z"}


def looked_at(content, name="2021-03-28.json"):
    """The verdict on records (put into a document), a text or bytes."""
    text = content if isinstance(content, str | bytes) else json.dumps({"data": content})
    raw = text if isinstance(text, bytes) else text.encode()
    delivery = Delivery("solar", name, f"landing/{name}", name, len(raw), datetime(2021, 3, 29, tzinfo=UTC))
    return obis_document.inspect(raw, delivery, SOLAR, "production")


def without(*keys):
    return {key: value for key, value in ONE.items() if key not in keys}


def twice(key, value="1"):
    """A record with one key more, as text; json.dumps writes no key twice."""
    return json.dumps({"data": [ONE]}).replace('{"measurement"', f'{{{json.dumps(key)}: {value}, "measurement"')


SOUND = {
    "one line": json.dumps({"data": [ONE, OTHER]}),
    "pretty-printed": json.dumps({"data": [ONE, OTHER]}, indent=4),
    "CRLF": json.dumps({"data": [ONE, OTHER]}, indent=1).replace("\n", "\r\n"),
    "no blanks": json.dumps({"data": [ONE, OTHER]}, separators=(",", ":")),
    "a byte order mark": "\ufeff" + json.dumps({"data": [ONE, OTHER]}),
    "blank lines around": "\n\r\n \t" + json.dumps({"data": [ONE, OTHER]}) + "\n\n",
    "keys in another order": [dict(reversed(ONE.items())), OTHER],
    "codes in lower case": [without(IMPORT) | {IMPORT.lower(): 1}, {EXPORT.lower(): 1}],
    "a key spelt with an escape": json.dumps({"data": [ONE, OTHER]}).replace("muid", "mu\\u0069d"),
    "brackets, braces and colons inside a text": [ONE | {"timestamp": "}], {"}, ONE | {"tags": {"muid": ": [1]"}}],
    "quotes inside a text": [ONE | {"timestamp": '"tags": {'}, OTHER],
    "letters of other tongues": json.dumps({"data": [ONE | {"tags": {"muid": "Zähler 电"}}, ONE]}, ensure_ascii=False),
    "empty records": [{}, {}],
    "records without tags or codes": [without("tags"), without(IMPORT, EXPORT)],
    "tags without muid or quality": [ONE | {"tags": {}}, ONE | {"tags": {"quality": None}}],
    "nulls": [dict.fromkeys(("measurement", "timestamp", IMPORT, EXPORT)), ONE | {"tags": dict.fromkeys(TAGS)}],
    "values of any kind": [ONE | {IMPORT: [1, {"a": 1}], "timestamp": {}}, ONE | {IMPORT: "x"}],
    "numbers of all kinds": '{"data": [{"0100011D00FF": -1.5E+2, "0100021D00FF": 0}, {"0100011D00FF": NaN}]}',
    "a number of very many digits": f'{{"data": [{{"0100011D00FF": {"9" * 9000}}}, {{}}]}}',
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND.keys())
def test_a_file_is_sound_with(content):
    assert (looked_at(content).reason_code, looked_at(content).rows_read) == (None, 2)


@pytest.mark.parametrize(
    "layout", ["one line", "pretty-printed", "CRLF", "no blanks", "codes in lower case", "empty records", "nulls"]
)
def test_a_usual_file_is_judged_without_parsing_it(layout):
    content = SOUND[layout]
    text = content if isinstance(content, str) else json.dumps({"data": content})
    assert obis_document._plain_records(text.encode()) == 2


@pytest.mark.parametrize(
    ("measurement", "said"),
    [
        ("power", "measurement is 'power', not 'energy'"),
        ("Energy", "measurement is 'Energy', not 'energy'"),
        ("", "measurement is '', not 'energy'"),
        (1, "measurement is '1', not 'energy'"),
        (True, "measurement is true or false, not 'energy'"),
        ({}, "measurement is an object, not 'energy'"),
    ],
)
def test_another_measurement_than_energy_is_refused_and_named(measurement, said):
    found = looked_at([OTHER, ONE | {"measurement": measurement}])
    assert (found.reason_code, found.reason) == ("WRONG_SHAPE", f"record 2: {said}")


def test_a_file_without_records_is_sound():
    assert (looked_at([]).reason_code, looked_at([]).rows_read) == (None, 0)


# What the rows are rejected for, not the file.
TWICE = {
    "a code": twice(IMPORT),
    "a code in two cases": twice(IMPORT.lower()),
    "the timestamp": twice("timestamp"),
    "the tags": twice("tags", '{"muid": "other"}'),
    "the muid": json.dumps({"data": [ONE]}).replace('"muid"', '"muid": "other", "muid"'),
}


@pytest.mark.parametrize("content", TWICE.values(), ids=TWICE.keys())
def test_a_file_is_not_refused_for_a_record_that_holds_twice(content):
    assert (looked_at(content).reason_code, looked_at(content).rows_read) == (None, 1)


WHOLE = json.dumps({"data": [ONE, OTHER]})
MALFORMED = {
    "UTF-16 without a byte order mark": WHOLE.encode("utf-16-le"),
    "a NUL at the end": WHOLE + "\x00",
    "a NUL inside a text": WHOLE.replace("meter", "me\x00ter"),
    "a line break inside a text": WHOLE.replace("meter", "me\nter"),
    "two documents": WHOLE + WHOLE,
    "two documents on two lines": WHOLE + "\n" + WHOLE,
    "garbage after": WHOLE + "x",
    "garbage before": "x" + WHOLE,
    "two byte order marks": "\ufeff\ufeff" + WHOLE,
    "single quotes": WHOLE.replace('"', "'"),
    "a comma too many between records": WHOLE.replace("}, {", "},, {"),
    "a comma too many at the end": WHOLE.replace("}]", "},]"),
    "no comma between records": WHOLE.replace("}, {", "} {"),
    "a comma too many in a record": WHOLE.replace("0.0}", "0.0,}"),
    "a comma for a colon": WHOLE.replace('"muid":', '"muid",'),
    "a number with a leading zero": WHOLE.replace("0.123", "00.123"),
    "a number with a plus": WHOLE.replace("0.123", "+0.123"),
    "a number without digits after the point": WHOLE.replace("0.123", "0."),
    "an infinity that only Spark takes": WHOLE.replace("0.123", "+INF"),
    "nesting too deep to read": '{"data":' + "[" * 100_000 + "}",
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_file_is_no_json_with(content):
    delivery = looked_at(content)
    assert (delivery.status, delivery.reason_code, delivery.rows_read) == ("rejected", "MALFORMED_JSON", 0)


def test_a_file_cut_anywhere_is_no_json():
    for indent in (None, 1):
        whole = json.dumps({"data": [ONE, OTHER]}, indent=indent).encode()
        assert {looked_at(whole[:length]).reason_code for length in range(1, len(whole))} == {"MALFORMED_JSON"}


WRONG_SHAPE = {
    "a root array": ("[]", "the document is an array, not an object"),
    "a root text": ('"data"', "the document is a text, not an object"),
    "a root number": ("1", "the document is a number, not an object"),
    "a root null": ("null", "the document is null, not an object"),
    "an empty object": ("{}", "the document's keys are [], not one 'data'"),
    "another key": ('{"Data": []}', "the document's keys are [\"Data\"], not one 'data'"),
    "a further key": ('{"data": [], "more": 1}', 'the document\'s keys are ["data", "more"], not one \'data\''),
    "a further key that a record may have": (
        '{"data": [{}], "tags": {}}',
        'the document\'s keys are ["data", "tags"], not one \'data\'',
    ),
    "a further key before": ('{"meta": {}, "data": []}', 'the document\'s keys are ["meta", "data"], not one \'data\''),
    "data twice": ('{"data": [], "data": []}', 'the document\'s keys are ["data", "data"], not one \'data\''),
    "data that is null": ('{"data": null}', "data is null, not an array"),
    "data that is an object": (json.dumps({"data": ONE}), "data is an object, not an array"),
    "a record that is null": ([ONE, None], "record 2: null instead of an object"),
    "a record that is an array": ([[ONE]], "record 1: an array instead of an object"),
    "a record that is true": ([ONE, True], "record 2: true or false instead of an object"),
    "tags that are null": ([ONE | {"tags": None}], "record 1: tags is null, not an object"),
    "tags that are a text": ([ONE, ONE | {"tags": "meter"}], "record 2: tags is a text, not an object"),
    "tags that are an array": ([ONE | {"tags": [TAGS]}], "record 1: tags is an array, not an object"),
    "the second of two tags null": (twice("tags", "null"), "record 1: tags is null, not an object"),
    "a further tag": ([ONE | {"tags": {"site": 1}}], "record 1: tags holds 'site', which is neither muid nor quality"),
    "tags inside tags": (
        [ONE | {"tags": {"tags": TAGS}}, {}],
        "record 1: tags holds 'tags', which is neither muid nor quality",
    ),
    "a code inside tags": (
        [ONE | {"tags": {IMPORT: 1}}],
        "record 1: tags holds '0100011D00FF', which is neither muid nor quality",
    ),
    "a muid that is an object": ([ONE | {"tags": {"muid": {}}}], "record 1: muid is an object, not a text"),
    "a quality that is an array": ([ONE | {"tags": {"quality": []}}], "record 1: quality is an array, not a text"),
    "a muid outside tags": ([{"muid": "meter"}], "record 1: key 'muid' is not an OBIS code"),
    "a key in capitals": ([ONE | {"Timestamp": "x"}], "record 1: key 'Timestamp' is not an OBIS code"),
    "an unknown key": ([ONE, ONE | {"foo": 1}], "record 2: key 'foo' is not an OBIS code"),
    "an unknown key spelt with an escape": (twice("tags\n"), "record 1: key 'tags\\n' is not an OBIS code"),
    "an empty key": ([ONE | {"": 1}], "record 1: key '' is not an OBIS code"),
    "a code too short": ([{"0100011D00F": 1}], "record 1: key '0100011D00F' is not an OBIS code"),
    "a code with a ligature for FF": (
        [{"0100011D00\ufb00": 1}],
        "record 1: key '0100011D00\ufb00' is not an OBIS code",
    ),
    "a code in other digits": ([{"٠100011D00FF": 1}], "record 1: key '٠100011D00FF' is not an OBIS code"),
    "a cumulative register": (
        [ONE, ONE, {"0100010800FF": 1}],
        "record 3: 0100010800FF is 1-0:1.8.0*255, a cumulative register, not energy of an interval",
    ),
    "a cumulative register of export": (
        [{"0100020800ff": 1}],
        "record 1: 0100020800ff is 1-0:2.8.0*255, a cumulative register, not energy of an interval",
    ),
    "reactive energy": (
        [{"0100051D00FF": 1}],
        "record 1: 0100051D00FF is 1-0:5.29.0*255, which is not active import or export",
    ),
    "power": ([{"0100010700FF": 1}], "record 1: 0100010700FF is 1-0:1.7.0*255, which is not energy of an interval"),
    "a tariff": (
        [{"0100011D01FF": 1}],
        "record 1: 0100011D01FF is 1-0:1.29.1*255, which is neither 1-0:1.29.0*255 nor 1-0:2.29.0*255",
    ),
    "another medium": (
        [{"0700011D00FF": 1}],
        "record 1: 0700011D00FF is 7-0:1.29.0*255, which is neither 1-0:1.29.0*255 nor 1-0:2.29.0*255",
    ),
}


@pytest.mark.parametrize(("content", "reason"), WRONG_SHAPE.values(), ids=WRONG_SHAPE.keys())
def test_a_file_is_of_a_wrong_shape_with(content, reason):
    delivery = looked_at(content)
    assert (delivery.reason_code, delivery.reason) == ("WRONG_SHAPE", reason)
    assert (delivery.status, delivery.rows_read) == ("rejected", 0)


def test_a_hostile_key_does_not_fill_the_log():
    assert len(looked_at([{"x" * 10_000: 1}]).reason) < 100
    assert len(looked_at([ONE | {"tags": {"x" * 10_000: 1}}]).reason) < 120
    assert len(looked_at(json.dumps({"x" * 10_000: 1})).reason) < 300


TWO_FAULTS = {
    "nothing": (b"", "x.json", "EMPTY_FILE"),
    "a byte order mark only": ("\ufeff\n", "x.json", "EMPTY_FILE"),
    "empty before the name": ("", "x.txt", "EMPTY_FILE"),
    "the name before the encoding": (b"\xff", "x.txt", "BAD_FILE_NAME"),
    "a name that Spark cannot read": (WHOLE, "2021-01-01T00:15:00Z.json", "BAD_FILE_NAME"),
    "the encoding before the JSON": (b"{\xff", "x.json", "NOT_UTF8"),
    "not JSON before a wrong shape": ('{"more": 1, "data": [,]}', "x.json", "MALFORMED_JSON"),
}


@pytest.mark.parametrize(("content", "name", "code"), TWO_FAULTS.values(), ids=TWO_FAULTS.keys())
def test_of_two_faults_the_first_in_the_order_of_the_codes_is_named(content, name, code):
    assert looked_at(content, name).reason_code == code
