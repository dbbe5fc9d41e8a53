"""Each command that writes is killed at each of its places, and another command follows: the lake ends right.

The places are those that an undisturbed command passes, so a new commit is a new place. `make test-faults` kills at
each place once, followed by the other commands in turn; TEST_MATRIX=whole follows each kill by each of them (hours).
CI takes a sample: `-k sample`, ten that the seed chooses.
"""

from __future__ import annotations

import os
import random
import signal
from itertools import count

import pytest

from tests.faults.commands import (
    COMMANDS,
    answered_once,
    broken_off,
    contents,
    given_again,
    must_be_conserved,
    must_be_whole,
    must_end_true,
    must_say,
    places,
    with_past,
)
from tests.faults.seeds import SEED

pytestmark = pytest.mark.faults
MINUTES = 10 * 60
NAMES = tuple(COMMANDS)
PAIRS = [(first, second) for first in NAMES for second in NAMES if first != second]
# Separate processes that end by signal 9, which leave more behind than one that breaks off: the JVM's work, scratch.
KILLED = (
    ("withdraw", "after write silver.readings", "run"),
    ("erase", "after write ops.ingestion_log", "withdraw"),
    ("maintain", "after compact silver.readings", "erase"),
    ("verify", "after write silver.readings", "maintain"),
)


class Matrix:
    """The lake that waits, where each command can be killed on it, and what undisturbed commands make of it."""

    def __init__(self, folder):
        self.folder, self.numbers = folder, count()
        self.waiting = with_past(folder / "waiting")
        self._places, self._expected = {}, {}

    def copy(self):
        """A copy of the waiting lake in a separate folder."""
        return self.waiting.copied_to(self.folder / str(next(self.numbers)))

    def places(self, name):
        if name not in self._places:
            self._places[name] = places(self.copy(), COMMANDS[name])
        return self._places[name]

    def expected(self, *names):
        """What the lake says after a run and those of the commands that change something, undisturbed."""
        changing = tuple(name for name in NAMES if name in names and COMMANDS[name].changes)
        if changing not in self._expected:
            undisturbed = self.copy()
            for name in ("run", *changing, "run"):
                COMMANDS[name].do(undisturbed.context())
            must_be_conserved(undisturbed)
            self._expected[changing] = contents(undisturbed)
        return self._expected[changing]

    def ends_right(self, lake, first, second):
        """The second command, the first one again if a person would repeat it, and a run: as if undisturbed."""
        COMMANDS[second].do(lake.context())
        must_be_whole(lake)
        if COMMANDS[first].changes:
            given_again(lake, COMMANDS[first])
        lake.run()
        must_say(lake, self.expected(first, second))
        must_be_whole(lake)
        must_be_conserved(lake)
        must_end_true(lake)
        answered_once(lake)
        before = lake.versions()
        lake.run()
        assert lake.versions() == before

    def breaks_off(self, first, place, second):
        lake = self.copy()
        assert broken_off(lake, COMMANDS[first], place)
        self.ends_right(lake, first, second)


@pytest.fixture(scope="module")
def matrix(spark, tmp_path_factory):
    """The matrix of this session."""
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "waiting").mkdir()
    return Matrix(folder)


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda name: name)
def test_a_command_that_is_killed_and_another_that_follows_leave_what_both_would(matrix, first, second, subtests):
    turn = [other for other in NAMES if other != first].index(second)
    every = matrix.places(first)
    mine = every if os.environ.get("TEST_MATRIX") == "whole" else every[turn :: len(NAMES) - 1]
    for place in mine:
        with subtests.test(f"{first} killed {place}, then {second}"):
            matrix.breaks_off(first, place, second)


@pytest.mark.parametrize("number", range(10))
def test_a_sample_of_kills(matrix, number, subtests):
    dice = random.Random(f"{SEED}-{number}")
    first, second = dice.choice(PAIRS)
    place = dice.choice(matrix.places(first))
    with subtests.test(f"seed {SEED}: {first} killed {place}, then {second}"):
        matrix.breaks_off(first, place, second)


@pytest.mark.parametrize(("first", "place", "second"), KILLED)
def test_a_command_whose_process_is_killed(matrix, first, place, second):
    lake, (verb, *arguments) = matrix.copy(), COMMANDS[first].words
    process = lake.start(f"kill:{place}", *arguments, verb=verb)
    _, said = process.communicate(timeout=MINUTES)
    assert process.returncode == -signal.SIGKILL, said[-2000:]
    matrix.ends_right(lake, first, second)
