"""What a guess makes of files that mislead: dates that fit both ways, clocks without summer time, counters, other formats."""

from __future__ import annotations

import tomllib
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.feeds import Feed
from pipeline.guess.csv_entry import UnknownFileError
from pipeline.guess.entry import Entry
from pipeline.guess.guessing import guess, name_of

HALF = timedelta(minutes=30)
moment = datetime.fromisoformat


def guessed(tmp_path, content, name="file.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    entry = guess(path)
    (feed,) = tomllib.loads(entry.toml())["feeds"]
    assert feed == entry.values()
    Feed(**feed)
    return entry


def long(header, row, first, count, minutes=30):
    moments = [datetime.fromisoformat(first) + n * timedelta(minutes=minutes) for n in range(count)]
    return "\n".join([header, *(row.format(at=at, n=n) for n, at in enumerate(moments))]) + "\n"


def said(entry, key):
    return " ".join(note.says for note in entry.notes if note.key == key)


def unsure(entry, key):
    return any(note.key == key and not note.is_certain for note in entry.notes)


# --- dates ------------------------------------------------------------------------------------------------------


def test_days_that_follow_each_other_tell_day_from_month_and_a_person_is_asked(tmp_path):
    american = guessed(tmp_path, long("meter,time,kwh", "A,{at:%m/%d/%Y %H:%M},0.{n}", "2023-04-01", 240))
    assert american.csv["timestamp_format"] == "MM/dd/yyyy HH:mm"
    assert unsure(american, "timestamp_format")
    british = guessed(tmp_path, long("meter,time,kwh", "A,{at:%d/%m/%Y %H:%M},0.{n}", "2023-04-01", 240))
    assert british.csv["timestamp_format"] == "dd/MM/yyyy HH:mm"


def test_a_day_above_twelve_is_certain(tmp_path):
    entry = guessed(tmp_path, long("meter,time,kwh", "A,{at:%m/%d/%Y %H:%M},0.{n}", "2023-04-11", 240))
    assert entry.csv["timestamp_format"] == "MM/dd/yyyy HH:mm"
    assert not unsure(entry, "timestamp_format")


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ("{at:%Y-%m-%d %H:%M}", None),
        ("{at:%Y-%m-%dT%H:%M:%S}", None),
        ("{at:%Y-%m-%dT%H:%M:%S}Z", None),
        ("{at:%Y-%m-%dT%H:%M}+01:00", None),
        ("{at:%Y%m%d %H:%M}", "yyyyMMdd HH:mm"),
        ("{at:%d-%b-%Y %H:%M}", "dd-MMM-yyyy HH:mm"),
        ("{at:%d.%m.%y %H:%M}", "dd.MM.yy HH:mm"),
        ("{at:%Y/%m/%d %H:%M:%S}", "yyyy/MM/dd HH:mm:ss"),
        ("{at:%d/%m/%Y %I:%M %p}", "dd/MM/yyyy hh:mm a"),
        ("{at.day}/{at.month}/{at:%Y} {at.hour}:{at:%M}", "d/M/yyyy H:mm"),
    ],
)
def test_the_pattern_of_a_time(tmp_path, form, pattern):
    entry = guessed(tmp_path, long("meter,timestamp,kwh", f"A,{form},0.{{n}}", "2023-01-25", 480))
    assert entry.csv.get("timestamp_format") == pattern


def test_a_few_rows_without_a_time_are_told_and_the_pattern_stays(tmp_path):
    text = long("meter,timestamp,kwh", "A,{at:%d/%m/%Y %H:%M},0.{n}", "2023-01-25", 96) + "A,Total,48\n"
    entry = guessed(tmp_path, text)
    assert entry.csv["timestamp_format"] == "dd/MM/yyyy HH:mm"
    assert said(entry, "timestamp") == "1 rows hold no such time and would be rejected"


# --- the clock ----------------------------------------------------------------------------------------------------


def clock(tmp_path, first, times):
    rows = [f"1200012345678,{at:%Y-%m-%d %H:%M},0.1" for at in times]
    return guessed(tmp_path, "\n".join(["MPAN,timestamp,kWh", *rows]) + "\n")


def test_an_hour_that_is_missing_in_spring_makes_the_zone_certain(tmp_path):
    times = [moment("2021-03-27") + n * HALF for n in range(144)]
    gap = [at for at in times if not moment("2021-03-28T01:00") <= at < moment("2021-03-28T02:00")]
    entry = clock(tmp_path, "2021-03-27", gap)
    assert entry.feed["time_zone"] == "Europe/London"
    assert "2021-03-28 01:30 is missing, as it must be in Europe/London" in said(entry, "time_zone")
    assert not unsure(entry, "time_zone")


