"""Which feeds are late, and since when: in their own local time, on both clock changes."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from pipeline import attention
from pipeline.attention.lateness import due, late_since
from pipeline.config.feeds import Feed
from tests.written_lake import again, at, written


def feed(zone="Europe/London", expected_by=None):
    return Feed(name="gas", format="smrt", path="gas", time_zone=zone, expected_by=expected_by)


@pytest.mark.parametrize(
    ("zone", "expected_by", "day", "instant"),
    [
        ("UTC", None, "2026-11-28", "2026-11-29 00:00"),
        ("UTC", "08:00", "2026-11-28", "2026-11-29 08:00"),
        ("Europe/London", "08:00", "2026-06-28", "2026-06-29 07:00"),
        ("Europe/Vilnius", "08:00", "2026-11-28", "2026-11-29 06:00"),
        ("Europe/London", "08:00", "2026-03-28", "2026-03-29 07:00"),  # summer time began that morning
        ("Europe/London", "00:30", "2026-03-28", "2026-03-29 00:30"),
        ("Europe/London", "08:00", "2026-10-24", "2026-10-25 08:00"),
        ("Europe/London", "01:30", "2026-10-24", "2026-10-25 00:30"),  # twice that night: the first one
        ("+10:00", "08:00", "2026-11-28", "2026-11-28 22:00"),
    ],
)
def test_a_day_s_readings_must_be_there_on_the_day_after_at_the_feed_s_own_time(zone, expected_by, day, instant):
    assert due(feed(zone, expected_by), date.fromisoformat(day)) == at(instant)


def test_a_feed_is_late_from_that_instant_on():
    wanted, last = feed("Europe/Vilnius", "08:00"), date(2026, 11, 28)
    assert late_since(wanted, last, at("2026-11-30 05:59")) is None
    assert late_since(wanted, last, at("2026-11-30 06:00")) == at("2026-11-30 06:00")
    assert late_since(wanted, last, at("2026-12-24 06:00")) == at("2026-11-30 06:00")


def test_the_list_has_it_only_then(tmp_path):
    by_eight = feed("Europe/Vilnius", "08:00")
    written(tmp_path, by_eight, days={"gas": ["2026-11-28"]})
    assert attention.found(again(tmp_path, by_eight, now=at("2026-11-30 05:59"))) == []
    (item,) = attention.found(again(tmp_path, by_eight, now=at("2026-11-30 06:00")))
    assert (item.kind, item.feed, item.since) == ("late", "gas", at("2026-11-30 06:00"))
    assert attention.found(again(tmp_path, feed("Europe/Vilnius"), now=at("2026-11-30 05:59")))  # without the key


@pytest.mark.parametrize("text", ["8:00", "24:00", "08:60", "08:00:00", "eight", "٠٨:٠٠"])
def test_a_time_of_day_is_written_with_two_digits_each(text):
    with pytest.raises(ValidationError, match="is not a time of day: write it as '08:30'"):
        feed(expected_by=text)
