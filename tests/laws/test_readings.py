"""Laws of readings: files of whole local days through judging and ordering, as silver takes them in."""

from __future__ import annotations

import numpy as np
import pytest

from tests.laws.answers import NULL

pytestmark = pytest.mark.laws


def accepted(readings):
    return readings.said["reason"] == ""


def test_only_skipped_times_and_bad_values_are_refused_and_each_for_its_own_reason(readings):
    assert {"", "LOCAL_TIME_NONEXISTENT", "CONSUMPTION_INVALID", "CONSUMPTION_NEGATIVE"} == set(readings.true["reason"])
    assert readings.wrong("reason") == []


def test_each_row_becomes_the_instant_at_which_its_clock_showed_its_time(readings):
    assert readings.wrong("instant", where=readings.true["instant"] != NULL) == []


def test_no_two_rows_of_a_meter_fall_on_one_instant(readings):
    columns = [readings.question["file"], readings.question["meter"], readings.said["instant"]]
    keys = np.stack([column[accepted(readings)] for column in columns])
    keys = keys[:, np.lexsort(keys)]
    assert not (keys[:, 1:] == keys[:, :-1]).all(axis=0).any()


def test_nothing_moves_to_a_neighbouring_day(readings):
    assert readings.wrong("day") == []


def test_the_sum_of_a_file_is_its_source_without_what_was_refused(readings):
    _, place = np.unique(readings.question["file"], return_inverse=True)
    said, true = (np.zeros(place.max() + 1, int) for _ in range(2))
    np.add.at(said, place[accepted(readings)], readings.said["micro"][accepted(readings)])
    sound = readings.true["reason"] == ""
    np.add.at(true, place[sound], readings.true["micro"][sound])
    assert said.sum() > 0
    assert np.array_equal(said, true)


def test_newest_first_gives_the_same_readings_as_oldest_first(readings):
    names = ("instant", "day", "micro", "reason")
    parts = []
    for newest_first in (False, True):
        rows = np.flatnonzero((readings.question["newest_first"] == newest_first) & accepted(readings))
        keys = [readings.said["instant"], readings.question["meter"], readings.question["file"]]
        rows = rows[np.lexsort([key[rows] for key in keys])]
        parts.append([readings.case[rows], readings.question["meter"][rows], *(readings.said[n][rows] for n in names)])
    assert all(np.array_equal(old, new) for old, new in zip(*parts, strict=True))
