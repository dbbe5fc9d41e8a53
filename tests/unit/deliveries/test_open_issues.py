"""What needs attention: refusals without a sound replacement, and gaps in the senders' own numbers."""

from __future__ import annotations

import pytest

from pipeline.deliveries.delivery import CONFLICT, DUPLICATE, LOADED, REJECTED, WITHDRAWN, Delivery
from pipeline.deliveries.open_issues import missing_generations, standing_refusals


def logged(number, path, status, code=None, *, generation=None, feed="gas"):
    return Delivery(
        feed, path, f"/in/{path}", path, 1, None, status=status, reason_code=code, file_id=number, generation=generation
    )


def test_a_refusal_remains_until_a_sound_delivery_comes_under_its_path():
    refused = logged(1, "PN1.SMRT", REJECTED, "TRAILER_MISSING")
    assert standing_refusals([refused]) == [{"feed": "gas", "reason_code": "TRAILER_MISSING", "files": 1}]
    assert standing_refusals([refused, logged(2, "PN1.SMRT", LOADED)]) == []
    assert standing_refusals([logged(2, "PN1.SMRT", DUPLICATE), refused]) == []  # in the order of file_id
    assert standing_refusals([logged(0, "PN1.SMRT", LOADED), refused])
    assert standing_refusals([refused, logged(2, "PN1.SMRT", WITHDRAWN, "NOT_UTF8")]) == []  # settled by hand
    assert standing_refusals([refused, logged(2, "PN1.SMRT", WITHDRAWN)])
    other_feed = logged(2, "PN1.SMRT", LOADED, feed="water")
    assert standing_refusals([refused, other_feed])


def test_refusals_are_counted_by_feed_and_the_latest_reason_of_a_path():
    found = standing_refusals(
        [
            logged(1, "a", REJECTED, "EMPTY_FILE"),
            logged(2, "a", REJECTED, "NOT_UTF8"),
            logged(3, "b", REJECTED, "NOT_UTF8"),
            logged(4, "c", CONFLICT, "CHANGED_AFTER_LOADING"),
        ]
    )
    assert found == [
        {"feed": "gas", "reason_code": "CHANGED_AFTER_LOADING", "files": 1},
        {"feed": "gas", "reason_code": "NOT_UTF8", "files": 2},
    ]


@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [
        ([], []),
        ([5], []),
        ([2, 1, 3], []),
        ([1, 3], [("PN000002", "PN000002", 1)]),
        ([10, 1, 5], [("PN000002", "PN000004", 3), ("PN000006", "PN000009", 4)]),
        ([0, 999999], [("PN000001", "PN999998", 999998)]),
    ],
)
def test_numbers_between_the_lowest_and_the_highest_that_never_came(numbers, gaps):
    log = [logged(n, f"{n}.SMRT", LOADED, generation=f"PN{number:06d}") for n, number in enumerate(numbers)]
    found = [(gap["first"], gap["last"], gap["count"]) for gap in missing_generations(log)]
    assert found == gaps


def test_a_number_that_was_only_refused_is_no_end_of_the_sequence():
    log = [logged(n, f"{n}.SMRT", LOADED, generation=f"PN{n:06d}") for n in (1, 5)]
    log += [logged(6, "x", WITHDRAWN, "NAME_MISMATCH", generation="PN000800")]
    log += [logged(n, "y", WITHDRAWN, "WRONG_ENVIRONMENT", generation=f"DV{n:06d}") for n in (1, 100)]
    assert [(gap["first"], gap["last"]) for gap in missing_generations(log)] == [("PN000002", "PN000004")]
    log += [logged(7, "z", WITHDRAWN, "TRAILER_MISSING", generation="PN000003")]
    found = [(gap["first"], gap["last"]) for gap in missing_generations(log)]
    assert found == [("PN000002", "PN000002"), ("PN000004", "PN000004")]


@pytest.mark.parametrize(
    ("never_sent", "gaps"),
    [
        ([("gas", "PN000003")], [("PN000002", "PN000002"), ("PN000004", "PN000004")]),
        ([("gas", "PN000002-PN000004")], []),
        ([("gas", "PN000000-PN000003"), ("gas", "PN000004-PN999999")], []),
        ([("water", "PN000003"), ("gas", "DV000003")], [("PN000002", "PN000004")]),
        ([("gas", "PN000007-PN000009")], [("PN000002", "PN000004")]),
    ],
)
def test_numbers_that_were_never_used_are_not_missing(never_sent, gaps):
    log = [logged(n, f"{n}.SMRT", LOADED, generation=f"PN{number:06d}") for n, number in enumerate([1, 5])]
    assert [(gap["first"], gap["last"]) for gap in missing_generations(log, never_sent)] == gaps


def test_a_refused_delivery_leaves_its_gap_and_a_withdrawn_one_none():
    log = [
        logged(1, "1", LOADED, generation="PN000001"),
        logged(2, "2", REJECTED, "TRAILER_NOT_LAST", generation="PN000002"),
        logged(3, "3", WITHDRAWN, generation="PN000003"),
        logged(4, "4", LOADED, generation="PN000004"),
        logged(5, "5", LOADED, generation="DV000009"),  # a series of its own
        logged(6, "6.json", LOADED, feed="electricity"),
    ]
    assert missing_generations(log) == [{"feed": "gas", "first": "PN000002", "last": "PN000002", "count": 1}]
