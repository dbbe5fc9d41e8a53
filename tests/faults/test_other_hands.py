"""Others optimize, note, rewrite, restore and lose what is in the lake: each command is right, or refuses and says so.

The hand then undoes its damage, and the lake must be right. What does no damage is not undone.
"""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from jobs import maintain, run, verify
from pipeline import formats, lake
from pipeline.errors import DamagedLakeError, MeterlakeError, VerificationError
from tests.faults import other_hands
from tests.faults.test_histories import History, lived

pytestmark = pytest.mark.faults
TABLES = (
    "bronze.gas",
    "bronze.electricity",
    "bronze.agreement",
    "silver.readings",
    "silver.rejected_readings",
    "silver.agreement",
    "gold.meter_day",
    "gold.total_consumption_half_hour",
    "gold.consumption_per_product_per_day",
    "ops.ingestion_log",
    "ops.restatements",
    "ops.acknowledgements",
)
TABLE = st.sampled_from(TABLES)
DICE = st.integers(0, 99)
COMMANDS = {
    "run": run.run,
    "maintain": lambda context: maintain.run(context, 0, force=True, as_json=True),
    "verify": lambda context: verify.run(context, as_json=True),
}
COMMAND = st.sampled_from(sorted(COMMANDS))


class OtherHands(History):
    """The same histories, on a lake that is not ours alone."""

    def table(self, name):
        """The table, where the lake has it."""
        context = self.lake.context()
        (found,) = [table for table in formats.lake_tables(context.settings) if table.full_name == name]
        return found if lake.version(context, found) is not None else None

    @rule(name=TABLE, by_spark=st.booleans())
    def others_optimize(self, name, by_spark):
        if table := self.table(name):
            other_hands.optimize(self.lake.context(), table, by_spark=by_spark)

    @rule(name=TABLE, text=st.sampled_from(other_hands.NOTES))
    def others_note(self, name, text):
        if table := self.table(name):
            other_hands.note(self.lake.context(), table, text)

    @rule(name=TABLE, dice=DICE)
    def others_rewrite_a_row(self, name, dice):
        if table := self.table(name):
            other_hands.rewrite_a_row(self.lake.context(), table, dice)

    @rule(name=TABLE, back=st.integers(1, 4), command=COMMAND)
    def others_restore(self, name, back, command):
        table = self.table(name)
        before = lake.version(self.lake.context(), table) if table else 0
        if not before:
            return
        try:
            other_hands.restore(self.lake.context(), table, max(before - back, 0))
        except (Py4JJavaError, PySparkException):
            return  # vacuumed since: there is nothing to bring back
        damaged = self.lake.versions()
        refused = self.tried(command)
        if refused is not None:
            assert isinstance(refused, DamagedLakeError | VerificationError), refused
            assert self.lake.versions() == damaged
            other_hands.restore(self.lake.context(), table, before)
        self.run_and_compare()

    @rule(name=TABLE, dice=DICE, command=COMMAND)
    def others_lose_a_file(self, name, dice, command):
        table = self.table(name)
        path = other_hands.a_data_file(self.lake.context(), table, dice) if table else None
        if path is None:
            return
        with other_hands.lost(path):
            self.tried(command)
        self.run_and_compare()

    def tried(self, command):
        """The fault that the command ended with, in words that a person is told; None where it ended well."""
        try:
            COMMANDS[command](self.lake.context())
        except (MeterlakeError, PySparkException, Py4JJavaError) as problem:
            return problem
        return None


def test_histories_on_a_lake_that_others_touch_end_as_plain_python_says(spark):
    lived(OtherHands, 1)
