"""Which rows of two tables differ, told by key: what `verify` says of a lake that few rows make."""

from __future__ import annotations

from decimal import Decimal

from jobs.shared.differences import by_key

KEY = ("feed", "meter_id")


def row(meter: str | None, value: str | None, feed: str = "gas") -> dict[str, object]:
    return {"feed": feed, "meter_id": meter, "consumption": None if value is None else Decimal(value)}


def test_equal_rows_differ_nowhere_whatever_their_order() -> None:
    assert by_key([row("1", "1.5"), row("2", None)], [row("2", None), row("1", "1.50")], KEY) == []


def test_another_value_a_missing_row_and_a_row_too_many_come_in_the_order_of_their_keys() -> None:
    should = [row("3", "3"), row("1", "1"), row("2", "2")]
    there = [row("4", "4"), row("2", "2"), row("1", None)]
    assert by_key(should, there, KEY) == [
        {"feed": "gas", "meter_id": "1", "should": row("1", "1"), "there": row("1", None)},
        {"feed": "gas", "meter_id": "3", "should": row("3", "3"), "there": None},
        {"feed": "gas", "meter_id": "4", "should": None, "there": row("4", "4")},
    ]


def test_no_value_is_a_value_of_the_key_and_comes_first() -> None:
    found = by_key([row(None, "1"), row("1", "1")], [row("1", "2"), row(None, "2")], KEY)
    assert [each["meter_id"] for each in found] == [None, "1"]


def test_of_a_key_that_is_there_twice_each_row_is_compared() -> None:
    assert by_key([row("1", "1")], [row("1", "1"), row("1", "1")], KEY) == []
    assert [each["there"] for each in by_key([row("1", "1")], [row("1", "1"), row("1", "2")], KEY)] == [row("1", "2")]
