"""Any deliveries in any order, with crashes and maintenance in between: a lake says what plain Python computes.

A history takes one lake through deliveries, repeats, corrections, refused files, changed agreements, withdrawals,
maintenance and runs that break off anywhere, written by the driver and by Spark in turns. Twenty senders share the
lake, each with its own meters, files and history, so ten lakes are two hundred histories. They are random, and differ
from day to day (tests/faults/seeds.py).
"""

from __future__ import annotations

import random

import pytest

from tests.faults.history import History
from tests.faults.seeds import LAKES, SEED

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("number", range(LAKES))
def test_twenty_histories_on_a_lake_end_as_plain_python_says(spark, tmp_path, number):
    History(random.Random(f"{SEED}-{number}"), tmp_path).live()
