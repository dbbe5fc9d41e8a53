"""Records of OBIS JSON: which of their readings pass, which are rejected and for what, and what bronze keeps of them."""

from __future__ import annotations

import json

import pytest

from pipeline.config.feeds import Feed

SOLAR = Feed(name="solar", format="obis_json", path="landing")
IN, OUT = '"0100011D00FF"', '"0100021D00FF"'
T = '"timestamp": "2021-03-28T00:15:00Z"'
M = '"tags": {"muid": "14", "quality": "measured"}'
LONG = "0.12345649999999999999999999999999999999999999999"
AT = "2021-03-28 00:15:00"


def muid(value):
    return f'{T}, "tags": {{"muid": {value}}}, {IN}: 1'


def at(label):
    return f'"timestamp": {label}, {M}, {IN}: 1'


# Members of a record, as JSON -> its readings: (meter, quality, direction, start in UTC, consumption).
GOOD = {
    f"{T}, {M}, {IN}: 0.123, {OUT}: 0.0": [
        ("14", "measured", "import", AT, "0.123000"),
        ("14", "measured", "export", AT, "0.000000"),
    ],
    f"{OUT}: 2, {M}, {T}": [("14", "measured", "export", AT, "2.000000")],
    f'{T}, {M}, "0100011d00ff": 1, "0100021d00Ff": 2': [
        ("14", "measured", "import", AT, "1.000000"),
        ("14", "measured", "export", AT, "2.000000"),
    ],
    f'{T}, {M}, {IN}: "0.5"': [("14", "measured", "import", AT, "0.500000")],
    f"{T}, {M}, {IN}: 1E+2": [("14", "measured", "import", AT, "100.000000")],
    f"{T}, {M}, {IN}: -0.0": [("14", "measured", "import", AT, "0.000000")],
    f"{T}, {M}, {IN}: {LONG}": [("14", "measured", "import", AT, "0.123456")],
    f"{T}, {M}, {IN}: 0.0000005": [("14", "measured", "import", AT, "0.000001")],
    muid('"007"'): [("007", None, "import", AT, "1.000000")],
    muid("1400000000000000000007"): [("1400000000000000000007", None, "import", AT, "1.000000")],
    muid("1.40"): [("1.40", None, "import", AT, "1.000000")],
    muid("0.10000000000000000000000001"): [("0.10000000000000000000000001", None, "import", AT, "1.000000")],
    f'{T}, "tags": {{"m\\u0075id": 0.10000000000000000000000001, "quality": 1e999}}, {IN}: 1': [
        ("0.10000000000000000000000001", "1e999", "import", AT, "1.000000")
    ],
    muid("NaN"): [("NaN", None, "import", AT, "1.000000")],
    muid("-Infinity"): [("-Infinity", None, "import", AT, "1.000000")],
    muid('"a,", "quality": ": 1.50"'): [("a,", ": 1.50", "import", AT, "1.000000")],
    muid("1" * 1200): [("1" * 1200, None, "import", AT, "1.000000")],
    muid('": 1.50"'): [(": 1.50", None, "import", AT, "1.000000")],
    muid("1E5"): [("1E5", None, "import", AT, "1.000000")],
    muid('"1.40"'): [("1.40", None, "import", AT, "1.000000")],
    muid('"Z\\u00e4hler \\"1\\" 电"'): [('Zähler "1" 电', None, "import", AT, "1.000000")],
    muid('"\\"muid\\": 2.50"'): [('"muid": 2.50', None, "import", AT, "1.000000")],
    f'{T}, "tags": {{"quality": "\\"muid\\": 2.50", "muid": 1.50}}, {IN}: 1': [
        ("1.50", '"muid": 2.50', "import", AT, "1.000000")
    ],
    f'{T}, "tags": {{"quality": "measured", "muid": "14"}}, {IN}: 1': [("14", "measured", "import", AT, "1.000000")],
    f'{T}, "tags": {{ "muid" : "14" , "quality":"a \\\\ b" }}, {IN}: 1': [("14", "a \\ b", "import", AT, "1.000000")],
    f'{T}, "tags": {{"muid":"14", "quality": ""}}, {IN}: 1': [("14", None, "import", AT, "1.000000")],
    f'{T}, "tags": {{"muid":-1.50,"quality" :\n 2.50}}, {IN}: 1': [("-1.50", "2.50", "import", AT, "1.000000")],
    f'{T}, "tags": {{"quality": 2.50, "muid": "14"}}, {IN}: 1': [("14", "2.50", "import", AT, "1.000000")],
    f'{T}, "tags": {{"m\\u0075id": "14", "quality": null}}, {IN}: 1': [("14", None, "import", AT, "1.000000")],
    f'{T}, "tags": {{"muid": "14", "quality": " "}}, {IN}: 1': [("14", None, "import", AT, "1.000000")],
    f'"measurement": "energy", {T}, {M}, {IN}: 1': [("14", "measured", "import", AT, "1.000000")],
    f'"measurement": null, {T}, {M}, {IN}: 1': [("14", "measured", "import", AT, "1.000000")],
    at('"2021-03-28T01:15Z"'): [("14", "measured", "import", "2021-03-28 01:15:00", "1.000000")],
    at('"2021-03-28T01:15:00.000000000000Z"'): [("14", "measured", "import", "2021-03-28 01:15:00", "1.000000")],
    at('"2020-02-29T23:45:00Z"'): [("14", "measured", "import", "2020-02-29 23:45:00", "1.000000")],
    at('"1970-01-01T00:00:00Z"'): [("14", "measured", "import", "1970-01-01 00:00:00", "1.000000")],
    at('"2021-11-09T00:00:00Z"'): [("14", "measured", "import", "2021-11-09 00:00:00", "1.000000")],
}
# Members of a record, as JSON -> the code of each of its rows of readings (None: passed).
BAD = {
    f"{T}, {T}, {M}, {IN}: 1": ["FIELD_COUNT"],
    f"{T}, {M}, {IN}: 1, {IN}: 1": ["FIELD_COUNT"],
    f'{T}, {M}, {IN}: 1, "0100011d00ff": 2, {OUT}: 3': ["FIELD_COUNT"],
    f"{T}, {M}, {M}, {IN}: 1": ["FIELD_COUNT"],
    f'{T}, {M}, {IN}: 1, "measurement": "energy", "measurement": "energy"': ["FIELD_COUNT"],
    f'{T}, "tags": {{"muid": "1", "muid": "2"}}, {IN}: 1': ["FIELD_COUNT"],
    f'{T}, "tags": {{"muid": 1, "muid": 2, "quality": 3, "quality": 4}}, {IN}: 1': ["FIELD_COUNT"],
    f'"timestamp": "x", "tags": {{"quality": "1", "quality": null}}, {IN}: "y"': ["FIELD_COUNT"],
    f"{T}, {IN}: 1": ["METER_ID_MISSING"],
    f'{T}, "tags": {{}}, {IN}: 1, {OUT}: "x"': ["METER_ID_MISSING", "METER_ID_MISSING"],
    muid("null"): ["METER_ID_MISSING"],
    muid('""'): ["METER_ID_MISSING"],
    muid('" \\t"'): ["METER_ID_MISSING"],
    "": ["METER_ID_MISSING"],
    f'{M}, {IN}: 1, {OUT}: "x"': ["INTERVAL_START_INVALID", "INTERVAL_START_INVALID"],
    M: ["INTERVAL_START_INVALID"],
    at("null"): ["INTERVAL_START_INVALID"],
    at('""'): ["INTERVAL_START_INVALID"],
    at("20210328"): ["INTERVAL_START_INVALID"],
    at('["2021-03-28T00:15:00Z"]'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00:15:00"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00:15:00z"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00:15:00+00:00"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00:15:00+00:00Z"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28 00:15:00Z"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00:15:00Z "'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00:15:00Z\\n"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00:15:00.Z"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00:15:00.001Z"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00:15:00.0000000001Z"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00Z"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28"'): ["INTERVAL_START_INVALID"],
    at('"2021-3-28T00:15:00Z"'): ["INTERVAL_START_INVALID"],
    at('"02021-03-28T00:15:00Z"'): ["INTERVAL_START_INVALID"],
    at('"2021-02-29T00:15:00Z"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T24:00:00Z"'): ["INTERVAL_START_INVALID"],
    at('"2021-03-28T00:15:60Z"'): ["INTERVAL_START_INVALID"],
    at('"0000-01-01T00:00:00Z"'): ["INTERVAL_START_INVALID"],
    f'"timestamp": "2021-03-28T00:10:00Z", {M}, {IN}: 1, {OUT}: "x"': ["OFF_GRID", "OFF_GRID"],
    at('"2021-03-28T00:15:01Z"'): ["OFF_GRID"],
    at('"0001-01-01T00:00:00Z"'): ["INTERVAL_OUT_OF_RANGE"],
    at('"1969-12-31T23:45:00Z"'): ["INTERVAL_OUT_OF_RANGE"],
    at('"2021-11-09T00:15:00Z"'): ["INTERVAL_OUT_OF_RANGE"],
    f'"timestamp": "9999-12-31T23:40:00Z", {M}, {IN}: 1, {OUT}: "x"': ["INTERVAL_OUT_OF_RANGE"] * 2,
    f"{T}, {M}, {IN}: null, {OUT}: 1": ["CONSUMPTION_INVALID", None],
    f"{T}, {M}, {IN}: 1, {OUT}: -1": [None, "CONSUMPTION_NEGATIVE"],
    f'{T}, {M}, {IN}: "1\\u001a", {OUT}: " 1"': ["CONSUMPTION_INVALID", None],
    f'{T}, {M}, {IN}: "n/a", {OUT}: -0.001': ["CONSUMPTION_INVALID", "CONSUMPTION_NEGATIVE"],
    f'{T}, {M}, {IN}: "", {OUT}: true': ["CONSUMPTION_INVALID", "CONSUMPTION_INVALID"],
    f'{T}, {M}, {IN}: [1], {OUT}: {{"a": 1}}': ["CONSUMPTION_INVALID", "CONSUMPTION_INVALID"],
    f'{T}, {M}, {IN}: NaN, {OUT}: "NaN"': ["CONSUMPTION_INVALID", "CONSUMPTION_INVALID"],
    f"{T}, {M}, {IN}: 1e30, {OUT}: 1e2147483647": ["CONSUMPTION_INVALID", "CONSUMPTION_INVALID"],
    f"{T}, {M}, {IN}: 999999999999.9999995, {OUT}: {'9' * 1200}": ["CONSUMPTION_INVALID", "CONSUMPTION_INVALID"],
}
NO_READING = {f"{T}, {M}": [None], f'"measurement": "energy", {M}, {T}': [None]}
RECORDS = [*GOOD, *BAD, *NO_READING]


