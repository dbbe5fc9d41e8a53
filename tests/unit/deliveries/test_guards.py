"""Whether the lake is whole: what must be refused before a command writes, and what a killed run may leave."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.deliveries import guards
from pipeline.deliveries.delivery import LOADED, REFERENCE, REJECTED, WITHDRAWN, Delivery
from pipeline.lake.state import State

DAY = (date(2021, 1, 4),)
LOG, BRONZE, SILVER, GOLD = "ops.ingestion_log", "bronze.gas", "silver.readings", "gold.meter_day"


def delivery(batch_id, feed="gas", status=LOADED, revision=None, **more):
    found = Delivery(feed, "a", "a", "a", 1, None, status=status, batch_id=batch_id, revision=revision or batch_id)
    counts = {"rows_read": 2, "rows_accepted": 2, "local_dates": DAY} if status == LOADED else {}
    for name, value in (counts | more).items():
        object.__setattr__(found, name, value)
    return found


def lake(log=2, bronze=2, silver=2, gold=2, **more):
    """States of a lake that is whole, changed by the arguments."""
    states = {name: State(name, batch, holds_files=True) for name, batch in zip((LOG, BRONZE, SILVER, GOLD), (log, bronze, silver, gold), strict=True)}  # fmt: skip
    for name, state in more.items():
        states[name.replace("_", ".", 1)] = state
    return states


TWO = [delivery(1), delivery(2)]


def found(states, known=TWO, **more):
    return [(table, section) for table, _, section in guards.problems(states, known, **more)]


def test_a_lake_that_is_whole_is_let_through():
    assert found(lake()) == []
    assert found({}, []) == []


@pytest.mark.parametrize("table", [BRONZE, SILVER, GOLD])
def test_a_log_that_is_lost_while_a_table_holds_rows(table):
    assert found({table: State(table, 1, holds_files=True)}, []) == [(LOG, guards.LOST_BRONZE)]
    assert found({table: State(table)}, []) == []  # a first run that was killed while it made the tables


def test_a_killed_run_leaves_bronze_at_most_one_batch_ahead():
    assert found(lake(bronze=3)) == []
    assert found(lake(bronze=4)) == [(LOG, guards.LOST_BRONZE)]


@pytest.mark.parametrize("which", ["silver", "gold"])
def test_silver_and_gold_follow_from_the_log_and_are_never_ahead(which):
    assert found(lake(**{which: 3})) == [(LOG, guards.LOST_BRONZE)]


def test_rows_that_are_gone_from_the_log():
    assert found(lake(log=4)) == [(LOG, guards.LOST_BRONZE)]


def test_what_was_restored_is_named_first():
    restored = State(LOG, 1, is_restored=True, holds_files=True)
    assert found(lake(ops_ingestion_log=restored), [delivery(1)])[0] == (LOG, guards.RESTORED)


def test_bronze_that_is_gone_older_or_empty():
    states = lake()
    del states[BRONZE]
    assert found(states) == [(BRONZE, guards.LOST_BRONZE)]
    assert found(lake(bronze=1)) == [(BRONZE, guards.LOST_BRONZE)]
    assert found(lake(bronze_gas=State(BRONZE, 2))) == [(BRONZE, guards.LOST_BRONZE)]


def test_what_an_unfinished_erasure_took_out_is_not_lost():
    assert found(lake(bronze_gas=State(BRONZE, 2)), erasing=True) == []


def test_a_refused_delivery_has_no_rows_in_bronze():
    assert found({LOG: State(LOG, 1, holds_files=True)}, [delivery(1, status=REJECTED)]) == []
    settled = delivery(1, status=WITHDRAWN, reason_code="EMPTY_FILE")
    assert found({LOG: State(LOG, 1, holds_files=True)}, [settled]) == []


@pytest.mark.parametrize("table", [SILVER, GOLD])
def test_an_empty_table_that_says_it_is_complete(table):
    assert found(lake(**{table.replace(".", "_", 1): State(table, 2)})) == [(table, guards.LOST_DERIVED)]


def test_silver_that_has_yet_to_take_the_batch_is_not_empty_by_a_fault():
    assert found(lake(silver_readings=State(SILVER, 0), gold_meter_day=State(GOLD, 0))) == []


def test_nothing_is_missing_where_all_was_withdrawn_or_erased():
    empty = {"silver_readings": State(SILVER, 2), "gold_meter_day": State(GOLD, 2)}
    assert found(lake(**empty), [delivery(1, status=WITHDRAWN, rows_read=2), delivery(2, rows_erased=1)]) == []


def test_one_of_the_references_tables_may_be_empty_all_three_may_not():
    known = [delivery(1, REFERENCE, local_dates=())]
    tables = ("bronze.agreement", "bronze.product", "bronze.meterpoint")
    some = {LOG: State(LOG, 1, holds_files=True)} | {
        name: State(name, 1, holds_files=name == tables[0]) for name in tables
    }
    assert found(some, known) == []
    none = some | {tables[0]: State(tables[0], 1)}
    assert found(none, known) == [("bronze.agreement", guards.LOST_BRONZE)]


def test_progress_that_is_no_longer_in_the_history_matters_where_it_cannot_be_derived():
    aged = {"has_progress": False, "holds_files": True}
    assert found(lake(silver_readings=State(SILVER, **aged)))[0] == (SILVER, guards.NO_PROGRESS)
    assert found(lake(gold_meter_day=State(GOLD, **aged))) == []


def test_bronze_that_no_longer_says_its_progress_is_not_taken_for_one_of_an_older_backup():
    untold = State(BRONZE, has_progress=False, holds_files=True)
    assert found(lake(bronze_gas=untold)) == [(BRONZE, guards.NO_PROGRESS)]
    assert found(lake(bronze_gas=untold), [delivery(1, status=REJECTED), delivery(2, status=REJECTED)]) == []
