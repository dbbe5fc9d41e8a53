"""Rows of split JSON: which pass, which are rejected and for what, and how their digits and extra columns are kept."""

from __future__ import annotations

import json

import pytest

from pipeline.config.feeds import Columns, Feed

POWER = Feed(name="power", format="split_json", path="landing", time_zone="Europe/London")
NAMES = ["interval_start", "meterpoint_id", "consumption_delta"]
T = '"2021-01-01 00:00:00"'
LONG = "0.12345649999999999999999999999999999999999999999"

# Cells of a row, as JSON -> (meter, start in UTC, local day, consumption).
GOOD = {
    f'{T},"14","0.125"': ("14", "2021-01-01 00:00:00", "2021-01-01", "0.125000"),
    f'{T},"14",0.125': ("14", "2021-01-01 00:00:00", "2021-01-01", "0.125000"),
    f"{T},1400000000000000000007,1": ("1400000000000000000007", "2021-01-01 00:00:00", "2021-01-01", "1.000000"),
    f'{T}," \\t 1234 \\n",1': ("1234", "2021-01-01 00:00:00", "2021-01-01", "1.000000"),
    f'{T},"1.2.3",1': ("1.2.3", "2021-01-01 00:00:00", "2021-01-01", "1.000000"),
    f'{T},"12E45",1': ("12E45", "2021-01-01 00:00:00", "2021-01-01", "1.000000"),
    f'{T},"meter-1",1': ("meter-1", "2021-01-01 00:00:00", "2021-01-01", "1.000000"),
    f'{T},"14"," 0.5 "': ("14", "2021-01-01 00:00:00", "2021-01-01", "0.500000"),
    '"1970-01-01 00:00:00","14",1': ("14", "1969-12-31 23:00:00", "1970-01-01", "1.000000"),
    '"2021-11-09 00:00:00","14",1': ("14", "2021-11-09 00:00:00", "2021-11-09", "1.000000"),
    f'{T},"007",1': ("007", "2021-01-01 00:00:00", "2021-01-01", "1.000000"),
    f'{T},"Z\\u00e4hler \\"1\\"",1': ('Zähler "1"', "2021-01-01 00:00:00", "2021-01-01", "1.000000"),
    f'{T},"14",{LONG}': ("14", "2021-01-01 00:00:00", "2021-01-01", "0.123456"),
    f'{T},"14","0.0000005"': ("14", "2021-01-01 00:00:00", "2021-01-01", "0.000001"),
    f'{T},"14",1E+2': ("14", "2021-01-01 00:00:00", "2021-01-01", "100.000000"),
    f'{T},"14",-0.0': ("14", "2021-01-01 00:00:00", "2021-01-01", "0.000000"),
    f'{T},"14",999999999999.999999': ("14", "2021-01-01 00:00:00", "2021-01-01", "999999999999.999999"),
    '"2021-07-01 00:00:00","14",1': ("14", "2021-06-30 23:00:00", "2021-07-01", "1.000000"),
    '"2021-07-01 23:30:00","14",1': ("14", "2021-07-01 22:30:00", "2021-07-01", "1.000000"),
    '"2021-03-28 00:30:00","14",1': ("14", "2021-03-28 00:30:00", "2021-03-28", "1.000000"),
    '"2021-03-28 02:00:00","14",1': ("14", "2021-03-28 01:00:00", "2021-03-28", "1.000000"),
    '"2020-02-29 00:00:00","14",1': ("14", "2020-02-29 00:00:00", "2020-02-29", "1.000000"),
}
BAD = {
    f'{T},"14"': "FIELD_COUNT",
    f'{T},"14",1,2': "FIELD_COUNT",
    "": "FIELD_COUNT",
    'null,"",[],"x"': "FIELD_COUNT",
    f"{T},null,1": "METER_ID_MISSING",
    f'{T},"",1': "METER_ID_MISSING",
    f'{T},"  ",1': "METER_ID_MISSING",
    "null,null,null": "METER_ID_MISSING",
    f"{T},1200012345678.0,1": "METER_ID_INVALID",
    f"{T},7.22E+13,1": "METER_ID_INVALID",
    f"{T},1e+5,1": "METER_ID_INVALID",
    f"{T},-1.5,1": "METER_ID_INVALID",
    f"{T},true,1": "METER_ID_INVALID",
    f"{T},false,null": "METER_ID_INVALID",
    f'{T}," 1200012345678.0",1': "METER_ID_INVALID",
    'null,"14",1': "INTERVAL_START_INVALID",
    '"","14",1': "INTERVAL_START_INVALID",
    '20210101,"14",1': "INTERVAL_START_INVALID",
    '"2021-01-01","14",1': "INTERVAL_START_INVALID",
    '"2021-01-01 00:00","14",1': "INTERVAL_START_INVALID",
    '"2021-01-01T00:00:00","14",1': "INTERVAL_START_INVALID",
    '"2021-01-01 00:00:00Z","14",1': "INTERVAL_START_INVALID",
    '"2021-01-01 00:00:00 ","14",1': "INTERVAL_START_INVALID",
    '"2021-01-01 00:00:00.5","14",1': "INTERVAL_START_INVALID",
    '"2021-01-01 00:00:00.000001","14",1': "INTERVAL_START_INVALID",
    '"2021-1-1 00:00:00","14",1': "INTERVAL_START_INVALID",
    '"02021-1-01 00:00:00","14",1': "INTERVAL_START_INVALID",
    '"2021-1-001 00:00:00","14",1': "INTERVAL_START_INVALID",
    '"2021-01-01  1:30:00","14",1': "INTERVAL_START_INVALID",
    '"2021-01-01 1:3+1:00","14",1': "INTERVAL_START_INVALID",
    '"2021-02-29 00:00:00","14",1': "INTERVAL_START_INVALID",
    '"2021-01-01 24:00:00","14",1': "INTERVAL_START_INVALID",
    '"0000-01-01 00:00:00","14",1': "INTERVAL_START_INVALID",
    '"+12345-01-01 00:00:00","14",1': "INTERVAL_START_INVALID",
    '"-0001-01-01 00:00:00","14",1': "INTERVAL_START_INVALID",
    '"01/01/2021 00:00:00","14","x"': "INTERVAL_START_INVALID",
    '"2021-03-28 01:00:00","14",1': "LOCAL_TIME_NONEXISTENT",
    '"2021-03-28 01:30:00","14",1': "LOCAL_TIME_NONEXISTENT",
    '"2021-03-28 01:15:00","14","x"': "LOCAL_TIME_NONEXISTENT",
    '"1969-12-31 23:30:00","14",1': "INTERVAL_OUT_OF_RANGE",
    '"2021-11-09 00:30:00","14",1': "INTERVAL_OUT_OF_RANGE",
    '"9999-12-31 23:30:00","14","x"': "INTERVAL_OUT_OF_RANGE",
    '"0001-01-01 00:00:00","14",1': "INTERVAL_OUT_OF_RANGE",
    '"2021-01-01 00:10:00","14","x"': "OFF_GRID",
    '"2021-01-01 00:30:01","14",1': "OFF_GRID",
    f'{T},"14",null': "CONSUMPTION_INVALID",
    f'{T},"14",""': "CONSUMPTION_INVALID",
    f'{T},"14","n/a"': "CONSUMPTION_INVALID",
    f'{T},"14","1\\u001a"': "CONSUMPTION_INVALID",
    f'{T},"14","1,5"': "CONSUMPTION_INVALID",
    f'{T},"14",true': "CONSUMPTION_INVALID",
    f'{T},"14",[1]': "CONSUMPTION_INVALID",
    f'{T},"14",NaN': "CONSUMPTION_INVALID",
    f'{T},"14","NaN"': "CONSUMPTION_INVALID",
    f'{T},"14",1e30': "CONSUMPTION_INVALID",
    f'{T},"14",1e2147483647': "CONSUMPTION_INVALID",
    f'{T},"14","-1e2147483647"': "CONSUMPTION_INVALID",
    f'{T},"14",999999999999.9999995': "CONSUMPTION_INVALID",
    f'{T},"14",-1': "CONSUMPTION_NEGATIVE",
    f'{T},"14","-0.001"': "CONSUMPTION_NEGATIVE",
}
ROWS = [*GOOD, *BAD]
ODD_NAMES = ["a b", "100%", "%41", "a#b", "[a]", "a+b", "Zähler 电", "a?b*", "{a,b}", "a\\b", "a=b", "a'b\"c", "_x/a"]


