"""What a guess makes of clock changes in files whose meter ids name no country, as portals of many countries write them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.unit.guess.test_guess_of_odd_files import guessed, long, moment, said, unsure
from tests.unit.guess.test_guess_of_outside_shapes import HALF, HOUR, loaded


@pytest.mark.parametrize(
    ("day", "twice", "zone"),
    [
        ("2023-10-29", "02:00", "Europe/Berlin"),
        ("2023-10-29", "01:00", "Europe/London"),
        ("2023-10-29", "03:00", "Europe/Helsinki"),
        ("2023-11-05", "01:00", "America/New_York"),
        ("2023-04-02", "02:00", "Australia/Sydney"),
    ],
)
def test_a_clock_change_names_the_clock_where_no_meter_id_names_a_country(tmp_path, day, twice, zone):
    """In UTC, which no such file is in, one of the two hours would be lost."""
    midnight = moment(day)
    hours = [midnight + n * HALF for n in range(48)]
    again = [at for at in hours if moment(f"{day}T{twice}") <= at < moment(f"{day}T{twice}") + HOUR]
    place = hours.index(again[-1]) + 1
    rows = [f"{at:%d.%m.%Y %H:%M};0,5" for at in [*hours[:place], *again, *hours[place:]]]
    text = "\n".join(["Zeit;Verbrauch (kWh)", *rows]) + "\n"
    entry = guessed(tmp_path, text)
    assert entry.feed["time_zone"] == zone
    assert unsure(entry, "time_zone")
    if zone != "America/New_York":  # after the day on which `loaded` received it
        assert loaded(entry, text)[0] == {"import": Decimal("25.0")}


def american(day, cells):
    """Every hour of the clock on three days, as a portal writes them; `cells` are those of the middle day."""
    days = [(moment(day) - timedelta(days=1), ["0.5"] * 24), (moment(day), cells)]
    days.append((moment(day) + timedelta(days=1), ["0.5"] * 24))
    rows = [f"7,{at:%m/%d/%Y},{at + n * HOUR:%I:%M %p},{cell}" for at, cells in days for n, cell in enumerate(cells)]
    return "\n".join(["Meter Number,Day,Hour of Day,Usage kWh", *rows]) + "\n"


def test_a_row_without_a_value_in_the_hour_that_is_skipped_is_no_sign_of_a_clock_without_summer_time(tmp_path):
    text = american("2023-03-12", ["0.5", "0.5", "No Data", *["0.5"] * 21])
    entry = guessed(tmp_path, text)
    assert entry.feed["time_zone"] == "America/New_York"
    assert loaded(entry, text)[0] == {"import": Decimal("35.5")}


def test_an_hour_that_holds_both_of_autumn_is_told(tmp_path):
    entry = guessed(tmp_path, american("2022-11-06", ["0.5", "1.0", *["0.5"] * 22]))
    assert "stands once" not in said(entry, "timestamp")  # its zone is not known
    spring = american("2022-03-13", ["0.5", "0.5", "No Data", *["0.5"] * 21])
    both = spring + american("2022-11-06", ["0.5", "1.0", *["0.5"] * 22]).partition("\n")[2]
    entry = guessed(tmp_path, both)
    assert entry.feed["time_zone"] == "America/New_York"
    assert "2022-11-06 01:00 stands once, and the clock in America/New_York showed it twice" in said(entry, "timestamp")


def test_a_clock_without_summer_time_names_none(tmp_path):
    entry = guessed(tmp_path, long("Zeit;kWh", "{at:%d.%m.%Y %H:%M};0,5", "2023-03-20", 48 * 14))
    assert entry.feed["time_zone"] == "UTC"