def document(*records):
    return f'{{"data": [{", ".join(f"{{{record}}}" for record in records)}]}}'.encode()


ONE = f"{T}, {M}, {IN}: 1"


@pytest.fixture(scope="module")
def files(read):
    pretty = json.dumps(json.loads(document(ONE, ONE)), indent=2)
    return read(
        SOLAR,
        {
            "records.json": document(*RECORDS),
            "no_records.json": b'{"data": []}',
            "pretty.json": b"\xef\xbb\xbf\r\n" + pretty.replace("\n", "\r\n").encode() + b"\r\n",
            "deep/Zähler [1].json": document(ONE),
        },
    )


def readings(files, members):
    """The judged rows of a record, in the order of their position."""
    number = RECORDS.index(members) + 1
    found = [row for row in files.judged["records.json"] if row["row_number"] == number]
    return sorted(found, key=lambda row: row["position"])


@pytest.mark.parametrize(("members", "wanted"), GOOD.items(), ids=lambda value: str(value)[:70])
def test_a_good_record_is_a_reading_for_each_of_its_codes(files, members, wanted):
    found = readings(files, members)
    names = ("meter_id", "quality", "direction", "interval_start", "consumption")
    assert [tuple(row[name] for name in names) for row in found] == wanted
    assert {(row["reason_code"], row["reason"]) for row in found} == {(None, None)}
    assert {row["interval_minutes"] for row in found} == {15}
    assert {row["is_repeated"] for row in found} == {False}
    assert {row["local_date"] for row in found} == {wanted[0][3][:10]}


