"""`[feeds.csv]`: what it takes, its defaults, and what is refused in one line (contract, section 1)."""

from __future__ import annotations

import pytest

from pipeline.config.settings import load as load_settings
from pipeline.errors import ConfigurationError

FEED = '[[feeds]]\nname = "power"\nformat = "csv"\npath = "in/power"\n'
CSV = FEED + "[feeds.csv]\n"
LONG = CSV + 'meter = "MPAN"\n'
WIDE = LONG + 'layout = "wide"\n'
EVERYTHING = """
[[feeds]]
name = "power"
format = "csv"
path = "in/power"
time_zone = "Europe/London"
interval_minutes = 30
unit = "MWh"
ending = ".TXT"
identity = "name"
[feeds.csv]
layout = "long"
delimiter = ";"
decimal = ","
encoding = "cp1252"
skip_lines = 10
header = true
meter = " MPAN "
timestamp = ["Read Date", "Read Time"]
timestamp_format = "dd/MM/yyyy HH:mm"
label = "end"
value = ["Day", "Night"]
direction = { column = "Read Type", import = ["I"], export = ["E", "X"], ignore = ["R"] }
where = { "Type" = ["Electricity"] }
missing = ["", "n/a"]
quality = "Status"
"""


@pytest.fixture
def csv(tmp_path):
    """The csv table of the one feed of a configuration."""

    def loaded(text):
        return feed_of(text, tmp_path).csv

    return loaded


def feed_of(text, folder):
    path = folder / "lake.toml"
    path.write_text(text, encoding="utf-8")
    (feed,) = load_settings(path).feeds
    return feed


@pytest.fixture
def refusal(tmp_path):
    def said(text):
        with pytest.raises(ConfigurationError) as caught:
            feed_of(text, tmp_path)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return said


def test_only_the_meter_must_be_said(csv):
    found = csv(LONG)
    assert (found.layout, found.delimiter, found.decimal, found.encoding) == ("long", ",", ".", "utf-8")
    assert (found.skip_lines, found.header, found.label) == (0, True, "start")
    assert (found.meter, found.timestamp, found.value.alone) == ("MPAN", ("timestamp",), ("value",))
    assert found.missing == ("", "-", "NULL", "N/A")
    assert (found.direction, found.where, found.quality) == (None, {}, None)
    assert found.columns == ("MPAN", "timestamp", "value")


def test_every_key_of_the_contract_is_taken(csv, tmp_path):
    found = csv(EVERYTHING)
    assert (found.delimiter, found.decimal, found.encoding, found.skip_lines) == (";", ",", "cp1252", 10)
    assert found.meter == "MPAN"
    assert found.timestamp == ("Read Date", "Read Time")
    assert (found.label, found.value.alone, found.quality) == ("end", ("Day", "Night"), "Status")
    assert (found.direction.imported, found.direction.exported, found.direction.ignore) == (("I",), ("E", "X"), ("R",))
    assert (found.where, found.missing) == ({"Type": ("Electricity",)}, ("", "n/a"))
    names = ("MPAN", "Read Date", "Read Time", "Day", "Night", "Read Type", "Status", "Type")
    assert found.columns == names
    feed = feed_of(EVERYTHING, tmp_path)
    assert (feed.ending, feed.identity, feed.unit, feed.kept_unit) == (".TXT", "name", "MWh", "kWh")


def test_both_directions_may_stand_in_a_row(csv):
    found = csv(LONG + 'value = { import = ["A+ T1", "A+ T2"], export = "A-" }')
    assert (found.value.imported, found.value.exported) == (("A+ T1", "A+ T2"), ("A-",))
    assert found.value.has_both


@pytest.mark.parametrize(("unit", "kept"), [("kWh", "kWh"), ("Wh", "Wh"), ("MWh", "kWh"), ("kW", "kWh"), ("W", "Wh")])
def test_silver_keeps_kwh_or_wh(tmp_path, unit, kept):
    assert feed_of(f"{FEED}unit = '{unit}'\n[feeds.csv]\nmeter = 'm'", tmp_path).kept_unit == kept


def test_a_wide_files_value_columns_are_a_pattern(csv):
    found = csv(WIDE + "value = '(?P<time>[0-9]{2}:[0-9]{2})'\nquality_beside = true")
    assert found.columns == ("MPAN", "timestamp")
    assert found.value_pattern.fullmatch("01:30")["time"] == "01:30"
    assert csv(WIDE + "value = 'P(?<period>[0-9]+)'").value_pattern.fullmatch("P48")["period"] == "48"


