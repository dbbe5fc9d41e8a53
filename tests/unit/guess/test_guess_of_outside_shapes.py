"""What a guess makes of shapes that were found in files from outside: each misled it, or made it print a feed in vain."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import trial
from pipeline.guess.csv_entry import UnknownFileError
from tests.unit.guess.test_guess_of_odd_files import guessed, long, moment, said, unsure

HALF, HOUR = timedelta(minutes=30), timedelta(hours=1)
AN_ESPI_FEED = (
    '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xmlns:e="http://naesb.org/espi">{}</feed>'
)
POINT = '<entry><link rel="self" href="/UsagePoint/7"/><content><e:UsagePoint/></content></entry>'
SUMMARY = "<entry><content><e:UsageSummary/></content></entry>"


def loaded(entry, text):
    """Energy by direction of what the entry makes of the file, and its first reading."""
    feed, content = Feed(**entry.values()), text.encode()
    delivery = Delivery(feed.name, "file.csv", "file.csv", "file.csv", len(content), None)
    looked_at = trial.inspected(content, delivery, feed, "production")
    assert looked_at.reason_code is None, looked_at.reason
    found = trial.tried(content, looked_at, feed, datetime(2023, 11, 20, tzinfo=UTC))
    assert found.refused == []
    energy = Counter()
    for (_, direction), day in found.days.items():
        energy[direction] += day.consumption
    return energy, found.first[0].reading.interval_start


# --- times ------------------------------------------------------------------------------------------------------


def test_a_date_with_a_blank_after_each_dot(tmp_path):
    row = "{at.day}. {at.month}. {at:%Y %H:%M:%S},0.25,1.0,4,"
    text = long("Time,Energy (kWh),Power (kW),Block,", row, "2023-01-28T00:15", 96 * 5, minutes=15)
    entry = guessed(tmp_path, text)
    assert entry.csv["timestamp_format"] == "d. M. yyyy HH:mm:ss"
    assert (entry.csv["label"], entry.feed["interval_minutes"]) == ("end", 15)
    assert loaded(entry, text)[0] == {"import": Decimal(120)}


def test_an_hour_that_is_named_by_its_last_minute_is_read_as_its_start(tmp_path):
    row = '"=""{at:%Y-%m-%d %H:%M}""";"0,5";"0,1"'
    text = long("Data;Energia pobrana kWh;Energia oddana kWh", row, "2023-01-25T00:59", 48, minutes=60)
    entry = guessed(tmp_path, text)
    assert (entry.csv["timestamp_format"], entry.csv["label"]) == ("yyyy-MM-dd HH:'59'", "start")
    assert unsure(entry, "timestamp_format")
    assert entry.csv["value"] == {"import": ["Energia pobrana kWh"], "export": ["Energia oddana kWh"]}
    energy, first = loaded(entry, text)
    assert energy == {"import": Decimal("24.0"), "export": Decimal("4.8")}
    assert first == datetime(2023, 1, 25, tzinfo=UTC)


def test_quarter_hours_that_are_named_by_their_last_minutes_are_no_feed(tmp_path):
    text = long("meter,time,kWh", "A,{at:%Y-%m-%d %H:%M},0.5", "2023-01-25T00:14", 96, minutes=15)
    with pytest.raises(UnknownFileError, match="the last minutes of their intervals"):
        guessed(tmp_path, text)


def test_midnight_without_its_time_is_read_too(tmp_path):
    text = long("Datum;Energiemenge (kWh)", "{at:%d.%m.%Y %H:%M};117,2", "2023-01-25T01:00", 48, minutes=60)
    text = text.replace(" 00:00;", ";")
    entry = guessed(tmp_path, text)
    assert (entry.csv["timestamp_format"], entry.csv["label"]) == ("dd.MM.yyyy[ HH:mm]", "end")
    assert loaded(entry, text)[0] == {"import": Decimal("5625.6")}


def test_times_of_another_shape_than_most_are_told(tmp_path):
    text = long("meter,time,kWh", "A,{at:%d/%m/%Y %H:%M},0.5", "2023-01-25", 96) + "A,27/01/2023 00:00:00,0.5\n"
    assert said(guessed(tmp_path, text), "timestamp") == "1 rows hold no such time and would be rejected"


