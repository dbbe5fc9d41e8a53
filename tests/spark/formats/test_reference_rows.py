"""The reference database: which rows are good, which agreement is active, and which product counts on a day."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from pipeline.formats import reference_rows
from pipeline.layers.agreements import active_on, product_of_day, products_agreed

AGREEMENT = (
    "agreement_id string, agreement_valid_from string, agreement_valid_to string, product_id string, "
    "meterpoint_id string, account_id string, file_id bigint, row_number bigint, batch_id bigint"
)
PRODUCT = "display_name string, is_variable string, id string, product_id string, file_id bigint, row_number bigint, batch_id bigint"
METERPOINT = "region string, meterpoint_id string, file_id bigint, row_number bigint, batch_id bigint"
AGREED = (
    "agreement_id bigint, meterpoint_id string, valid_from date, valid_to date, product_display_name string, "
    "is_variable boolean"
)

# Cells of an agreement -> (id, from, to) when it is good, a piece of the reason when it is not.
AGREEMENTS = {
    ("1", "2021-01-01", "2021-02-01", "p", "m", "a"): ("1", "2021-01-01", "2021-02-01"),
    ("2", "2021-01-01", None, "p", "m", "a"): ("2", "2021-01-01", None),
    ("3", "2021-01-01", "", "p", "m", None): ("3", "2021-01-01", None),
    ("4", "2021-01-01 00:00:00", "2021-02-01T00:00:00", "p", "m", "a"): ("4", "2021-01-01", "2021-02-01"),
    ("9223372036854775807", "2020-02-29", None, "p", "m", "a"): ("9223372036854775807", "2020-02-29", None),
    ("21", "2024-10-14T23:00:00+00:00", "2024-10-14T22:59:59Z", "p", "m", "a"): ("21", "2024-10-15", "2024-10-14"),
    ("22", "2024-10-15 00:30:00+0200", "2024-12-14 23:30:00.5-01:00", "p", "m", "a"): (
        "22",
        "2024-10-14",
        "2024-12-15",
    ),
    ("29", "2024-10-14 23:00:00+00", "2024-12-14 23:30:00.5-01", "p", "m", "a"): ("29", "2024-10-15", "2024-12-15"),
    ("30", "2024-10-14 23:00:00.0000000 +00:00", None, "p", "m", "a"): ("30", "2024-10-15", None),
    ("31", "2024-01-01+01", None, "p", "m", "a"): "agreement_valid_from",
    ("32", "infinity", None, "p", "m", "a"): "agreement_valid_from",
    ("23", "2024-10-14 23:00:00", "2024-10-14T23:59", "p", "m", "a"): ("23", "2024-10-14", "2024-10-14"),
    ("24.0", "2021-01-01", None, "p", "m", "a"): ("24", "2021-01-01", None),
    (" 25 ", "2021-01-01", None, "p", "m", "a"): ("25", "2021-01-01", None),
    ("26\x1a", "2021-01-01", None, "p", "m", "a"): "agreement_id",
    ("27.5", "2021-01-01", None, "p", "m", "a"): "agreement_id",
    ("28", "2021-01-01T25:00:00Z", None, "p", "m", "a"): "agreement_valid_from",
    (None, "2021-01-01", None, "p", "m", "a"): "agreement_id",
    ("", "2021-01-01", None, "p", "m", "a"): "agreement_id",
    ("one", "2021-01-01", None, "p", "m", "a"): "agreement_id",
    ("5", "2021-01-01", None, None, "m", "a"): "product_id",
    ("6", "2021-01-01", None, "p", None, "a"): "meterpoint_id",
    ("7", "2021-01-01", None, "p", " ", "a"): "meterpoint_id",
    ("8", None, None, "p", "m", "a"): "agreement_valid_from",
    ("9", "", None, "p", "m", "a"): "agreement_valid_from",
    ("10", "2021-02-29", None, "p", "m", "a"): "agreement_valid_from",
    ("11", "2021-1-1", None, "p", "m", "a"): "agreement_valid_from",
    ("12", "01/01/2021", None, "p", "m", "a"): "agreement_valid_from",
    ("13", "20210101", None, "p", "m", "a"): "agreement_valid_from",
    ("14", "2021-01-01", "2021-13-01", "p", "m", "a"): "agreement_valid_to",
    ("15", "2021-01-01", "never", "p", "m", "a"): "agreement_valid_to",
    ("16", "2021-01-01 or later", None, "p", "m", "a"): "agreement_valid_from",
}


@pytest.fixture(scope="module")
def agreements(frame):
    rows = [(*cells, 7, number, 3) for number, cells in enumerate(AGREEMENTS, start=1)]
    judged = reference_rows.judged("agreement", frame(AGREEMENT, *rows), "Europe/London")
    names = ["reason_code", "reason", "raw", "meter_id", "row_number"]
    typed = judged.selectExpr(
        "string(agreement_id) AS agreement_id",
        "string(valid_from) AS valid_from",
        "string(valid_to) AS valid_to",
        *names,
    )
    return {list(AGREEMENTS)[row["row_number"] - 1]: row for row in typed.collect()}


@pytest.mark.parametrize(("cells", "typed"), [item for item in AGREEMENTS.items() if isinstance(item[1], tuple)])
def test_a_good_agreement_is_typed(agreements, cells, typed):
    row = agreements[cells]
    assert (row["agreement_id"], row["valid_from"], row["valid_to"]) == typed
    assert (row["reason_code"], row["reason"]) == (None, None)


@pytest.mark.parametrize(("cells", "said"), [item for item in AGREEMENTS.items() if isinstance(item[1], str)])
def test_a_bad_agreement_is_rejected_with_the_column_that_is_wrong(agreements, cells, said):
    row = agreements[cells]
    assert row["reason_code"] == "REFERENCE_ROW_INVALID"
    assert said in row["reason"]
    assert cells[1] is None or cells[1] in row["raw"]


def test_products_are_typed_and_one_without_its_id_is_rejected(frame, as_rows):
    rows = [
        ("Fixed", "0", "1", "fixed"),
        ("Variable", "1", "2", "variable"),
        ("Text", "true", "3", "text"),
        ("Unknown", None, "4", "unknown"),
        ("Odd", "perhaps", "5", "odd"),
        ("None", "1", "6", None),
        ("Blank", "1", "7", " "),
    ]
    judged = reference_rows.judged(
        "product", frame(PRODUCT, *((*row, 7, n, 3) for n, row in enumerate(rows, start=1))), "UTC"
    )
    assert as_rows(judged.where("row_number < 6"), "product_id", "is_variable", "reason_code") == [
        ("fixed", "false", None),
        ("odd", None, None),
        ("text", "true", None),
        ("unknown", None, None),
        ("variable", "true", None),
    ]
    assert as_rows(judged.where("row_number > 5"), "row_number", "reason_code") == [
        ("6", "REFERENCE_ROW_INVALID"),
        ("7", "REFERENCE_ROW_INVALID"),
    ]


def test_a_meterpoint_without_its_id_is_rejected(frame, as_rows):
    rows = frame(
        METERPOINT, ("North", "m", 7, 1, 3), ("North", None, 7, 2, 3), ("North", "", 7, 3, 3), (None, "n", 7, 4, 3)
    )
    assert as_rows(reference_rows.judged_meterpoints(rows), "row_number", "reason_code") == [
        ("1", None),
        ("2", "REFERENCE_ROW_INVALID"),
        ("3", "REFERENCE_ROW_INVALID"),
        ("4", None),
    ]


def test_the_driver_sees_where_an_id_may_stand_twice():
    def of(name, *ids):
        return reference_rows.repeats(name, pa.table({reference_rows.KEYS[name]: pa.array(ids, pa.string())}))

    assert of("product", "p", "q", None, None) is False
    assert of("product", "p", " p") is True  # perhaps: the rules decide
    assert of("agreement", "1", "2", "11", "10") is False
    for same in ("1.0", "01", "+1", " 1\t", "-1"):
        assert of("agreement", "1", same) is True


def test_of_two_rows_of_one_id_the_last_that_passed_is_current(frame, as_rows):
    rows = frame(
        AGREEMENT,
        ("1", "2021-01-01", None, "p", "m", "first", 7, 1, 3),
        ("1", "2021-01-01", None, "p", "m", "second", 7, 2, 3),
        ("1", "2021-99-01", None, "p", "m", "third", 7, 3, 3),
        ("2", "2021-01-01", None, "p", "m", "only", 7, 4, 3),
    )
    current = reference_rows.current(reference_rows.judged_agreements(rows), "agreement_id")
    assert as_rows(current, "agreement_id", "account_id") == [("1", "second"), ("2", "only")]


def test_rows_of_one_id_that_differ_from_the_last_are_rejected_and_repeats_are_not(frame, as_rows):
    agreements = frame(
        AGREEMENT,
        ("1", "2021-01-01", None, "fixed", "m", "a", 7, 1, 3),
        ("1", "2021-01-01", None, "variable", "m", "a", 7, 2, 3),
        ("2", "2021-01-01", None, "fixed", "m", "a", 7, 3, 3),
        ("2", "2021-01-01", None, "fixed", "m", "a", 7, 4, 3),
        ("3", "2021-01-01", None, "fixed", "m", "a", 7, 5, 3),
        ("3", "2021-99-01", None, "fixed", "m", "a", 7, 6, 3),
        ("1", "2021-01-01", None, "fixed", "m", "a", 8, 1, 4),  # of another snapshot
    )
    judged = reference_rows.judged("agreement", agreements, "UTC")
    refused = judged.where("reason_code IS NOT NULL")
    assert as_rows(refused, "file_id", "row_number") == [("7", "1"), ("7", "6")]
    assert as_rows(refused.where("row_number = 1"), "reason") == [
        ("agreement_id '1' stands twice with different content: the last row counts",)
    ]
    products = frame(PRODUCT, ("Old", "0", "1", "p", 7, 1, 3), ("New", "0", "1", "p", 7, 2, 3))
    judged = reference_rows.judged("product", products, "UTC")
    assert as_rows(judged, "display_name", "reason_code") == [("New", None), ("Old", "REFERENCE_ROW_INVALID")]
    meterpoints = frame(METERPOINT, ("N", "m", 7, 1, 3), ("S", "m", 7, 2, 3), ("S", "m", 7, 3, 3))
    judged = reference_rows.judged("meterpoint", meterpoints, "UTC")
    assert as_rows(judged.where("reason_code IS NOT NULL"), "row_number") == [("1",)]


def test_an_agreement_on_an_unknown_product_keeps_the_products_id_as_its_name(frame, as_rows):
    agreements = frame(
        "agreement_id bigint, meterpoint_id string, valid_from date, valid_to date, product_id string",
        (1, "m", "2021-01-01", None, "fixed"),
        (2, "m", "2021-01-01", None, "lost"),
    )
    products = frame("product_id string, display_name string, is_variable boolean", ("fixed", "Fixed", "false"))
    agreed = products_agreed(agreements, products)
    assert as_rows(agreed, "agreement_id", "product_display_name", "is_variable") == [
        ("1", "Fixed", "false"),
        ("2", "lost", None),
    ]


def test_active_on_a_date_is_strict_on_both_sides(frame, as_rows):
    agreed = frame(
        AGREED,
        (1, "m", "2021-01-01", None, "begins on the first date", "true"),
        (2, "m", "2020-12-31", None, "open", "true"),
        (3, "m", "2020-12-31", "2021-01-01", "ends on the first date", "true"),
        (4, "m", "2020-12-31", "2021-01-02", "ends the day after", None),
        (5, "m", "2021-06-01", "2021-05-01", "ends before it begins", "true"),
    )
    active = active_on(agreed, [date(2021, 1, 1), date(2021, 5, 15)])
    assert as_rows(active, "as_of_date", "agreement_id") == [
        ("2021-01-01", "2"),
        ("2021-01-01", "4"),
        ("2021-05-15", "1"),
        ("2021-05-15", "2"),
    ]


def test_an_agreement_counts_from_its_first_day_to_the_day_before_its_last(frame, as_rows):
    agreed = frame(AGREED, (1, "m", "2021-01-02", "2021-01-04", "P", "true"), (2, "n", "2021-01-03", None, "Q", "true"))
    days = [date(2021, 1, n) for n in range(1, 6)]
    assert as_rows(product_of_day(agreed, days), "meterpoint_id", "day", "product_display_name") == [
        ("m", "2021-01-02", "P"),
        ("m", "2021-01-03", "P"),
        ("n", "2021-01-03", "Q"),
        ("n", "2021-01-04", "Q"),
        ("n", "2021-01-05", "Q"),
    ]


def test_of_overlapping_agreements_the_latest_start_wins_then_the_highest_id_and_a_day_has_one_product(frame, as_rows):
    agreed = frame(
        AGREED,
        (100, "m", "2021-01-01", None, "old", "true"),
        (9, "m", "2021-01-02", "2021-01-04", "of two, the lower id", "true"),
        (10, "m", "2021-01-02", "2021-01-03", "of two, the higher id", "true"),
    )
    days = [date(2021, 1, n) for n in range(1, 6)]
    assert as_rows(product_of_day(agreed, days), "day", "product_display_name") == [
        ("2021-01-01", "old"),
        ("2021-01-02", "of two, the higher id"),
        ("2021-01-03", "of two, the lower id"),
        ("2021-01-04", "old"),
        ("2021-01-05", "old"),
    ]