@pytest.mark.parametrize("pattern", ["dd/MM/yyyy HH:mm", "yyyyMMdd", "d.M.yyyy[ H:mm[:ss]]", "dd-MMM-yy hh:mm a"])
def test_datetime_patterns_of_spark_are_taken(csv, pattern):
    assert csv(LONG + f'timestamp_format = "{pattern}"').time_pattern.fields[0] in {"day", "year"}


REFUSALS = {
    "no table": (FEED, "[feeds.csv]"),
    "a table for another format": (LONG.replace('"csv"', '"smrt"'), "is for format csv"),
    "no meter": (CSV, "none is given"),
    "two meters": (LONG + 'meter_id = "1"', "meter and meter_id say it twice"),
    "an empty meter": (CSV + 'meter_id = " "', "feeds.0.csv.meter_id"),
    "a path without a group": (CSV + 'meter_in_path = "[0-9]+"', "one group in brackets"),
    "a path that is no pattern": (CSV + 'meter_in_path = "("', "is not a pattern"),
    "a long delimiter": (LONG + 'delimiter = ";;"', "is not a delimiter"),
    "a quote between fields": (LONG + "delimiter = '\"'", "is not a delimiter"),
    "a decimal of another kind": (LONG + 'decimal = ";"', "feeds.0.csv.decimal"),
    "an encoding that is not known": (LONG + 'encoding = "utf-7"', "feeds.0.csv.encoding"),
    "an unknown key": (LONG + 'separator = ";"', "feeds.0.csv.separator: unknown key"),
    "an empty name": (LONG + 'value = " "', "a column's name must not be empty"),
    "no column": (LONG + "value = []", "feeds.0.csv.value"),
    "the same column twice": (LONG + 'value = "MPAN"', "name the column 'MPAN' twice"),
    "one direction of two": (LONG + 'value = { import = ["a"] }', "{ import = […], export = […] }"),
    "two directions": (
        LONG + 'value = { import = "a", export = "b" }\ndirection = { column = "c", import = "I" }',
        "use one of them",
    ),
    "a direction of two minds": (LONG + 'direction = { column = "c", import = "I", export = "I" }', "stands twice"),
    "a direction that never is": (LONG + 'direction = { column = "c", ignore = "I" }', "at least one value"),
    "a pattern with a week": (LONG + 'timestamp_format = "YYYY-ww"', "YYYY cannot be read"),
    "a pattern without a year": (LONG + 'timestamp_format = "dd/MM HH:mm"', "does not say the year"),
    "a minute without its hour": (LONG + 'timestamp_format = "dd/MM/yyyy mm"', "the minute but not the hour"),
    "the month twice": (LONG + 'timestamp_format = "dd/MM/yyyy HH:MM"', "says the month twice"),
    "an hour of twelve": (LONG + 'timestamp_format = "dd/MM/yyyy hh:mm"', "need each other"),
    "numbers that run together": (LONG + 'timestamp_format = "dMMyyyy"', "write two letters"),
    "an open quote": (LONG + 'timestamp_format = "yyyy-MM-dd\'T"', "a quote that is not closed"),
    "an open bracket": (LONG + 'timestamp_format = "yyyy-MM-dd[ HH:mm"', "without its other one"),
    "a wide file without a pattern": (WIDE, "a group time or a group period"),
    "a wide file with both groups": (WIDE + "value = '(?P<time>.)(?P<period>.)'", "a group time or a group period"),
    "a wide file of two patterns": (WIDE + "value = ['(?P<time>.)', 'b']", "is one pattern"),
    "two qualities": (WIDE + "value = '(?P<time>.)'\nquality = 'q'\nquality_beside = true", "use one of them"),
    "a quality beside a long value": (LONG + "quality_beside = true", "layout"),
    "another format's ending": (
        FEED.replace("csv", "smrt") + 'ending = ".txt"',
        "feeds.0.ending: is only for csv, green_button, nem12",
    ),
    "an ending without a point": (FEED + 'ending = "txt"\n[feeds.csv]\nmeter = "m"', "is not an ending"),
    "an unfinished file's ending": (FEED + 'ending = ".tmp"\n[feeds.csv]\nmeter = "m"', "is not an ending"),
    "another format's identity": (FEED.replace("csv", "split_json") + 'identity = "name"', "is only for csv"),
    "another format's unit": (FEED.replace("csv", "smrt") + 'unit = "kW"', "feeds.0.unit: kW is for csv"),
}


@pytest.mark.parametrize(("text", "said"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_meant_is_refused_in_one_line(refusal, text, said):
    assert said in refusal(text)


@pytest.mark.parametrize("name", ["nem12", "green_button"])
def test_the_two_other_new_formats_may_end_otherwise(tmp_path, name):
    assert feed_of(FEED.replace("csv", name) + 'ending = ".txt"', tmp_path).ending == ".txt"
