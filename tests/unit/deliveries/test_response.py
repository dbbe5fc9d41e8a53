"""The response to a delivery: which are due, what it says, where it is written."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.deliveries import rejected_rows, response

FOLDER = Path("/out")
DELIVERY = {
    "file_id": 7,
    "feed": "gas",
    "file_name": "PN000001.SMRT",
    "file_path": "/in/gas/day/PN000001.SMRT",
    "relative_path": "day/PN000001.SMRT",
    "size_bytes": 123,
    "modified_at": datetime(2021, 4, 1, 5, tzinfo=UTC),
    "sha256": "ab" * 32,
    "status": "loaded",
    "reason_code": None,
    "reason": None,
    "rows_read": 3,
    "rows_accepted": 2,
    "rows_rejected": 1,
    "received_at": datetime(2021, 4, 1, 6, 0, 0, 123, tzinfo=UTC),
    "batch_id": 4,
    "rows_erased": 0,
    "run_id": "run4",
    "local_dates": [datetime(2021, 4, 1, tzinfo=UTC).date()],
}
BAD_ROW = {
    "file_id": 7,
    "row_number": 3,
    "meter_id": "001",
    "reason_code": "OFF_GRID",
    "reason": "'0010' is not on the hour",
}
REFUSED = {"status": "rejected", "rows_read": 0, "rows_accepted": 0, "rows_rejected": 0, "local_dates": []}


def said(rejected=(), in_all=0, *, rows_are_lines=True, **changes):
    return response.document(DELIVERY | changes, list(rejected), in_all, rows_are_lines=rows_are_lines)


def test_a_response_says_what_became_of_the_delivery_and_of_each_row_that_did_not_pass():
    assert said([BAD_ROW], 1) == {
        "feed": "gas",
        "file_name": "PN000001.SMRT",
        "relative_path": "day/PN000001.SMRT",
        "sha256": "ab" * 32,
        "size_bytes": 123,
        "verdict": "accepted",
        "status": "loaded",
        "reason_code": None,
        "reason": None,
        "rows_read": 3,
        "rows_accepted": 2,
        "rows_rejected": 1,
        "rejected_rows": [
            {"line": 3, "reason_code": "OFF_GRID", "reason": "'0010' is not on the hour", "meter_id": "001"}
        ],
        "rejected_rows_left_out": 0,
        "received_at": "2021-04-01T06:00:00Z",
        "file_id": 7,
        "run_id": "run4",
    }


@pytest.mark.parametrize(
    ("status", "verdict"),
    [("loaded", "accepted"), ("duplicate", "duplicate"), ("rejected", "refused"), ("conflict", "refused")],
)
def test_each_status_has_a_verdict(status, verdict):
    assert (said(status=status)["verdict"], said(status=status)["status"]) == (verdict, status)


def test_a_refusal_that_was_settled_before_its_answer_was_written_is_a_refusal():
    assert said(status="withdrawn", reason_code="EMPTY_FILE")["verdict"] == "refused"


def test_a_format_without_lines_names_the_row():
    (row,) = said([BAD_ROW], 1, rows_are_lines=False)["rejected_rows"]
    assert (row["row"], "line" in row) == (3, False)


def test_rows_that_are_left_out_are_counted():
    assert said([BAD_ROW] * 1000, 1234)["rejected_rows_left_out"] == 234


def test_a_delivery_that_could_not_be_read_has_neither_size_nor_hash():
    unreadable = said(**REFUSED, reason_code="UNREADABLE", size_bytes=None, sha256=None)
    assert json.loads(json.dumps(unreadable))["sha256"] is None


@pytest.mark.parametrize(
    ("meter", "shown"), [(None, None), ("", ""), ("m" * 100, "m" * 100), ("ü" * 1_000_000, "ü" * 100 + "…")]
)
def test_a_meter_that_is_no_name_is_cut(meter, shown):
    (row,) = said([BAD_ROW | {"meter_id": meter}], 1)["rejected_rows"]
    assert row["meter_id"] == shown


def path(relative_path, file_id=7):
    return response.response_path(FOLDER, relative_path, file_id)


@pytest.mark.parametrize(
    ("relative_path", "name"),
    [
        ("a.json", "a.json.7.ack.json"),
        ("day/one/a.json", "day/one/a.json.7.ack.json"),
        ("two\nlines.json", "two\nlines.json.7.ack.json"),
        (r"odd\xff.json", r"odd\xff.json.7.ack.json"),
        ("nothing\0.json", r"nothing\x00.json.7.ack.json"),
        ("a//b.json", "a/b.json.7.ack.json"),
        ("a.json.7.ack.json/b.json", "a.json.7.ack.jso_/b.json.7.ack.json"),
    ],
)
def test_a_response_has_the_path_of_its_delivery(relative_path, name):
    assert str(path(relative_path)) == f"/out/{name}"


def test_a_name_that_is_too_long_with_its_ending_is_cut_between_letters():
    longest = "ü" * 125 + ".json"
    assert len(longest.encode()) == 255
    assert path(longest, 77).name == "ü" * 121 + ".77.ack.json"  # 254 bytes: half a letter would have fitted
    assert path("x" * 255, 123456789).name == "x" * 236 + ".123456789.ack.json"


def test_a_path_that_is_too_long_ends_in_the_folder_itself():
    assert path("d/" * 2040 + "a.json") == FOLDER / "a.json.7.ack.json"


def log_row(file_id, batch_id, feed="gas", **more):
    return DELIVERY | {"file_id": file_id, "batch_id": batch_id, "feed": feed} | more


def test_a_response_is_due_if_it_was_decided_since_the_feed_asks_and_is_not_answered():
    logged = [log_row(1, 1), log_row(2, 2), log_row(3, 3), log_row(4, 3), log_row(5, 3, "power"), log_row(6, 3, "sun")]
    due = response.unanswered(logged, {"gas": 2, "sun": 4}, 0, {(3, 3)})
    assert [row["file_id"] for row in due] == [2, 4]
    due = response.unanswered(logged, {"gas": 2, "power": 1}, 2, ())
    assert [row["file_id"] for row in due] == [3, 4, 5]


def test_a_response_that_says_what_the_last_one_said_is_not_due():
    answered = said([BAD_ROW], 1)
    noted = {"status": "loaded", "content_sha256": response.fingerprint(answered)}
    assert not response.is_said(None, answered, answered)
    assert response.is_said(noted, answered | {"run_id": "of the rebuild"}, None)
    assert not response.is_said(noted, answered | {"rows_rejected": 2}, None)
    assert not response.is_said(noted, said([BAD_ROW | {"reason": "another one"}], 1), None)


def test_for_a_response_of_an_earlier_version_the_file_or_else_the_status_is_compared():
    answered = said([BAD_ROW], 1)
    noted = {"status": "loaded", "content_sha256": None}
    assert response.is_said(noted, answered | {"run_id": "later"}, answered)
    assert not response.is_said(noted, answered, answered | {"rows_rejected": 2})
    assert response.is_said(noted, answered, None)
    assert not response.is_said(noted, answered | {"status": "withdrawn"}, None)


@pytest.mark.parametrize(
    ("row", "rejected_to", "readings_to", "ready"),
    [
        (log_row(1, 4), 4, 4, True),
        (log_row(1, 4), 3, 4, False),
        (log_row(1, 4), 4, 3, False),
        (log_row(1, 4, rows_rejected=0), 0, 4, True),
        (log_row(1, 4, local_dates=[]), 4, 0, True),
        (log_row(1, 4, local_dates=None), 4, 0, True),
        (log_row(1, 4, **REFUSED), 0, 0, True),
    ],
)
def test_a_delivery_waits_only_for_what_silver_has_to_take_of_it(row, rejected_to, readings_to, ready):
    assert response.is_in_silver(row, rejected_to, readings_to) is ready


def test_the_first_rejected_rows_of_each_delivery_are_found_in_pieces_of_any_order():
    def piece(*rows):
        columns = ("file_id", "row_number", "reason_code")
        return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows])

    pieces = [
        piece((1, 9, "A"), (2, 5, "A"), (1, 8, "A")),
        piece(),
        piece((1, 2, "B"), (1, 2, "A")),
        piece((1, 7, "A")),
    ]
    found = rejected_rows.first_of_each((each for each in pieces if each.num_columns), 3)
    answered = {file_id: ([*rows["row_number"].to_pylist()], in_all) for file_id, (rows, in_all) in found.items()}
    assert answered == {1: ([2, 2, 7], 5), 2: ([5], 1)}
    assert found[1][0]["reason_code"].to_pylist() == ["A", "B", "A"]
