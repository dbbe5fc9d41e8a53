"""A span of time from the command line, and the days that deliveries divide it into."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.deliveries.delivery import Delivery
from pipeline.deliveries.span import Span
from pipeline.errors import UsageError


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def delivery(modified):
    return Delivery("gas", "x", "in/x", "x", 1, modified)


def test_neither_is_no_span():
    assert Span.of(None, None) is None


def test_days_are_their_midnights_in_utc_and_instants_have_their_offset():
    span = Span.of("2021-03-28", "2021-03-29T02:00:00+02:00")
    assert (span.first, span.end) == (at("2021-03-28 00:00"), at("2021-03-29 00:00"))
    assert str(span) == "--from 2021-03-28 --to 2021-03-29"
    assert str(Span.of("2021-03-28T08:00:00Z", "2021-03-29")) == "--from 2021-03-28T08:00:00Z --to 2021-03-29"


@pytest.mark.parametrize(
    ("first", "end", "said"),
    [
        ("2021-03-28", None, "belong together"),
        (None, "2021-03-28", "belong together"),
        ("2021-03-28", "2021-03-28", "is not before"),
        ("2021-03-29", "2021-03-28", "is not before"),
        ("28.3.2021", "2021-03-28", "--from '28.3.2021' is neither a day"),
        ("2021-02-29", "2021-03-28", "--from '2021-02-29' is neither a day"),
        ("2021-03-28", "2021-03-28T08:00:00", "nor an instant with an offset"),
        ("0001-01-01T00:00:00+10:00", "2021-03-28", "is neither a day"),
    ],
)
def test_what_is_no_span_is_refused(first, end, said):
    with pytest.raises(UsageError, match=said):
        Span.of(first, end)


def test_its_start_is_in_and_its_end_is_not():
    span = Span.of("2021-03-28", "2021-03-29")
    assert span.holds(at("2021-03-28 00:00"))
    assert not span.holds(at("2021-03-29 00:00"))
    assert not span.holds(None)


def test_parts_are_days_with_deliveries_within_the_span():
    span = Span.of("2021-03-28T12:00:00Z", "2021-03-31")
    parts = span.parts([delivery(at("2021-03-30 23:59")), delivery(at("2021-03-28 13:00")), delivery(None)])
    assert [str(part) for part in parts] == [
        "--from 2021-03-28T12:00:00Z --to 2021-03-29",
        "--from 2021-03-30 --to 2021-03-31",
    ]


def test_local_days_are_those_that_its_days_name():
    days = [date(2021, 3, 27), date(2021, 3, 29), date(2021, 3, 28), date(2021, 3, 30)]
    assert Span.of("2021-03-28", "2021-03-30").local_days(days) == [date(2021, 3, 28), date(2021, 3, 29)]
    with pytest.raises(UsageError, match="as days"):
        Span.of("2021-03-28T12:00:00Z", "2021-03-30").local_days(days)


INSTANTS = st.integers(946684800, 2208988800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(INSTANTS, INSTANTS, st.lists(INSTANTS, max_size=8))
def test_the_parts_hold_each_delivery_of_the_span_once_and_no_other(one, other, modified):
    if one == other:
        return
    span = Span(min(one, other), max(one, other))
    inside = [delivery(moment) for moment in modified if span.holds(moment)]
    parts = span.parts(inside)
    assert parts == sorted(parts, key=lambda part: part.first)
    for moment in modified:
        assert sum(part.holds(moment) for part in parts) == span.holds(moment)
