"""Laws of local times: there and back again, and which of them do not exist or occur twice."""

from __future__ import annotations

import numpy as np
import pytest

from tests.laws import oracle
from tests.laws.answers import NULL

pytestmark = pytest.mark.laws


def shown_again(labels, name):
    """Labels that the clocks show at the instants said (for NULL: NULL), by the oracle."""
    found = np.full(len(labels.case), NULL)
    for number, each in enumerate(labels.asked):
        rows = np.flatnonzero((labels.case == number) & (labels.said[name] != NULL))
        found[rows] = oracle.clock(each.zone).shown(labels.said[name][rows])
    return found


def test_a_local_time_becomes_utc_and_the_same_local_time_again(labels):
    asked, exists = labels.question["label"].astype(int), labels.true["first"] != NULL
    wrong = np.flatnonzero(exists & (shown_again(labels, "first") != asked))
    assert labels.shown(wrong, "first") == []


def test_a_local_time_that_occurs_twice_is_the_same_local_time_at_its_later_instant(labels):
    asked, twice = labels.question["label"].astype(int), labels.true["later"] != NULL
    assert twice.any()
    wrong = np.flatnonzero(twice & (shown_again(labels, "later") != asked))
    assert labels.shown(wrong, "later") == []


def test_a_local_time_is_the_first_of_its_instants(labels):
    assert labels.wrong("first", where=labels.true["first"] != NULL) == []


def test_a_local_time_that_occurs_twice_has_a_later_instant_and_no_other_has(labels):
    assert labels.wrong("later", where=labels.true["first"] != NULL) == []


def test_a_local_time_that_the_clocks_skip_is_known_and_no_other(labels):
    assert labels.true["missing"].any()
    assert labels.wrong("missing") == []


def test_no_instant_of_a_local_time_lies_on_another_day(labels):
    exists = labels.true["first"] != NULL
    assert labels.wrong("first_day", where=exists) == []
    assert labels.wrong("later_day", where=exists) == []