@pytest.mark.parametrize(("members", "codes"), BAD.items(), ids=lambda value: str(value)[:70])
def test_a_bad_record_or_reading_is_rejected_with_the_first_code_that_applies(files, members, codes):
    found = readings(files, members)
    assert [row["reason_code"] for row in found] == codes
    rejected = [row for row in found if row["reason_code"]]
    assert all(0 < len(row["reason"]) < 200 for row in rejected)
    assert all(isinstance(json.loads(row["raw"]), dict) for row in rejected)


@pytest.mark.parametrize("members", NO_READING)
def test_a_record_without_a_code_is_accepted_and_holds_no_reading(files, members):
    (row,) = readings(files, members)
    assert (row["reason_code"], row["consumption"], row["meter_id"], row["position"]) == (None, None, "14", 0)


def test_a_reason_names_the_code_and_the_value(files):
    invalid, negative = readings(files, f'{T}, {M}, {IN}: "n/a", {OUT}: -0.001')
    assert invalid["reason"] == "0100011D00FF: 'n/a' is not a usable number"
    assert negative["reason"] == "0100021D00FF: '-0.001' is negative"
    assert "'2021-3-28T00:15:00Z'" in readings(files, at('"2021-3-28T00:15:00Z"'))[0]["reason"]


def test_every_record_is_one_row_of_bronze_counted_from_1(files):
    assert [row["row_number"] for row in files.bronze["records.json"]] == list(range(1, len(RECORDS) + 1))
    assert files.deliveries["records.json"].rows_read == len(RECORDS)
    assert files.bronze["no_records.json"] == []
    assert len(files.bronze["pretty.json"]) == 2
    assert files.codes("deep/Zähler [1].json") == [(1, None)]