def test_rows_that_are_months_apart_are_no_half_hours(tmp_path):
    rows = [f"A,{day},{700 + n}" for n, day in enumerate(["2023-01-22", "2023-02-21", "2023-03-23", "2023-04-24"])]
    with pytest.raises(UnknownFileError, match="30 to 32 days apart"):
        guessed(tmp_path, "\n".join(["meter,start,kWh", *rows]))


def test_days_with_a_gap_are_days(tmp_path):
    rows = [f"A,2023-01-{day:02d},7.5" for day in (1, 2, 3, 9, 10)]
    assert guessed(tmp_path, "\n".join(["meter,date,kWh", *rows])).feed["interval_minutes"] == 1440


def test_a_file_from_midnight_to_midnight_fits_both_labels(tmp_path):
    entry = guessed(tmp_path, long("meter,time,kWh", "A,{at:%Y-%m-%d %H:%M},0.5", "2023-01-25", 97, minutes=15))
    assert unsure(entry, "label")
    assert "from 00:00 to 00:00, which fits both" in said(entry, "label")


def test_the_offsets_that_times_carry_are_told(tmp_path):
    entry = guessed(tmp_path, long("meter,time,kWh", "A,{at:%Y-%m-%dT%H:%M:%S}+02:00,0.5", "2023-06-25", 48))
    assert "(+02:00)" in said(entry, "time_zone")


# --- rows and columns -------------------------------------------------------------------------------------------


def test_rows_without_their_last_columns_and_as_few_as_the_lines_before_them(tmp_path):
    top = ["Name,A B", 'Address,"1 X ST, Y"', "Account Number,1776", "Service,Service 1", ""]
    rows = [f"Electric usage,2023-07-04,{n:02d}:00,{n:02d}:59,0.25" for n in range(4)]
    text = "\n".join([*top, "TYPE,DATE,START TIME,END TIME,USAGE (kWh),NOTES", *rows]) + "\n"
    entry = guessed(tmp_path, text)
    assert (entry.csv["skip_lines"], entry.csv["meter_id"], entry.csv["value"]) == (5, "1776", "USAGE (kWh)")
    assert loaded(entry, text)[0] == {"import": Decimal(1)}


def test_one_solar_panel_among_devices_is_no_direction_and_a_power_strip_no_electricity_beside_gas(tmp_path):
    kinds = {"mains": "", "solar": "Solar", "d1": "Dryer", "d2": "Light", "d3": "Power Strip"}
    hours = [moment("2023-01-25") + n * HOUR for n in range(24)]
    rows = [f"{at:%Y-%m-%d %H:%M:%S},{device},{kind},0.5" for at in hours for device, kind in kinds.items()]
    text = "\n".join(["DateTime,Device ID,Device Type,kWh", *rows]) + "\n"
    entry = guessed(tmp_path, text)
    assert entry.csv["meter"] == "Device ID"
    assert "direction" not in entry.csv
    assert "where" not in entry.csv
    assert loaded(entry, text)[0] == {"import": Decimal(60)}


def test_a_column_of_the_unit_by_its_longer_name(tmp_path):
    row = "7,{at:%m/%d/%Y},{at:%I:%M %p},0.5,Wh"
    entry = guessed(
        tmp_path,
        long("Meter Number,Day,Hour of Day,Hourly Total,Unit of Measurement", row, "2023-01-25", 24, minutes=60),
    )
    assert entry.feed["unit"] == "Wh"
    assert not unsure(entry, "unit")


def test_what_flows_in_and_out_is_read_and_not_its_balance(tmp_path):
    row = '"\'012",{at:%Y-%m-%d %H:%M},0.5,0.1,0.4,ESTIMATED'
    header = "Meter Number,Interval Start Date/Time,Inflow (kWh),Outflow (kWh),Net Consumption (kWh),Estimated Usage"
    entry = guessed(tmp_path, long(header, row, "2023-01-25", 24, minutes=60))
    assert entry.csv["value"] == {"import": ["Inflow (kWh)"], "export": ["Outflow (kWh)"]}
    assert entry.csv["quality"] == "Estimated Usage"
    assert "apostrophe" in said(entry, "meter")


