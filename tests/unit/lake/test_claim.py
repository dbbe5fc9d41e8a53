"""Two writers without a lock: only one claims the lake, and an overtaken run can no longer commit. No Spark."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from deltalake import DeltaTable

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.errors import BusyLakeError, OvertakenError
from pipeline.lake import access, claim, gate, maintenance, tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

FEED = Feed(name="gas", format="smrt", path="gas")
READINGS = tables.READINGS


@pytest.fixture
def run(tmp_path):
    """A function to the context of a run on this test's lake that has looked at the claims, as `recorded` does."""
    settings = Settings(lake=str(tmp_path / "lake"), feeds=(FEED,))
    maintenance.create_missing(Context(settings, log=Log("", quiet=True)), formats.lake_tables(settings))

    def one():
        context = Context(settings, log=Log("", quiet=True))
        context.claimed_before = claim.newest(access.mark(context, tables.INGESTION_LOG))
        return context

    return one


def take(context):
    claim.take(context, formats.lake_tables(context.settings))
    return context


def write(context, batch_id, table=READINGS):
    access.write_rows(context, table, [], {"batch_id": batch_id})


def commit_on(opened, context):
    """The context's commit on a version that it opened before."""
    writes: Any = access.lake_of(context).writes
    writes._append_nothing(opened, READINGS, {"batch_id": 2})


def test_of_two_that_looked_at_the_same_moment_one_claims(run):
    first, second = run(), run()
    take(first)
    with pytest.raises(BusyLakeError):
        take(second)
    assert second.claim is None
    write(first, 1)
    assert access.done_to(first, READINGS) == 1


def test_of_many_at_once_one_claims(run):
    contexts = [run() for _ in range(8)]

    def attempt(context):
        try:
            take(context)
        except BusyLakeError:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, contexts)) == 1


def test_a_run_that_stalled_and_was_overtaken_fails_at_its_next_commit_of_any_table(run):
    stalled = take(run())
    write(stalled, 1)
    other = run()
    assert claim.is_left_open(other)
    take(other)
    for table in (READINGS, tables.METER_DAY, tables.INGESTION_LOG):
        with pytest.raises(OvertakenError):
            write(stalled, 2, table)
    write(other, 2)
    assert access.done_to(other, READINGS) == 2


def test_what_was_under_way_when_another_took_over_conflicts(run):
    stalled = take(run())
    opened = gate.opened(stalled, READINGS)  # it has read the table and is about to commit
    take(run())
    with pytest.raises(Exception, match="Concurrent transaction failed"):
        commit_on(opened, stalled)


def test_a_commit_between_look_and_commit_of_the_run_that_takes_over_stays_known(run):
    stalled, other = take(run()), run()
    batches = [7]

    def meanwhile():
        if batches:
            write(stalled, batches.pop(0))

    other.before_commit = meanwhile  # is called after the look, before the commit
    claim.take(other, [READINGS])
    assert access.done_to(other, READINGS) == 7  # below a mark of before, its rows would never be taken out
    with pytest.raises(OvertakenError):
        write(stalled, 8)


def test_a_run_that_is_overtaken_while_it_takes_over_ends(run):
    take(run())
    second, third = run(), run()
    third.claimed_before.number += 1
    second.before_commit = lambda: claim.take(third, [READINGS])
    with pytest.raises(OvertakenError):
        claim.take(second, [READINGS])


def test_a_claim_that_was_given_back_is_not_taken_over(run):
    first = take(run())
    claim.release(first)
    second = run()
    assert not claim.is_left_open(second)
    before = access.version(second, READINGS)
    take(second)
    assert access.version(second, READINGS) == before
    assert (first.claim.number, second.claim.number) == (1, 2)


def test_with_the_lock_nothing_is_put_on_the_tables_of_a_killed_run(run):
    take(run())
    second = run()
    second.is_alone = True
    before = access.version(second, READINGS)
    take(second)
    assert access.version(second, READINGS) == before


def test_a_lock_says_nothing_of_a_killed_run_by_spark_connect_whose_server_goes_on(run, monkeypatch):
    with monkeypatch.context() as client:
        client.setenv("SPARK_REMOTE", "sc://127.0.0.1")
        killed = run()
        killed.is_alone = True
        take(killed)
    opened = gate.opened(killed, READINGS)  # the server is about to commit
    second = run()
    second.is_alone = True
    assert claim.is_left_open(second)
    take(second)
    with pytest.raises(Exception, match="Concurrent transaction failed"):
        commit_on(opened, killed)


def test_a_run_by_spark_connect_gives_its_claim_back_though_it_has_the_lock(run, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "sc://127.0.0.1")
    first = run()
    first.is_alone = True
    take(first)
    claim.release(first)
    assert not claim.is_left_open(run())
    monkeypatch.delenv("SPARK_REMOTE")  # a run with a JVM of its own needs to give nothing back: the lock is enough
    local = run()
    local.is_alone = True
    claim.release(take(local))
    monkeypatch.setenv("SPARK_REMOTE", "sc://127.0.0.1")
    second = run()
    second.is_alone = True
    assert not claim.is_left_open(second)


def test_a_claim_keeps_what_the_log_says(run):
    context = run()
    access.write_rows(context, tables.INGESTION_LOG, [], {"batch_id": 7, "acknowledge": {"gas": 3}})
    take(context)
    found = access.mark(context, tables.INGESTION_LOG)
    assert (found["batch_id"], found["acknowledge"]) == (7, {"gas": 3})
    write(context, 8, tables.INGESTION_LOG)
    assert claim.newest(access.mark(context, tables.INGESTION_LOG)).run_id == context.run_id


def test_another_tools_commit_between_look_and_claim_is_no_claim(run):
    context = run()
    table = DeltaTable(tables.address(context.settings, tables.INGESTION_LOG))
    table.alter.set_table_properties({"somebody.elses": "1"}, raise_if_not_exists=False)
    take(context)
    assert context.claim.number == 1


def test_a_log_that_was_restored_has_the_next_run_claim_above_all_that_others_made(run):
    for _ in range(3):
        claim.release(take(run()))
    DeltaTable(tables.address(run().settings, tables.INGESTION_LOG)).restore(2)  # after the first claim
    fourth = take(run())
    assert fourth.claim.number == 4
    write(fourth, 1)  # a table that has seen higher numbers would take no lower one