def document(*rows, columns=(), **layout):
    text = f'{{"columns": {json.dumps([*NAMES, *columns])}, "data": [{", ".join(f"[{row}]" for row in rows)}]}}'
    return (json.dumps(json.loads(text), **layout) if layout else text).encode()


@pytest.fixture(scope="module")
def files(read):
    one = f'{T},"14","0.5"'
    whole = document(one, f'{T},"}}","1"')
    odd = {f"{name}.json": document(one) for name in ODD_NAMES}
    return read(
        POWER,
        {
            "rows.json": document(*ROWS),
            "null_row.json": document(one).replace(b"]]", b"], null]"),
            "extra.json": document(
                f'{T},"14",1,0.10,{{"b":[1]}},null', f'{T},"14",1,2', columns=["more", "sub", "none"]
            ),
            "order.json": b'{"data": [[0.5, "more", 14, %s]], "columns": ["consumption_delta", "x", "meterpoint_id",'
            b' "interval_start"]}' % T.encode(),
            "pretty.json": b"\xef\xbb\xbf\r\n" + document(one, one, indent=2).replace(b"\n", b"\r\n") + b"\r\n",
            "no_rows.json": document(),
            "cut_after_a_brace.json": whole[: whole.index(b"}") + 1],
            "rows_are_numbers.json": b'{"columns": ["interval_start","meterpoint_id","consumption_delta"], "data": [1, 2]}',
            "many_digits.json": document(one, f'{T},"14",{"1" * 1200}', one),
            **odd,
        },
    )


