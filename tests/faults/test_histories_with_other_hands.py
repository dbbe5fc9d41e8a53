"""Others optimize, note, rewrite, restore and lose what is in the lake: each command is right, or refuses and says so.

The damage is then undone, and the lake must be right. What does no damage is not undone.
"""

from __future__ import annotations

import random

import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from jobs import maintain, run, verify
from pipeline import formats
from pipeline.errors import DamagedLakeError, MeterlakeError, VerificationError
from pipeline.lake import access
from tests.faults import other_hands
from tests.faults.history import History
from tests.faults.seeds import LAKES, SEED

pytestmark = pytest.mark.faults
COMMANDS = {
    "run": run.run,
    "maintain": lambda context: maintain.run(context, 0, force=True, as_json=True),
    "verify": lambda context: verify.run(context, as_json=True),
}


class OtherHands(History):
    """The same histories, on a lake that is not ours alone."""

    STEPS = History.STEPS | {
        "others_optimize": 2,
        "others_note": 2,
        "others_rewrite_a_row": 4,
        "others_restore": 5,
        "others_lose_a_file": 4,
    }

    def table(self):
        """A table that the lake has written."""
        context = self.lake.context()
        return self.says(
            self.dice.choice([t for t in formats.lake_tables(context.settings) if access.version(context, t)])
        )

    def others_optimize(self):
        other_hands.optimize(self.lake.context(), self.table(), by_spark=self.dice.random() < 1 / 2)

    def others_note(self):
        other_hands.note(self.lake.context(), self.table(), self.dice.choice(other_hands.NOTES))

    def others_rewrite_a_row(self):
        other_hands.rewrite_a_row(self.lake.context(), self.table(), self.dice.randrange(100))

    def others_restore(self):
        """Restore some versions back; if a command refuses, restore forward again."""
        table = self.table()
        before = access.version(self.lake.context(), table) or 0
        back = self.says(self.dice.randint(1, min(4, before)))
        try:
            other_hands.restore(self.lake.context(), table, before - back)
        except (Py4JJavaError, PySparkException):
            return  # vacuumed since: there is nothing to bring back
        damaged = self.lake.versions()
        refused = self.tried()
        if refused is not None:
            assert isinstance(refused, DamagedLakeError | VerificationError), refused
            assert self.lake.versions() == damaged
            other_hands.restore(self.lake.context(), table, before)
        self.run_and_compare()

    def others_lose_a_file(self):
        path = other_hands.a_data_file(self.lake.context(), self.table(), self.dice.randrange(100))
        if path is not None:
            with other_hands.lost(path):
                self.tried()
        self.run_and_compare()

    def tried(self):
        """Run a command on the damaged lake: the fault that it ended with, or None if it succeeded."""
        try:
            COMMANDS[self.says(self.dice.choice([*COMMANDS]))](self.lake.context())
        except (MeterlakeError, PySparkException, Py4JJavaError) as problem:
            return self.says(problem)
        return None


@pytest.mark.parametrize("number", range(LAKES))
def test_twenty_histories_on_a_lake_that_others_touch_end_as_plain_python_says(spark, tmp_path, number):
    OtherHands(random.Random(f"others-{SEED}-{number}"), tmp_path).live()
