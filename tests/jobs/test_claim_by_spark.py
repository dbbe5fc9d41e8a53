"""Two writers where only Spark writes: a log with a newer feature, like every table of a catalog."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline import formats
from pipeline.errors import BusyLakeError, OvertakenError
from pipeline.lake import access, claim, maintenance, tables
from pipeline.lake.catalog.writes import CatalogWrites
from tests.jobs.conftest import GAS

pytestmark = pytest.mark.slow  # whole runs of every command, one after the other: `make test-platform`

LOG, READINGS = tables.INGESTION_LOG, tables.READINGS


@pytest.fixture
def run(request, spark):
    """A function to the context of a run that has looked at the claims, as `recorded` does."""
    new = request.getfixturevalue("lake")
    made = new(GAS)
    maintenance.create_missing(made, formats.lake_tables(made.settings))
    for table in (LOG, READINGS):
        where = tables.address(made.settings, table)
        spark.sql(f"ALTER TABLE delta.`{where}` SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")

    def one():
        context = new(GAS)
        context.claimed_before = claim.newest(access.mark(context, LOG))
        return context

    return one


def take(context):
    claim.take(context, [READINGS])
    return context


def test_a_run_that_was_overtaken_is_refused_where_delta_skips_its_commit_silently(run):
    stalled = take(run())
    other = take(run())
    before = access.version(other, READINGS)
    nothing = access.read(stalled, READINGS)
    with pytest.raises(OvertakenError):
        access.append(stalled, READINGS, nothing, {"batch_id": 2})
    with pytest.raises(OvertakenError):
        access.merge_latest(stalled, READINGS, nothing, {"gas": []}, {"batch_id": 2})
    with pytest.raises(OvertakenError):
        access.delete_matching(stalled, READINGS, ["file_id"], pa.table({"file_id": pa.array([1], pa.int64())}))
    # The driver's own look at the table comes first; in a catalog there is none.
    by_spark = CatalogWrites(stalled, access.lake_of(stalled).facts)
    with pytest.raises(OvertakenError):
        by_spark.delete(READINGS, "file_id = 1", {"batch_id": 2})
    assert access.version(other, READINGS) == before
    access.append(other, READINGS, nothing, {"batch_id": 2})
    assert access.done_to(other, READINGS) == 2


def test_of_two_that_looked_at_the_same_moment_one_claims(run):
    first, second = run(), run()
    take(first)
    with pytest.raises(BusyLakeError):
        take(second)
    assert claim.newest(access.mark(first, LOG)).run_id == first.run_id


def test_what_the_run_before_wrote_into_the_log_between_look_and_claim_stays_known(run):
    stalled, other = take(run()), run()
    batches = [7]

    def meanwhile():
        if batches:
            access.write_rows(stalled, LOG, [], {"batch_id": batches.pop(), "acknowledge": {"gas": 7}})

    other.before_commit = meanwhile
    take(other)
    found = access.mark(other, LOG)
    assert (found["batch_id"], found["acknowledge"]) == (7, {"gas": 7})
    assert claim.newest(found).run_id == other.run_id
    with pytest.raises(OvertakenError):
        access.write_rows(stalled, LOG, [], {"batch_id": 8})
