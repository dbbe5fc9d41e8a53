"""Feeds of nem12 and green_button: the zone and the unit that these formats have of their own."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.config.feeds import Feed


def test_nem12_is_at_ten_hours_before_utc_and_in_kwh():
    feed = Feed(name="power", format="nem12", path="landing")
    assert (feed.time_zone, feed.unit, feed.minutes) == ("+10:00", "kWh", 30)
    assert Feed(name="power", format="nem12", path="landing", time_zone="+10:00", unit="Wh").unit == "Wh"


@pytest.mark.parametrize("zone", ["UTC", "Australia/Brisbane", "Australia/Sydney", "+09:30"])
def test_nem12_has_no_other_zone(zone):
    with pytest.raises(ValidationError, match="days of nem12 are at '\\+10:00' all year; leave it out"):
        Feed(name="power", format="nem12", path="landing", time_zone=zone)


def test_green_button_is_in_wh_and_in_any_zone():
    feed = Feed(name="homes", format="green_button", path="landing", time_zone="America/New_York")
    assert (feed.time_zone, feed.unit, feed.minutes) == ("America/New_York", "Wh", 60)
    assert Feed(name="homes", format="green_button", path="landing").time_zone == "UTC"
    assert Feed(name="homes", format="green_button", path="landing", unit="kWh").unit == "kWh"


def test_other_formats_keep_their_defaults():
    feed = Feed(name="solar", format="obis_json", path="landing")
    assert (feed.time_zone, feed.unit) == ("UTC", "kWh")


@pytest.mark.parametrize("form", ["nem12", "green_button"])
def test_files_may_end_otherwise(form):
    assert Feed(name="a", format=form, path="landing", ending=".txt").ending == ".txt"
