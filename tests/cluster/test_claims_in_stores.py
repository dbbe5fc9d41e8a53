"""The claim's own tests on object stores: of two commits of one version the store itself lets only one be."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager

import pytest

from pipeline import formats
from pipeline.config.settings import Settings
from pipeline.lake import access, claim, maintenance, tables
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.cluster.azure import Azure
from tests.cluster.google import VARIABLE, Google
from tests.cluster.servers import Store, stop
from tests.cluster.test_failures_abroad import bucket
from tests.unit.lake.test_claim import (
    FEED,
    test_a_claim_that_was_given_back_is_not_taken_over,
    test_a_log_that_was_restored_has_the_next_run_claim_above_all_that_others_made,
    test_a_run_that_stalled_and_was_overtaken_fails_at_its_next_commit_of_any_table,
    test_of_many_at_once_one_claims,
    test_of_two_that_looked_at_the_same_moment_one_claims,
    test_what_was_under_way_when_another_took_over_conflicts,
)

__all__ = [
    "test_a_claim_that_was_given_back_is_not_taken_over",
    "test_a_log_that_was_restored_has_the_next_run_claim_above_all_that_others_made",
    "test_a_run_that_stalled_and_was_overtaken_fails_at_its_next_commit_of_any_table",
    "test_of_many_at_once_one_claims",
    "test_of_two_that_looked_at_the_same_moment_one_claims",
    "test_what_was_under_way_when_another_took_over_conflicts",
]
pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]


@contextmanager
def azure(folder, name):
    """(the URI of a new bucket, the variables that lead delta-rs to it)."""
    with closing(Azure(folder)) as store:
        yield store.container(name), store.variables


@contextmanager
def google(folder, name):
    """The same."""
    with closing(Google(folder)) as store:
        yield f"gs://{store.bucket(name)}", {VARIABLE: store.account()}


@contextmanager
def s3(folder, name):
    """The same."""
    store = Store(folder)
    try:
        bucket(store, name)
        yield f"s3a://{name}", store.variables
    finally:
        stop(store.process)


@pytest.fixture(scope="module", params=[azure, google, s3], ids=lambda store: store.__name__)
def place(request, tmp_path_factory):
    """A folder of a store, which this process's variables lead to."""
    folder, name = tmp_path_factory.mktemp("store"), f"claims-{time.time_ns()}"
    with request.param(folder, name) as (uri, variables), pytest.MonkeyPatch.context() as patch:
        for variable, value in variables.items():
            patch.setenv(variable, value)
        yield uri


@pytest.fixture
def run(place):
    """A function to the context of a run on this test's lake that has looked at the claims, as `recorded` does."""
    settings = Settings(lake=f"{place}/{time.time_ns()}", feeds=(FEED,))
    maintenance.create_missing(Context(settings, log=Log("", quiet=True)), formats.lake_tables(settings))

    def one():
        context = Context(settings, log=Log("", quiet=True))
        context.claimed_before = claim.newest(access.mark(context, tables.INGESTION_LOG))
        return context

    return one
