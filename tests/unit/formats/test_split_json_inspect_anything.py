"""Whatever bytes arrive: a split-JSON document is judged, and the quick look at its frame is never wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import split_document
from pipeline.formats.row_rules import FILE_CODES

ELECTRICITY = Feed(name="electricity", format="split_json", path="landing", time_zone="Europe/London")
NAMES = ["interval_start", "meterpoint_id", "consumption_delta"]
COLUMNS = json.dumps(NAMES)
DELIVERY = Delivery("electricity", "a.json", "landing/a.json", "a.json", 1, datetime(2021, 1, 2, tzinfo=UTC))


def looked_at(content):
    return split_document.inspect(content, DELIVERY, ELECTRICITY, "production")


def exactly(content):
    return split_document.diagnose(content, DELIVERY, ELECTRICITY)


def is_a_verdict(delivery):
    if delivery.reason_code is None:
        return set(NAMES) <= set(delivery.columns)
    text = delivery.reason.encode()  # a log must be able to hold it
    return delivery.reason_code in FILE_CODES and delivery.status == "rejected" and b"\n" not in text


def test_a_file_cut_at_any_byte_is_never_accepted():
    rows = [["2021-01-01 00:00:00", "14é", 0.125], ["2021-01-01 00:30:00", "}", "[1]"]]
    for indent in (None, 1):
        whole = json.dumps({"columns": NAMES, "data": rows}, indent=indent, ensure_ascii=False).encode()
        assert looked_at(whole).reason_code is None
        cuts = [whole[:length] for length in range(1, len(whole))]
        # A cut after a brace inside a text is left to Spark, which gives no row of it, and then to the exact look.
        assert {looked_at(cut).reason_code or exactly(cut).reason_code for cut in cuts} == {
            "MALFORMED_JSON",
            "NOT_UTF8",
        }


def test_a_plain_file_cut_at_any_byte_is_malformed():
    whole = json.dumps({"columns": NAMES, "data": [["2021-01-01 00:00:00", "14", "0.125"]] * 2}).encode()
    assert {looked_at(whole[:length]).reason_code for length in range(1, len(whole))} == {"MALFORMED_JSON"}


@given(st.binary(max_size=200))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_arbitrary_bytes_get_a_verdict_and_are_never_a_delivery(content):
    assert is_a_verdict(looked_at(content))
    assert looked_at(content).reason_code is not None


PIECES = ["{", "}", "[", "]", ",", ":", '"columns"', '"data"', COLUMNS, "[]", '"', "\\", "\\ud800", "1", "null", " "]
PIECES += ['"x"', "\x00", "\ufeff", "\n", "é", '{"columns":', ',"data":[[', "]]}", "NaN", "1e999999999", "9" * 5000]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@settings(derandomize=True, deadline=None, max_examples=1000)
def test_arbitrary_text_of_the_right_words_gets_a_verdict(text):
    assert is_a_verdict(looked_at(text.encode()))
    assert is_a_verdict(exactly(text.encode()))


@given(st.lists(st.text(st.characters(exclude_categories=[]), max_size=5), max_size=4))
@example(["\ud800"])
@example(["\n"])
@settings(derandomize=True, deadline=None, max_examples=200)
def test_arbitrary_column_names_get_a_verdict_that_a_log_can_hold(names):
    for columns in (names, [*NAMES, *names]):
        assert is_a_verdict(looked_at(json.dumps({"columns": columns, "data": []}).encode()))


KEYS = ['"columns"', '"data"', '"meta"', '"d\\u0061ta"', '"\\u0063olumns"', '"x\\"columns"', '"x\\"data"', '"\\\\"']
VALUES = [COLUMNS, '["a"]', "[]", "[[]]", "null", "1", '"data"', '[["a", "b", "1"]]', "[1]", '{"data": []}', "[,]"]


@given(
    st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)), max_size=4),
    st.sampled_from(["", "\n", "}", "x", "\x00"]),
)
@example([('"columns"', COLUMNS), ('"data"', "[[]]"), ('"d\\u0061ta"', "[]")], "")
@example([('"x\\"columns"', COLUMNS), ('"data"', "[[]]")], "")
@settings(derandomize=True, deadline=None, max_examples=2000)
def test_the_quick_look_and_the_exact_one_agree_on_the_frame(pairs, after):
    content = ("{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}" + after).encode()
    quick, exact = looked_at(content), exactly(content)
    if exact.reason_code is None:
        assert (quick.reason_code, quick.columns) == (None, exact.columns)
    elif quick.reason_code is None:
        # What the quick look leaves to Spark, which gives no row of it: broken JSON, and rows that are no arrays.
        assert exact.reason_code == "MALFORMED_JSON" or exact.reason.startswith("row ")
    else:
        assert quick.reason_code == exact.reason_code


@given(
    st.lists(
        st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8), max_size=5),
        max_size=4,
    ),
    st.sampled_from([None, 0, 2]),
    st.booleans(),
)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_document_of_arbitrary_cells_is_sound(data, indent, ascii_only):
    text = json.dumps({"columns": [*NAMES, "more"], "data": data}, indent=indent, ensure_ascii=ascii_only)
    assert looked_at(text.encode()).reason_code is None
    assert exactly(text.encode()).rows_read == len(data)