@pytest.mark.parametrize(("cells", "reading"), GOOD.items(), ids=lambda value: str(value)[:60])
def test_a_good_row_is_a_reading(files, cells, reading):
    row = files.judged["rows.json"][ROWS.index(cells)]
    assert (row["reason_code"], row["reason"]) == (None, None)
    assert (row["meter_id"], row["interval_start"], row["local_date"], row["consumption"]) == reading
    assert (row["direction"], row["interval_minutes"], row["is_repeated"]) == ("import", 30, False)


@pytest.mark.parametrize(("cells", "code"), BAD.items(), ids=lambda value: str(value)[:60])
def test_a_bad_row_is_rejected_with_the_first_code_that_applies(files, cells, code):
    row = files.judged["rows.json"][ROWS.index(cells)]
    assert row["reason_code"] == code
    assert 0 < len(row["reason"]) < 200
    assert row["raw"]


def test_every_element_of_data_is_one_row_counted_from_1(files):
    assert [number for number, _ in files.codes("rows.json")] == list(range(1, len(ROWS) + 1))
    assert files.codes("null_row.json") == [(1, None), (2, "FIELD_COUNT")]


def test_bronze_keeps_all_digits_of_a_number(files):
    kept = [row["consumption_delta"] for row in files.bronze["rows.json"]]
    assert kept[ROWS.index(f'{T},"14",{LONG}')] == LONG
    assert kept[ROWS.index(f'{T},"14",1E+2')] == "1E+2"
    assert kept[ROWS.index(f'{T},"14",1e2147483647')] == "1e2147483647"


def test_bronze_keeps_the_whole_row_where_its_length_is_not_that_of_columns(files):
    wrong = [json.loads(f"[{cells}]") for cells, code in BAD.items() if code == "FIELD_COUNT"]
    kept = [json.loads(row["raw"]) for row in files.bronze["rows.json"] if row["raw"] is not None]
    assert kept == [[None if cell is None else str(cell) for cell in row] for row in wrong]
    assert files.bronze["null_row.json"][1]["raw"] == "null"


def test_further_columns_are_kept_by_name_and_a_short_row_keeps_all_it_has(files):
    whole, short = files.bronze["extra.json"]
    assert dict(whole["extra"]) == {"more": "0.10", "sub": '{"b":[1]}', "none": None}
    assert files.codes("extra.json") == [(1, None), (2, "FIELD_COUNT")]
    assert json.loads(short["raw"])[3] == "2"


def test_columns_are_found_by_name_in_any_order_and_the_layout_does_not_matter(files):
    assert files.values("pretty.json", "consumption") == ["0.500000", "0.500000"]
    assert files.values("order.json", "meter_id", "interval_start", "consumption") == [
        ("14", "2021-01-01 00:00:00", "0.500000")
    ]
    assert dict(files.bronze["order.json"][0]["extra"]) == {"x": "more"}


@pytest.mark.parametrize("path", ["no_rows.json", "cut_after_a_brace.json", "rows_are_numbers.json"])
def test_no_row_is_read_of(files, path):
    assert files.deliveries[path].reason_code is None
    assert files.bronze[path] == []


def test_a_number_of_very_many_digits_is_a_rejected_row_and_the_others_load(files):
    assert files.codes("many_digits.json") == [(1, None), (2, "CONSUMPTION_INVALID"), (3, None)]


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_file_of_an_odd_name_is_read(files, name):
    assert files.codes(f"{name}.json") == [(1, None)]


@pytest.mark.parametrize(
    "names", [("start", "meter", "energy"), ("local", "meter_id", "consumption"), ("ts", "id", "reason")]
)
def test_a_feed_may_name_its_columns_as_it_likes(read, names):
    columns = dict(zip(("interval_start", "meter_id", "consumption"), names, strict=True))
    feed = POWER.model_copy(update={"columns": Columns(**columns)})
    rows = [[T.strip('"'), "14", "0.5"], ["yesterday", "14", "0.5"], [T.strip('"'), "14", "n/a"]]
    content = json.dumps({"columns": names, "data": rows}).encode()
    files = read(feed, {"a.json": content})
    assert files.codes("a.json") == [(1, None), (2, "INTERVAL_START_INVALID"), (3, "CONSUMPTION_INVALID")]
    assert files.values("a.json", "raw") == [json.dumps(row, separators=(",", ":")) for row in rows]
    assert "'yesterday'" in files.judged["a.json"][1]["reason"]
    assert "'n/a'" in files.judged["a.json"][2]["reason"]