def test_an_hour_that_no_local_clock_showed_makes_it_a_fixed_offset(tmp_path):
    entry = clock(tmp_path, "2021-03-27", [moment("2021-03-27") + n * HALF for n in range(144)])
    assert entry.feed["time_zone"] == "+00:00"
    assert "no clock in Europe/London showed" in said(entry, "time_zone")


def test_an_hour_that_stands_twice_in_autumn_makes_the_zone_certain(tmp_path):
    times = [moment("2021-10-30") + n * HALF for n in range(144)]
    twice = [moment("2021-10-31T01:00"), moment("2021-10-31T01:30")]
    entry = clock(tmp_path, "2021-10-30", sorted(times + twice))
    assert "2021-10-31 01:30 stands twice" in said(entry, "time_zone")


def test_labels_that_fit_both_ways_are_to_be_checked(tmp_path):
    entry = guessed(tmp_path, long("meter,timestamp,kwh", "A,{at:%Y-%m-%d %H:%M},0.{n}", "2023-01-25T10:00", 48))
    assert entry.csv["label"] == "start"
    assert unsure(entry, "label")
    assert "from 10:00 to 09:30" in said(entry, "label")


# --- values -------------------------------------------------------------------------------------------------------


def test_register_readings_are_told(tmp_path):
    entry = guessed(tmp_path, long("meter,timestamp,value", "A,{at:%Y-%m-%d %H:%M},{n}.5", "2023-01-25", 96))
    assert "register readings" not in said(entry, "value")  # begins at zero: it may be energy that grows
    rows = [f"A,{moment('2023-01-25') + n * HALF:%Y-%m-%d %H:%M},{51234 + n / 4}" for n in range(96)]
    entry = guessed(tmp_path, "\n".join(["meter,timestamp,kWh", *rows]))
    assert "register readings" in said(entry, "value")


def test_rows_with_another_number_of_fields_than_the_header_are_told(tmp_path):
    text = long("meter,timestamp,kwh,notes", "A,{at:%Y-%m-%d %H:%M},0.{n}", "2023-01-25", 96)
    assert said(guessed(tmp_path, text), "timestamp") == ""
    assert "2 rows lack a configured column" in said(guessed(tmp_path, text + "A\nA,2023-01-28 00:00\n"), "timestamp")
    assert "1 rows lack" in said(guessed(tmp_path, text + "A,2023-01-28 00:00,1,x,y\n"), "timestamp")
    text = long("meter,timestamp,kwh,", "A,{at:%Y-%m-%d %H:%M},0.{n},", "2023-01-25", 96)
    assert said(guessed(tmp_path, text), "timestamp") == ""


def test_of_a_file_with_import_only_the_entry_names_the_export_of_others_too(tmp_path):
    row = "A,{at:%Y-%m-%d %H:%M},Active Import Interval (kWh),0.{n}"
    entry = guessed(tmp_path, long("meter,timestamp,Read Type,Read Value", row, "2023-01-25", 96))
    assert entry.csv["direction"]["export"] == ["Active Export Interval (kWh)"]
    assert "not in this file, but probably in others" in said(entry, "direction")


def test_thousands_separators_and_negative_values_are_told(tmp_path):
    rows = [f"A;{moment('2023-01-25') + n * HALF:%d.%m.%Y %H:%M};{'1.234,5' if n == 3 else '-0,5'}" for n in range(96)]
    entry = guessed(tmp_path, "\n".join(["meter;timestamp;kWh", *rows]))
    assert entry.csv["decimal"] == ","
    assert "1.234,5" in said(entry, "value")
    assert "95 values are negative" in said(entry, "value")


def test_rows_of_several_registers_are_told(tmp_path):
    day = [f"{moment('2023-01-25') + n * HALF:%Y-%m-%d %H:%M}" for n in range(48)]
    rows = [f"A,{at},{register},0.5" for at in day for register in ("R1", "R2")]
    entry = guessed(tmp_path, "\n".join(["meter,timestamp,reg,kWh", *rows]))
    assert "48 times stand more than once" in said(entry, "value")


