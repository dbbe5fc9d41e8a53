"""The laws are asked of enough: of every clock change from 2000 to 2037, and of nothing less because data differ."""

from __future__ import annotations

from datetime import date

import pytest

from tests.laws import cases, oracle

pytestmark = pytest.mark.laws

YEARS = oracle.LAST_YEAR - oracle.FIRST_YEAR + 1


def number(asked):
    """A case is a local day of a zone, cut into intervals of one length."""
    return sum(len(each.days) for each in asked) * len(cases.LENGTHS)


def test_twenty_thousand_cases_are_looked_at(every_change, drawn):
    assert number(every_change) >= 20_000
    assert number(drawn) >= 2_000


def test_java_and_python_agree_on_nearly_all_zones_and_years(known_zones, disputed):
    assert len(known_zones) > 500
    assert len(disputed) <= len(known_zones) * YEARS / 50


def test_the_changes_hold_every_oddity_that_clocks_had():
    def lengths(zone, *day):
        return [len(oracle.clock(zone).instants(oracle.day_of(date(*day)), minutes)) for minutes in cases.LENGTHS]

    assert lengths("Europe/London", 2021, 3, 28) == [92, 46, 23]
    assert lengths("Europe/London", 2021, 10, 31) == [100, 50, 25]
    assert lengths("Australia/Lord_Howe", 2021, 4, 4) == [98, 49, 24]  # back by half an hour
    assert lengths("Australia/Lord_Howe", 2021, 10, 3) == [94, 47, 23]
    assert lengths("Antarctica/Troll", 2021, 3, 28) == [88, 44, 22]  # forward by two hours
    assert lengths("America/Havana", 2021, 3, 14) == [92, 46, 23]  # without midnight
    assert lengths("America/Havana", 2021, 11, 7) == [100, 50, 25]  # with two midnights
    assert lengths("Asia/Beirut", 2021, 10, 30) == [100, 50, 25]  # at midnight, back into the day before
    assert lengths("Pacific/Apia", 2011, 12, 30) == [0, 0, 0]  # never was
    assert lengths("America/St_Johns", 2010, 11, 6) == [99, 49, 24]  # goes on after the next day's first minute
    assert lengths("America/St_Johns", 2010, 11, 7) == [97, 49, 25]
    assert lengths("Asia/Pyongyang", 2018, 5, 4) == [94, 47, 23]  # ends at 23:30
