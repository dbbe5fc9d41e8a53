"""When the next run is due, by the rhythm of earlier ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.serving.rhythm import next_due

MONDAY = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
DAYS = [MONDAY + timedelta(days=n) for n in range(28)]
MINUTE = timedelta(minutes=1)


def late(starts: list[datetime]) -> list[datetime]:
    """The same starts, each a little late in its own way, as a scheduler's are."""
    return [at + timedelta(seconds=n * 37 % 53) for n, at in enumerate(starts)]


def test_a_run_a_day_is_followed_by_one_a_day_later():
    due = next_due(late(DAYS[:6]))
    assert due is not None
    assert abs(due - DAYS[6]) < MINUTE


def test_runs_on_working_days_are_not_expected_at_the_weekend():
    due = next_due(late([day for day in DAYS[:19] if day.weekday() < 5]))  # the last is a Friday
    assert due is not None
    assert abs(due - DAYS[21]) < MINUTE


def test_two_runs_a_day_at_unequal_distances_are_told_apart():
    starts = [day + hours for day in DAYS[:5] for hours in (timedelta(), timedelta(hours=9))]
    due = next_due(late(starts[:-1]))
    assert due is not None
    assert abs(due - starts[-1]) < MINUTE


def test_a_run_every_quarter_of_an_hour_is_followed_by_one_a_quarter_later():
    starts = [MONDAY + n * timedelta(minutes=15) for n in range(40)]
    due = next_due(starts)
    assert due == starts[-1] + timedelta(minutes=15)


def test_clocks_that_go_back_an_hour_do_not_end_the_rhythm():
    starts = DAYS[:4] + [day + timedelta(hours=1) for day in DAYS[4:7]]
    due = next_due(starts)
    assert due is not None
    assert abs(due - (DAYS[7] + timedelta(hours=1))) < MINUTE


def test_one_run_that_failed_to_come_does_not_end_the_rhythm():
    due = next_due([*DAYS[:9], *DAYS[10:16]])
    assert due == DAYS[16]


def test_a_run_by_hand_between_two_leaves_the_due_time_as_it_was():
    due = next_due([*DAYS[:10], DAYS[9] + timedelta(hours=5)])
    assert due is None or abs(due - DAYS[10]) < MINUTE


@pytest.mark.parametrize("count", range(5))
def test_few_runs_have_no_rhythm(count):
    assert next_due(DAYS[:count]) is None


def test_five_daily_runs_are_a_rhythm():
    assert next_due(DAYS[:5]) == DAYS[5]


def test_runs_by_hand_have_no_rhythm():
    assert next_due([MONDAY + timedelta(minutes=n**3 * 7) for n in (1, 2, 4, 5, 8, 9, 13)]) is None