def test_a_meter_s_column_that_ends_in_id(tmp_path):
    row = "1201,{at:%Y-%m-%d},{at:%Y-%m-%dT%H:%M:%S}.000Z,0.5,0.1"
    entry = guessed(tmp_path, long("EAN_ID,Datum,Datum_Startuur,Afname_KWh,Injectie_KWh", row, "2023-01-25", 96))
    assert entry.csv["meter"] == "EAN_ID"


def test_where_the_unit_is_not_known_a_day_in_it_is_shown(tmp_path):
    entry = guessed(tmp_path, long("Timestamp,Value", "{at:%Y-%m-%d %H:%M:%S},95", "2023-01-25", 96))
    assert "as kWh a meter's day in this file is about 4,560.0 kWh" in said(entry, "unit")


# --- what would become of the file ------------------------------------------------------------------------------


def test_rows_that_the_entry_itself_would_refuse_are_told_before_the_feed(tmp_path):
    rows = [f"A,{moment('2023-01-25') + n * HALF + (n % 5 == 0) * timedelta(minutes=7)},0.5" for n in range(100)]
    entry = guessed(tmp_path, "\n".join(["meter,time,kWh", *rows]))
    assert said(entry, "").startswith("as it stands 20 of 100 rows would be rejected: OFF_GRID, '2023-01-25 00:07:00'")


def test_of_a_long_file_the_first_rows_are_judged(tmp_path):
    text = long("meter,time,kWh", "A,{at:%Y-%m-%d %H:%M},0.5", "2021-01-25", 20_000) + 'A,2023-01-25 00:00,"0.5'
    assert said(guessed(tmp_path, text), "") == ""


def test_a_file_of_which_nothing_would_be_loaded_is_told(tmp_path):
    text = long("meter;time;kWh", "A;{at:%Y-%m-%d %H:%M};-0,5", "2023-01-25", 48)
    assert "nothing would be loaded. Every row would be rejected" in said(guessed(tmp_path, text), "")


def test_nem13_and_green_button_that_hold_no_intervals(tmp_path):
    with pytest.raises(UnknownFileError, match="NEM13"):
        guessed(tmp_path, "100,NEM13,202301010000,MDA1,Ret1\n250,NMI,11,1,11,11,S,E,006342.8\n900\n")
    entry = guessed(tmp_path, AN_ESPI_FEED.format(POINT + SUMMARY), "file.xml")
    assert "there is no reading in it" in said(entry, "")


def reading_type(uom):
    facts = (
        f"<e:flowDirection>1</e:flowDirection><e:powerOfTenMultiplier>0</e:powerOfTenMultiplier><e:uom>{uom}</e:uom>"
    )
    return f"<entry><content><e:ReadingType>{facts}</e:ReadingType></content></entry>"


BLOCK = (
    "<entry><content><e:IntervalBlock><e:IntervalReading><e:timePeriod><e:duration>3600</e:duration>"
    "<e:start>1296547200</e:start></e:timePeriod><e:value>385</e:value></e:IntervalReading></e:IntervalBlock>"
    "</content></entry>"
)


def test_a_green_button_file_that_says_no_meter_is_no_feed(tmp_path):
    """There is nothing to configure that would name one."""
    with pytest.raises(UnknownFileError, match="every row would be rejected: METER_ID_MISSING"):
        guessed(tmp_path, AN_ESPI_FEED.format(reading_type(72) + BLOCK), "file.xml")


def test_a_row_of_nem12_that_would_be_refused_is_told(tmp_path):
    values = ",".join(["1.0"] * 48)
    text = f"100,NEM12,202301010000,A,B\n200,N1,E1V1,1,E1,,,kWh,30,\n300,20230101,{values},A,,,,\n"
    text += f"200,N1,E1V1,1,V1,,,,30,\n300,20230101,{values},A,,,,\n900\n"
    assert "1 of 2 rows would be rejected: FIELD_COUNT" in said(guessed(tmp_path, text), "")