def test_bronze_keeps_a_record_as_received_with_all_digits(files):
    def kept(members):
        return files.bronze["records.json"][RECORDS.index(members)]

    usual = kept(f"{T}, {M}, {IN}: 0.123, {OUT}: 0.0")
    assert dict(usual["obis"]) == {"0100011D00FF": "0.123", "0100021D00FF": "0.0"}
    assert (usual["timestamp"], usual["muid"], usual["quality"]) == ("2021-03-28T00:15:00Z", "14", "measured")
    assert (usual["measurement"], usual["raw"]) == (None, None)
    assert kept(f'"measurement": "energy", {T}, {M}, {IN}: 1')["measurement"] == "energy"
    assert dict(kept(f"{T}, {M}, {IN}: {LONG}")["obis"]) == {"0100011D00FF": LONG}
    assert dict(kept(f"{T}, {M}, {IN}: null, {OUT}: 1")["obis"]) == {"0100011D00FF": None, "0100021D00FF": "1"}
    assert dict(kept(f'{T}, {M}, "0100011d00ff": 1, "0100021d00Ff": 2')["obis"]) == {
        "0100011d00ff": "1",
        "0100021d00Ff": "2",
    }
    assert dict(kept(f"{T}, {M}")["obis"]) == {}


def test_bronze_keeps_the_whole_record_only_if_a_key_is_repeated(files):
    kept = {row["row_number"]: row["raw"] for row in files.bronze["records.json"] if row["raw"] is not None}
    twice = [members for members, codes in BAD.items() if codes == ["FIELD_COUNT"]]
    assert list(kept) == [RECORDS.index(members) + 1 for members in twice]
    pairs = json.loads(kept[RECORDS.index(twice[2]) + 1], object_pairs_hook=list)
    assert pairs[2:] == [("0100011D00FF", "1"), ("0100011d00ff", "2"), ("0100021D00FF", "3")]


def test_the_raw_text_of_a_rejected_reading_is_what_bronze_holds_of_its_record(files):
    raw = readings(files, f"{T}, {M}, {IN}: null, {OUT}: 1")[0]["raw"]
    assert json.loads(raw) == {
        "timestamp": "2021-03-28T00:15:00Z",
        "tags": {"muid": "14", "quality": "measured"},
        "obis": {"0100011D00FF": None, "0100021D00FF": "1"},
    }


def test_the_local_day_is_that_of_the_feeds_zone(read):
    vilnius = SOLAR.model_copy(update={"time_zone": "Europe/Vilnius"})
    files = read(vilnius, {"a.json": document(at('"2021-03-28T21:00:00Z"'), at('"2021-03-27T21:45:00Z"'))})
    assert files.values("a.json", "interval_start", "local_date") == [
        ("2021-03-28 21:00:00", "2021-03-29"),
        ("2021-03-27 21:45:00", "2021-03-27"),
    ]


def test_the_grid_is_that_of_the_feeds_interval(read):
    hourly = SOLAR.model_copy(update={"interval_minutes": 60})
    files = read(hourly, {"a.json": document(at('"2021-03-28T00:15:00Z"'), at('"2021-03-28T01:00:00Z"'))})
    assert files.values("a.json", "reason_code", "interval_minutes") == [("OFF_GRID", 60), (None, 60)]
