"""How far a table is complete, by its commits: those of others are ignored, and a RESTORE goes back in time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.lake import progress

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)


def commit(version, note=None, **more):
    """A commit of that version, made so many minutes after midnight."""
    result = int(MIDNIGHT.timestamp() * 1000) + version * 60_000
    return {"version": version, "timestamp": result, "operation": "WRITE", "userMetadata": note} | more


def ours(version, batch_id):
    return commit(version, progress.text_of({"batch_id": batch_id}))


def restore(number, **parameters):
    return commit(number, operation="RESTORE", operationParameters=parameters)


@pytest.mark.parametrize(
    "note",
    [
        "weekly maintenance",
        '{"job":"x"}',
        '{"batch_id": 3}',
        '{"meterlake": 3}',
        "[1]",
        "7",
        '"x"',
        "{",
        "",
        None,
    ],
)
def test_what_others_write_into_their_commits_is_passed_over(note):
    assert progress.found([commit(2, note), ours(1, 7)]) == progress.Progress({"batch_id": 7})


@pytest.mark.parametrize(
    ("note", "batch_id"),
    [('{"batch_id": 4}', 4), ('{"run_id": "a"}', 0), ('{"job": "x"}', None), ('{"batch_id": "4"}', None)],
)
def test_marks_of_a_lake_that_no_run_brought_forward_are_known_by_what_they_say(note, batch_id):
    result = progress.found([commit(1, note)], old_form=True)
    assert (result and result.batch_id) == batch_id
    assert progress.found([commit(1, note)]) is None


def test_no_commit_of_ours_is_no_progress():
    assert progress.found([commit(1), commit(0)]) is None
    assert progress.found([]) is None


def test_a_restore_brings_back_the_mark_of_then_and_what_it_took_back_is_known():
    commits = [restore(3, version="1"), ours(2, 9), ours(1, 5), commit(0)]
    result = progress.found(commits)
    assert (result.batch_id, result.taken_back, result.is_restored) == (5, 9, True)


@pytest.mark.parametrize(
    "asked",
    [
        {"version": 1},
        {"version": None, "timestamp": "2026-01-01 00:01:30"},
        {"timestamp": "2026-01-01T00:01:30+00:00"},
        {"datetime": "2026-01-01T01:01:30+01:00"},
    ],
)
def test_spark_and_delta_rs_name_the_version_by_number_or_time(asked):
    assert progress.found([restore(3, **asked), ours(2, 9), ours(1, 5)]).batch_id == 5


def test_of_a_restore_that_says_nothing_nothing_is_believed():
    commits = [restore(3), ours(2, 9), ours(1, 5)]
    assert progress.found(commits) is None  # the version may be further back
    result = progress.found(commits, is_whole=True)
    assert (result.mark, result.is_restored) == ({}, True)


def test_restored_to_its_beginning_a_table_has_lost_all_its_progress():
    assert progress.found([restore(2, version="0"), ours(1, 5), commit(0)], is_whole=True).is_restored


def test_restored_forward_again_nothing_is_missing():
    commits = [restore(4, version="2"), restore(3, version="1"), ours(2, 9), ours(1, 5)]
    result = progress.found(commits)
    assert (result.batch_id, result.is_restored) == (9, False)


def test_restored_twice_it_is_still_behind():
    commits = [restore(4, version="1"), restore(3, version="1"), ours(2, 9), ours(1, 5)]
    assert progress.found(commits).is_restored


def test_a_restore_to_before_a_maintenance_is_none_of_its_progress():
    assert not progress.found([restore(3, version="1"), ours(2, 5), ours(1, 5)]).is_restored


def test_a_restore_takes_no_claim_back():
    first, second = ({"number": number, "run_id": "r", "released": True} for number in (1, 2))
    marks = [{"batch_id": 5, "claim": claim} for claim in (first, second)]
    commits = [restore(3, version="1"), *(commit(n, progress.text_of(marks[n - 1])) for n in (2, 1))]
    result = progress.found(commits)
    assert (result.mark, result.is_restored) == ({"batch_id": 5, "claim": second}, False)


def test_a_commit_of_ours_above_a_restore_counts():
    assert progress.found([ours(4, 9), restore(3, version="1"), ours(2, 9), ours(1, 5)]).batch_id == 9


def test_sparks_times_are_instants():
    spark = [
        commit(3, operation="RESTORE", operationParameters={"version": None, "timestamp": "2026-01-01 00:01:30.0"}),
        ours(2, 9) | {"timestamp": datetime(2026, 1, 1, 0, 2)},  # noqa: DTZ001 - as Spark hands it over
        ours(1, 5) | {"timestamp": datetime(2026, 1, 1, 0, 1)},  # noqa: DTZ001
    ]
    assert progress.found(spark).batch_id == 5
