"""Laws of local days: which instants they hold, and how many."""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.laws


def test_a_day_has_as_many_intervals_as_its_clock_shows(days):
    assert days.wrong("intervals") == []


def test_the_intervals_of_a_day_begin_at_the_instants_that_its_clock_shows(days):
    assert days.wrong("instants") == []


def test_a_day_begins_with_its_first_instant(days):
    assert days.wrong("start", where=days.true["intervals"] > 0) == []


def test_no_instant_is_of_two_days(days):
    for case in range(len(days.asked)):
        for minutes in (15, 30, 60):
            rows = np.flatnonzero((days.case == case) & (days.question["minutes"] == minutes))
            instants = np.concatenate([np.array(days.said["instants"][row], int) for row in rows])
            assert len(np.unique(instants)) == len(instants), days.asked[case].zone