def test_columns_of_a_tariff_s_parts_add_up(tmp_path):
    header = "Datum_tijd;Afname Normaal;Afname Dal;Teruglevering Normaal;Teruglevering Dal"
    entry = guessed(tmp_path, long(header, "{at:%Y-%m-%d %H:%M};0,5;0,{n};0;0", "2023-01-25", 96))
    assert entry.csv["value"] == {
        "import": ["Afname Normaal", "Afname Dal"],
        "export": ["Teruglevering Normaal", "Teruglevering Dal"],
    }
    entry = guessed(
        tmp_path, long("Meter;Zeit;Bezug HT (kWh);Bezug NT (kWh)", "A;{at:%Y-%m-%d %H:%M};0,5;0,{n}", "2023-01-25", 96)
    )
    assert entry.csv["value"] == ["Bezug HT (kWh)", "Bezug NT (kWh)"]
    assert unsure(entry, "value")


def test_a_row_a_day_can_be_a_file_of_one_row(tmp_path):
    names = ",".join(f"kWh_{n}" for n in range(1, 49))
    entry = guessed(tmp_path, f"MPAN,Type,Date,{names}\n1200012345678,AI,2025-01-25,{','.join(['0.5'] * 48)}\n")
    assert (entry.csv["layout"], entry.csv["value"], entry.feed["unit"]) == ("wide", "kWh_(?P<period>\\d{1,3})", "kWh")


@pytest.mark.parametrize(
    ("name", "unit"), [("watt_hours", "Wh"), ("Usage (Real energy in kilowatt-hours)", "kWh"), ("MWh", "MWh")]
)
def test_units_that_are_spelled_out(tmp_path, name, unit):
    entry = guessed(tmp_path, long(f"meter,timestamp,{name}", "A,{at:%Y-%m-%d %H:%M},0.{n}", "2023-01-25", 96))
    assert entry.feed["unit"] == unit


def test_of_electricity_and_gas_only_electricity_is_read(tmp_path):
    rows = [
        f"A,{fuel},{moment('2023-01-25') + n * HALF:%Y-%m-%d %H:%M},0.5"
        for n in range(48)
        for fuel in ("Electricity", "Gas")
    ]
    entry = guessed(tmp_path, "\n".join(["meter,Fuel Type,timestamp,kWh", *rows]))
    assert entry.csv["where"] == {"Fuel Type": ["Electricity"]}


def test_of_two_units_the_commoner_energy_is_read(tmp_path):
    rows = [f"A;{moment('2023-01-25') + n * HALF:%Y-%m-%d %H:%M};0,5;kWh" for n in range(48)]
    rows += ["A;2023-01-25 00:00;3,2;m3"]
    entry = guessed(tmp_path, "\n".join(["meter;timestamp;Volume;Eenheid", *rows]))
    assert entry.csv["where"] == {"Eenheid": ["kWh"]}
    assert entry.feed["unit"] == "kWh"


# --- whose --------------------------------------------------------------------------------------------------------


def test_a_meter_that_only_the_file_s_name_says_is_a_pattern_without_its_dates(tmp_path):
    text = long("Start,kWh", "{at:%Y-%m-%d %H:%M},0.{n}", "2023-01-25", 96)
    entry = guessed(tmp_path, text, "usage_1900012345678_20230125-20230127.csv")
    assert entry.csv["meter_in_path"] == "([0-9]{13})"
    assert unsure(entry, "meter_in_path")


def test_an_empty_meter_column_gives_way_to_the_next(tmp_path):
    text = long("EAN,Meter,timestamp,kWh", ",1SAG11,{at:%Y-%m-%d %H:%M},0.{n}", "2023-01-25", 96)
    assert guessed(tmp_path, text).csv["meter"] == "Meter"


# --- encodings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codec", "encoding"), [("utf-8", None), ("utf-16-le", "utf-16"), ("latin-1", "cp1252"), ("utf-8-sig", None)]
)
def test_the_encoding(tmp_path, codec, encoding):
    text = long("Zähler;Zeit Beginn;kWh", "A;{at:%Y-%m-%d %H:%M};0,{n}", "2023-01-25", 96)
    entry = guessed(tmp_path, text.encode(codec))
    assert entry.csv.get("encoding") == encoding
    assert entry.csv["meter"] == "Zähler"


# --- what is not to be guessed ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"just words\nwithout columns\n", "neither delimited text"),
        (b"a,b\nx,y\n", "neither delimited text"),
        (b"a,b\n1,2\n3,4\n", "no column holds a date or a time"),
        (b"day,name\n2023-01-01,x\n2023-01-02,y\n", "no column holds numbers"),
        (b"<html></html>", "XML, and not Green Button"),
        (b'{"rows": []}', "JSON, but neither"),
        (b"PAR1 but not really", "is none"),
        (bytes(range(256)) * 40, "neither delimited text"),
    ],
)
def test_a_file_of_another_kind_is_told(tmp_path, content, says):
    with pytest.raises(UnknownFileError, match=says):
        guessed(tmp_path, content)


