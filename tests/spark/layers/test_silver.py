"""Bronze rows, judged, become one reading a key: the latest received (contract, section 4)."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime

import pytest
from chispa import assert_df_equality

from pipeline.config.feeds import Feed
from pipeline.formats.judged import counts, summary
from pipeline.lake import tables
from pipeline.layers import silver

POWER = Feed(name="power", format="split_json", path="landing", time_zone="Europe/London", unit="Wh")
JUDGED = (
    "meter_id string, direction string, interval_start timestamp, interval_minutes int, local_date date, "
    "consumption decimal(18,6), quality string, file_id bigint, row_number bigint, batch_id bigint, reason_code string, "
    "reason string, raw string, is_repeated boolean"
)
NOON = "2021-01-01 12:00:00"


def row(meter, value, file, number, *, at=NOON, direction="import", quality=None, code=None, repeated=False):
    reason = code and "because"
    day = at[:10]
    return (meter, direction, at, 30, day, value, quality, file, number, 9, code, reason, f"{meter},{value}", repeated)


@pytest.fixture
def current(frame, as_rows):
    """A function from judged rows to (meter, direction, start, consumption, file, row) of each current reading."""

    def readings(*rows):
        found = silver.current_readings(
            frame(JUDGED, *rows), POWER, {1: 9}, many_readings_per_row=False, carries_quality=True
        )
        return as_rows(found, "meter_id", "direction", "interval_start", "consumption", "file_id", "row_number")

    return readings


def test_the_highest_file_wins_and_in_it_the_highest_row_whatever_order_they_stand_in(current):
    assert current(
        row("a", "1", 1, 9),
        row("a", "2", 2, 3),
        row("a", "3", 2, 10),
        row("a", "4", 1, 10),
        row("b", "5", 2, 1),
        row("b", "6", 10, 1),
        row("b", "7", 9, 2),
        row("c", "8", 1, 2**31 - 1),
        row("c", "9", 2, 1),
        row("d", "10", 2**31, 2),
        row("d", "11", 2**31 - 1, 2**31 - 1),
    ) == [
        ("a", "import", NOON, "3.000000", "2", "10"),
        ("b", "import", NOON, "6.000000", "10", "1"),
        ("c", "import", NOON, "9.000000", "2", "1"),
        ("d", "import", NOON, "10.000000", str(2**31), "2"),
    ]


def test_meter_direction_and_start_make_the_key(current):
    later = "2021-01-01 12:30:00"
    readings = current(
        row("a", "1", 1, 1), row("a", "2", 1, 2, direction="export"), row("a", "3", 1, 3, at=later), row("A", "4", 1, 4)
    )
    assert readings == [
        ("A", "import", NOON, "4.000000", "1", "4"),
        ("a", "export", NOON, "2.000000", "1", "2"),
        ("a", "import", NOON, "1.000000", "1", "1"),
        ("a", "import", later, "3.000000", "1", "3"),
    ]


def test_the_key_need_not_hold_the_one_direction_of_a_feed(frame, as_rows):
    judged = frame(
        JUDGED, row("a", "1", 1, 1), row("a", "2", 1, 2), row("b", "3", 2, 1), row("b", "-1", 3, 1, code="X")
    )
    both = [
        silver.current_readings(
            judged, POWER, {1: 9}, many_readings_per_row=False, carries_quality=True, one_direction=one
        )
        for one in (False, True)
    ]
    assert both[0].columns == both[1].columns
    assert as_rows(both[0]) == as_rows(both[1])
    assert as_rows(both[1], "meter_id", "direction", "consumption") == [
        ("a", "import", "2.000000"),
        ("b", "import", "3.000000"),
    ]


def test_a_rejected_row_never_wins(current):
    readings = current(
        row("a", "1", 1, 1), row("a", "-2", 2, 1, code="CONSUMPTION_NEGATIVE"), row("b", None, 3, 1, code="X")
    )
    assert readings == [("a", "import", NOON, "1.000000", "1", "1")]


@pytest.mark.parametrize("carries_quality", [True, False])
def test_all_of_a_reading_comes_from_the_row_that_won(frame, carries_quality):
    old = "estimated" if carries_quality else None
    rows = frame(JUDGED, row("a", "1", 1, 1, quality=old), row("a", "0", 2, 7))
    found = silver.current_readings(rows, POWER, {1: 9}, many_readings_per_row=False, carries_quality=carries_quality)
    won = ("power", "a", "import", NOON, 30, "2021-01-01", "0.000000", "Wh", None, 2, 7, 9)
    assert_df_equality(found, frame(tables.READINGS.schema, won), ignore_nullable=True)


def test_of_many_rows_in_any_order_one_a_key_is_left_and_it_is_the_latest(current):
    dice = random.Random(7)
    rows = [(f"m{dice.randrange(20)}", dice.randrange(1, 12), number) for number in range(1, 400)]
    dice.shuffle(rows)
    latest = {}
    for meter, file, number in rows:
        latest[meter] = max(latest.get(meter, (0, 0)), (file, number))
    readings = current(*(row(meter, file * 1000 + number, file, number) for meter, file, number in rows))
    assert readings == sorted(
        (meter, "import", NOON, f"{file * 1000 + number}.000000", str(file), str(number))
        for meter, (file, number) in latest.items()
    )


def test_a_reading_has_the_batch_of_its_delivery(frame, as_rows):
    rows = frame(JUDGED, row("a", "1", 3, 1), row("b", "1", 4, 1), row("c", "1", 6, 1), row("d", "1", 9, 1))
    batches = {3: 1, 4: 2, 6: 2, 9: 5}
    found = silver.current_readings(rows, POWER, batches, many_readings_per_row=False, carries_quality=False)
    assert as_rows(found, "meter_id", "batch_id") == [("a", "1"), ("b", "2"), ("c", "2"), ("d", "5")]


SEVERAL = JUDGED + ", position int"


def test_elements_of_one_row_that_break_one_rule_are_one_rejected_row(frame, as_rows):
    bad = row("a", "-1", 1, 1, code="CONSUMPTION_NEGATIVE")
    rows = frame(
        SEVERAL,
        (*bad[:11], "fourth", "[raw]", False, 4),
        (*bad[:11], "second", "[raw]", False, 2),
        (*row("a", "1", 1, 1), 3),
        (*row("a", "1", 1, 1, code="NONEXISTENT_POSITION"), 9),
        (*bad[:8], 2, *bad[9:11], "alone", "[other]", False, 1),
    )
    found = silver.rejected_readings(rows, "power", datetime(2021, 1, 2, tzinfo=UTC), many_readings_per_row=True)
    assert found.columns == tables.REJECTED.names
    assert as_rows(found, "row_number", "reason_code", "reason", "raw") == [
        ("1", "CONSUMPTION_NEGATIVE", "second (and 1 more)", "[raw]"),
        ("1", "NONEXISTENT_POSITION", "because", "a,1"),
        ("2", "CONSUMPTION_NEGATIVE", "alone", "[other]"),
    ]


def test_the_summary_counts_a_row_of_several_readings_once(frame, as_rows):
    rows = frame(
        SEVERAL,
        (*row("a", "1", 1, 1), 0),
        (*row("a", "2", 1, 1, at="2021-01-02 00:00:00"), 1),
        (*row("a", None, 1, 1, code="CONSUMPTION_INVALID"), 2),
        (*row("a", None, 1, 2), 0),  # a row without a reading
        (*row("a", "3", 1, 3, at="2021-01-02 00:00:00"), 0),
        (*row("a", None, 2, 1, code="OFF_GRID"), 0),
    )
    assert as_rows(
        summary(rows, many_readings_per_row=True), "file_id", "local_date", "rows", "rejected", "repeated"
    ) == [
        ("1", "2021-01-01", "1", "1", "0"),
        ("1", "2021-01-02", "1", "0", "0"),
        ("1", None, "1", "0", "0"),
        ("2", None, "1", "1", "0"),
    ]


def test_the_summary_counts_a_row_of_several_repeated_readings_once(frame, as_rows):
    rows = frame(
        f"{SEVERAL}, later_date date",
        (*row("a", "1", 1, 1, repeated=True), 0, "2021-01-02"),
        (*row("a", "2", 1, 1, repeated=True), 1, "2021-01-02"),
        (*row("a", "3", 1, 1), None, None),  # the second instant of a position
        (*row("a", "4", 1, 2), 0, None),
    )
    names = ("file_id", "local_date", "rows", "rejected", "repeated", "later_date")
    assert as_rows(summary(rows, many_readings_per_row=True), *names) == [
        ("1", "2021-01-01", "2", "0", "2", "2021-01-02")
    ]
    found = counts(rows, many_readings_per_row=True)[1]
    assert (found["rows_accepted"], found["local_dates"]) == (2, (date(2021, 1, 1), date(2021, 1, 2)))
    assert counts(rows, many_readings_per_row=False)[1]["local_dates"] == (date(2021, 1, 1), date(2021, 1, 2))


def test_rejected_rows_are_kept_with_code_reason_raw_and_time(frame, as_rows):
    rows = frame(JUDGED, row("a", "1", 1, 1), row("a", "-2", 2, 5, code="CONSUMPTION_NEGATIVE"))
    found = silver.rejected_readings(rows, "power", datetime(2021, 1, 2, 3, 4, 5, 600, tzinfo=UTC))
    assert found.columns == tables.REJECTED.names
    assert as_rows(found) == [
        ("power", "a", "CONSUMPTION_NEGATIVE", "because", "a,-2", "2", "5", "9", "2021-01-02 03:04:05.0006"),
    ]


def test_the_summary_counts_rows_by_file_and_the_local_days_of_those_that_passed(frame, as_rows):
    rows = frame(
        JUDGED,
        row("a", "1", 1, 1),
        row("a", "2", 1, 2, repeated=True),
        row("a", "3", 1, 3, at="2021-01-02 00:00:00"),
        row("a", "4", 1, 4, at="2021-01-03 00:00:00", code="OFF_GRID", repeated=True),
        row("a", "5", 2, 1, code="OFF_GRID"),
    )
    assert as_rows(summary(rows), "file_id", "local_date", "rows", "rejected", "repeated") == [
        ("1", "2021-01-01", "2", "0", "1"),
        ("1", "2021-01-02", "1", "0", "0"),
        ("1", None, "1", "1", "1"),
        ("2", None, "1", "1", "0"),
    ]
