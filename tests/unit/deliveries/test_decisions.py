"""What becomes of a delivery: loaded, rejected, duplicate, conflict, or no delivery at all (contract, section 3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.deliveries.decisions import History, decide
from pipeline.deliveries.delivery import Delivery

DAY = datetime(2021, 1, 1, tzinfo=UTC)


def file(path, sha, *, hour=0, created=None, generation=None, code=None, size=1):
    """A file that was found and inspected; `code` when the inspection refused it."""
    name, modified = path.rsplit("/", 1)[-1], DAY + timedelta(hours=hour)
    created_at = None if created is None else DAY + timedelta(hours=created)
    delivery = Delivery("feed", name, f"landing/{path}", path, size, modified, sha, created_at=created_at)
    delivery = replace(delivery, generation=generation, rows_read=7)
    return delivery.refused(code, "because") if code else delivery


class Log:
    """The log of one feed: `run` decides the files found, as a run would, and remembers."""

    def __init__(self, *, by_name):
        self.by_name = by_name
        self.rows = []

    def run(self, *files):
        """(path, status, reason_code) of each delivery decided, in order."""
        new = decide(files, History.of(self.rows), by_name=self.by_name)
        self.rows += [replace(each, file_id=len(self.rows) + n) for n, each in enumerate(new, start=1)]
        return [(each.relative_path, each.status, each.reason_code) for each in new]


@pytest.fixture
def smrt():
    return Log(by_name=True)


@pytest.fixture
def json_log():
    return Log(by_name=False)


CONFLICT = "CHANGED_AFTER_LOADING"


def test_a_new_sound_file_is_loaded_and_a_broken_one_rejected_with_its_code(smrt):
    decided = smrt.run(file("a.SMRT", "A"), file("b.SMRT", "B", code="TRAILER_MISSING"))
    assert decided == [("a.SMRT", "loaded", None), ("b.SMRT", "rejected", "TRAILER_MISSING")]


@pytest.mark.parametrize("by_name", [True, False])
def test_a_decided_file_that_is_touched_is_no_delivery(by_name):
    log = Log(by_name=by_name)
    log.run(file("a", "A"), file("b", "B", code="EMPTY_FILE"))
    assert log.run(file("a", "A", hour=1), file("b", "B", hour=2, code="EMPTY_FILE")) == []
    assert log.run(file("a", "A", hour=3), file("b", "B", hour=4, code="EMPTY_FILE")) == []


@pytest.mark.parametrize("by_name", [True, False])
def test_a_rejected_name_comes_back_corrected_and_is_loaded(by_name):
    log = Log(by_name=by_name)
    log.run(file("a", "cut", code="TRAILER_MISSING"))
    assert log.run(file("a", "whole", hour=1)) == [("a", "loaded", None)]


@pytest.mark.parametrize("by_name", [True, False])
def test_a_rejected_name_that_comes_back_broken_otherwise_is_rejected_again(by_name):
    log = Log(by_name=by_name)
    log.run(file("a", "cut", code="TRAILER_MISSING"))
    assert log.run(file("a", "empty", hour=1, code="EMPTY_FILE")) == [("a", "rejected", "EMPTY_FILE")]
    assert log.run(file("a", "cut", hour=2, code="TRAILER_MISSING")) == [("a", "rejected", "TRAILER_MISSING")]


@pytest.mark.parametrize("by_name", [True, False])
def test_a_refusal_that_was_settled_is_not_decided_again_and_bars_nothing(by_name):
    log = Log(by_name=by_name)
    log.run(file("a", "A"), file("b", "B", code="EMPTY_FILE"), file("c", None, code="UNREADABLE"))
    log.rows[1:] = [replace(each, status="withdrawn", reason=f"{each.reason}; withdrawn") for each in log.rows[1:]]
    again = [file("b", "B", hour=1, code="EMPTY_FILE"), file("c", None, code="UNREADABLE")]
    assert log.run(*again) == []
    history = History.of(log.rows)
    assert history.is_unchanged(file("c", None, code="UNREADABLE"))
    assert history.touched(again[0]) == replace(log.rows[1], modified_at=again[0].modified_at)
    assert log.run(file("d/b", "B", hour=2, code="EMPTY_FILE")) == [("d/b", "rejected", "EMPTY_FILE")]
    assert log.run(file("b", "whole", hour=3)) == [("b", "loaded", None)]


def test_a_conflict_that_was_settled_does_not_come_back(smrt):
    smrt.run(file("a.SMRT", "A"))
    smrt.run(file("a.SMRT", "other", hour=1))
    smrt.rows[1] = replace(smrt.rows[1], status="withdrawn")
    assert smrt.run(file("a.SMRT", "other", hour=2)) == []
    assert smrt.run(file("again/a.SMRT", "other", hour=3)) == []
    assert smrt.run(file("a.SMRT", "a third", hour=4)) == [("a.SMRT", "conflict", CONFLICT)]


def test_what_was_refused_and_settled_comes_as_a_conflict_when_the_name_is_loaded_since(smrt):
    smrt.run(file("a.SMRT", "cut", code="TRAILER_MISSING"))
    smrt.rows[0] = replace(smrt.rows[0], status="withdrawn")
    smrt.run(file("a.SMRT", "whole", hour=1))
    assert smrt.run(file("a.SMRT", "cut", hour=2)) == [("a.SMRT", "conflict", CONFLICT)]


def test_old_bytes_put_back_are_read_once_and_then_known(smrt):
    smrt.run(file("a.SMRT", "A"))
    smrt.run(file("a.SMRT", "other", hour=1))
    back = file("a.SMRT", "A", hour=2)
    assert smrt.run(back) == []
    assert not History.of(smrt.rows).is_unchanged(back, by_name=True)
    noted = History.of(smrt.rows).touched(back)
    assert noted == replace(smrt.rows[0], modified_at=back.modified_at)
    smrt.rows[0] = noted
    assert History.of(smrt.rows).is_unchanged(back, by_name=True)
    assert not History.of(smrt.rows).is_unchanged(back)  # for a path, changed content is a new delivery each time


def test_the_same_bytes_under_a_loaded_name_in_another_folder_are_a_duplicate_once(smrt):
    smrt.run(file("a.SMRT", "A"))
    assert smrt.run(file("again/a.SMRT", "A")) == [("again/a.SMRT", "duplicate", None)]
    assert smrt.run(file("again/a.SMRT", "A", hour=1), file("a.SMRT", "A", hour=1)) == []
    assert smrt.run(file("third/a.SMRT", "A")) == [("third/a.SMRT", "duplicate", None)]


def test_the_same_bytes_under_another_name_are_not_a_duplicate(smrt, json_log):
    smrt.run(file("a.SMRT", "A"))
    assert smrt.run(file("b.SMRT", "A")) == [("b.SMRT", "loaded", None)]
    json_log.run(file("a.json", "A"))
    assert json_log.run(file("b/a.json", "A")) == [("b/a.json", "loaded", None)]


@pytest.mark.parametrize("code", [None, "TRAILER_MISSING", "NOT_UTF8", "NAME_MISMATCH"])
@pytest.mark.parametrize("path", ["a.SMRT", "again/a.SMRT"])
def test_a_loaded_name_with_other_bytes_sound_or_broken_is_a_conflict(smrt, path, code):
    smrt.run(file("a.SMRT", "A"))
    assert smrt.run(file(path, "B", hour=1, code=code)) == [(path, "conflict", CONFLICT)]


def test_a_conflict_is_logged_once_for_its_bytes(smrt):
    smrt.run(file("a.SMRT", "A"))
    smrt.run(file("a.SMRT", "B", hour=1))
    assert smrt.run(file("a.SMRT", "B", hour=2)) == []
    assert smrt.run(file("again/a.SMRT", "B", hour=3)) == []
    assert smrt.run(file("a.SMRT", "C", hour=4)) == [("a.SMRT", "conflict", CONFLICT)]
    assert smrt.run(file("a.SMRT", "B", hour=5)) == []


def test_old_bytes_put_back_after_a_conflict_are_no_delivery(smrt):
    smrt.run(file("a.SMRT", "A"))
    smrt.run(file("a.SMRT", "B", hour=1))
    assert smrt.run(file("a.SMRT", "A", hour=2)) == []


def test_bytes_that_were_rejected_before_the_name_was_loaded_are_a_conflict_after(smrt):
    smrt.run(file("a.SMRT", "cut", code="TRAILER_MISSING"))
    smrt.run(file("a.SMRT", "A", hour=1))
    assert smrt.run(file("a.SMRT", "cut", hour=2, code="TRAILER_MISSING")) == [("a.SMRT", "conflict", CONFLICT)]


def test_of_two_files_of_one_name_in_one_run_the_first_in_order_is_loaded(smrt):
    same = [file("z/a.SMRT", "A", created=1), file("b/a.SMRT", "A", created=1)]
    assert smrt.run(*same) == [("b/a.SMRT", "loaded", None), ("z/a.SMRT", "duplicate", None)]
    other = [file("b/c.SMRT", "C", created=2), file("z/c.SMRT", "D", created=1)]
    assert smrt.run(*other) == [("z/c.SMRT", "loaded", None), ("b/c.SMRT", "conflict", CONFLICT)]


def test_a_broken_file_that_comes_first_does_not_stand_in_the_way_of_a_sound_one_of_its_name(smrt):
    found = [file("z/a.SMRT", "A", created=2), file("b/a.SMRT", "cut", created=1, code="TRAILER_MISSING")]
    assert smrt.run(*found) == [("b/a.SMRT", "rejected", "TRAILER_MISSING"), ("z/a.SMRT", "loaded", None)]


def test_changed_content_of_a_path_is_a_new_delivery_and_an_old_one_comes_back_as_one(json_log):
    assert json_log.run(file("a.json", "A")) == [("a.json", "loaded", None)]
    assert json_log.run(file("a.json", "B", hour=1)) == [("a.json", "loaded", None)]
    assert json_log.run(file("a.json", "A", hour=2)) == [("a.json", "loaded", None)]


def test_a_duplicate_is_compared_with_the_last_loaded_one_of_its_path(json_log):
    json_log.run(file("a.json", "A"))
    json_log.run(file("a.json", "broken", hour=1, code="MALFORMED_JSON"))
    assert json_log.run(file("a.json", "A", hour=2)) == [("a.json", "duplicate", None)]
    assert json_log.run(file("a.json", "A", hour=3)) == []
    assert json_log.run(file("a.json", "B", hour=4)) == [("a.json", "loaded", None)]


@pytest.mark.parametrize("by_name", [True, False])
def test_a_file_that_cannot_be_read_is_logged_once_and_loaded_when_it_can_be_read(by_name):
    log = Log(by_name=by_name)
    assert log.run(file("a", None, code="UNREADABLE")) == [("a", "rejected", "UNREADABLE")]
    assert not History.of(log.rows).is_unchanged(file("a", None))
    assert log.run(file("a", None, code="UNREADABLE")) == []
    assert log.run(file("a", "A")) == [("a", "loaded", None)]


@pytest.mark.parametrize("by_name", [True, False])
def test_a_decided_file_of_the_same_size_and_time_need_not_be_read(by_name):
    log = Log(by_name=by_name)
    log.run(file("a", "A"), file("b", "B", code="EMPTY_FILE"))
    history = History.of(log.rows)
    assert history.is_unchanged(file("a", None))
    assert history.is_unchanged(file("b", None))
    assert not history.is_unchanged(file("a", None, hour=1))
    assert not history.is_unchanged(file("a", None, size=2))
    assert not history.is_unchanged(file("c", None))


def test_smrt_deliveries_are_in_the_order_of_creation_then_generation_then_path(smrt):
    found = [
        file("c/PN000001.SMRT", "1", created=2, generation="PN000001", hour=0),
        file("a/PN000003.SMRT", "2", created=1, generation="PN000003", hour=9),
        file("b/PN000002.SMRT", "3", created=1, generation="PN000002", hour=9),
    ]
    assert [path for path, *_ in smrt.run(*found)] == ["b/PN000002.SMRT", "a/PN000003.SMRT", "c/PN000001.SMRT"]


def test_other_deliveries_are_in_the_order_of_modification_then_path(json_log):
    found = [file("a.json", "1", hour=3), file("c.json", "2", hour=1), file("b.json", "3", hour=1)]
    assert [path for path, *_ in json_log.run(*found)] == ["b.json", "c.json", "a.json"]


def test_what_is_not_loaded_counts_no_rows(smrt):
    smrt.run(file("a.SMRT", "A"))
    smrt.run(file("b/a.SMRT", "A"), file("c/a.SMRT", "C"), file("d.SMRT", "D", code="TRAILER_MISSING"))
    counts = {each.status: (each.rows_read, each.rows_accepted, each.rows_rejected) for each in smrt.rows[1:]}
    assert counts == {"duplicate": (0, 0, 0), "conflict": (0, 0, 0), "rejected": (0, 0, 0)}


def test_a_duplicate_and_a_conflict_name_the_delivery_that_was_loaded(smrt):
    smrt.run(file("in/a.SMRT", "A"))
    smrt.run(file("b/a.SMRT", "A"), file("c/a.SMRT", "C"))
    assert all("file 1 (in/a.SMRT)" in each.reason for each in smrt.rows[1:])