@pytest.mark.parametrize("name", ["Settlement Period", "Trading Period", "interval"])
def test_half_hours_that_are_numbered_in_rows_are_told(tmp_path, name):
    rows = [f"1200012345678,2023-01-{25 + day},{period},0.5" for day in range(3) for period in range(1, 49)]
    with pytest.raises(UnknownFileError, match=f"'{name}' numbers the intervals of a day"):
        guessed(tmp_path, "\n".join([f"MPAN,Settlement Date,{name},kWh", *rows]))


def test_times_that_a_feed_cannot_read_are_told(tmp_path):
    day = [moment("2023-01-25") + n * HALF for n in range(48)]
    spans = [f'"{at:%Y-%m-%d %H:%M:%S} to {at + HALF:%Y-%m-%d %H:%M:%S}",0.5' for at in day]
    with pytest.raises(UnknownFileError, match="'Period' holds a start and an end"):
        guessed(tmp_path, "\n".join(["Period,Usage (kWh)", *spans]))
    seconds = [f"A,{1_674_604_800 + 1800 * n},0.5" for n in range(48)]
    with pytest.raises(UnknownFileError, match="counts seconds since 1970"):
        guessed(tmp_path, "\n".join(["Meter,Unix time,Wh", *seconds]))


# --- the other formats --------------------------------------------------------------------------------------------


def test_the_demo_s_files_of_every_other_format_are_known(tmp_path):
    by_ending = {"PN000001.SMRT": b'"HEADR","SMRT","ABC","20210401","060000","PN000001"\n"TRAIL"\n'}
    entry = guessed(tmp_path, by_ending["PN000001.SMRT"], "PN000001.SMRT")
    assert (entry.feed["format"], entry.feed["company"]) == ("smrt", "ABC")
    entry = guessed(tmp_path, b'{"columns":["meter_id","start_time","usage_kwh"],"data":[]}', "a.json")
    names = {"meter_id": "meter_id", "interval_start": "start_time", "consumption": "usage_kwh"}
    assert (entry.feed["format"], entry.feed["columns"]) == ("split_json", names)
    assert unsure(entry, "time_zone")
    obis = (
        b'{"data":[{"measurement":"energy","timestamp":"2021-03-28T00:00:00Z","tags":{"muid":"m"},"0100011D00FF":0.1}]}'
    )
    assert guessed(tmp_path, obis, "b.json").feed["format"] == "obis_json"
    columns = {
        "client_id": ["c"],
        "date": ["2021-03-28"],
        "ext_dev_ref": ["m"],
        "energy_consumption": [[1]],
        "resolution": ["P"],
    }
    pq.write_table(pa.table(columns), tmp_path / "days.parquet")
    entry = guess(tmp_path / "days.parquet")
    assert entry.feed["format"] == "interval_parquet"
    Feed(**entry.values())


def test_a_parquet_file_of_other_columns_is_told(tmp_path):
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.parquet")
    with pytest.raises(UnknownFileError, match="without the columns of interval_parquet: client_id, date"):
        guess(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (b"100,NEM12,200506081149,UNITEDDP,NEMMCO\n200,NEM1201009,E1E2,1,E1,N1,01009,kWh,30,20050610\n", "nem12"),
        (b'<?xml version="1.0"?><feed xmlns:espi="http://naesb.org/espi"><espi:IntervalBlock/></feed>', "green_button"),
    ],
)
def test_nem12_and_green_button_are_known(tmp_path, content, form):
    entry = guessed(tmp_path, content, "file.txt")
    assert (entry.feed["format"], entry.feed["ending"]) == (form, ".txt")
    assert "name has no ending" in said(guessed(tmp_path, content, "file"), "")


# --- the entry as text --------------------------------------------------------------------------------------------


def test_names_with_quotes_and_control_characters_come_back_as_they_are():
    csv = {"meter": 'a "b" \\ c', "timestamp": ["x\ty", "d'e"], "where": {"Type é": ["1\x07"]}, "header": False}
    entry = Entry({"name": "f", "interval_minutes": 30}, csv)
    entry.note("meter", "a line\nbreak \x1b[31m", is_certain=False)
    (feed,) = tomllib.loads(entry.toml())["feeds"]
    assert feed == entry.values()
    assert "\x1b" not in entry.toml()


@pytest.mark.parametrize(("stem", "name"), [("reference", "readings"), ("Zähler 2023", "zahler"), ("x" * 90, "x" * 40)])
def test_the_feed_s_name_is_one_that_the_configuration_takes(stem, name):
    assert name_of(stem) == name
