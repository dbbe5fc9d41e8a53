"""Whatever bytes arrive: an OBIS-JSON document is judged, and what the plain grammar takes the exact parse takes too."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import obis_document
from pipeline.formats.row_rules import FILE_CODES

SOLAR = Feed(name="solar", format="obis_json", path="landing")
DELIVERY = Delivery("solar", "a.json", "landing/a.json", "a.json", 1, datetime(2021, 3, 29, tzinfo=UTC))
IMPORT, EXPORT = "0100011D00FF", "0100021D00FF"
BEFORE_PARSING = {"EMPTY_FILE", "NOT_UTF8"}


def looked_at(content):
    return obis_document.inspect(content, DELIVERY, SOLAR, "production")


def exactly(content):
    return obis_document.diagnose(content, DELIVERY, SOLAR)


def is_json(content):
    """Whether Python's own parser takes it."""
    try:
        json.loads(content.decode("utf-8-sig"), parse_int=str)
    except (ValueError, RecursionError):
        return False
    return True


def is_right(content):
    """Whether the verdict is one, is the exact one, and passes nothing that is no JSON."""
    verdict = looked_at(content)
    if verdict.reason_code in BEFORE_PARSING:
        return True
    if verdict != exactly(content) or (verdict.reason_code == "MALFORMED_JSON") == is_json(content):
        return False
    if verdict.reason_code is None:
        return verdict.rows_read == len(json.loads(content.decode("utf-8-sig"), parse_int=str)["data"])
    text = verdict.reason.encode()  # a log must be able to hold it
    return verdict.reason_code in FILE_CODES and b"\n" not in text and len(text) < 1000


@given(st.binary(max_size=200))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_arbitrary_bytes_get_a_verdict_and_are_never_a_delivery(content):
    assert is_right(content)
    assert looked_at(content).reason_code is not None


KEYS = ['"measurement"', '"timestamp"', '"tags"', '"muid"', '"quality"', f'"{IMPORT}"', f'"{EXPORT}"', '"data"']
KEYS += ['"0100011d00fF"', '"0100010800FF"', '"t\\u0061gs"', '"tags "', '""', "tags"]
PIECES = [*KEYS, "{", "}", "[", "]", ",", ":", '"', "\\", "1", "-0.5e+3", "01", "null", "true", "NaN", " ", "\n"]
PIECES += ["\x00", "\ufeff", "é", '{"data":[', "]}", '{"tags":{', "},{", '"a":', '"}{"', '": {"', "+INF", "9" * 5000]


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
@settings(derandomize=True, deadline=None, max_examples=2000)
def test_arbitrary_text_of_the_right_words_gets_the_exact_verdict(text):
    assert is_right(text.encode())
    assert is_right(f'{{"data":[{{{text}}}]}}'.encode())


SCALARS = ["null", "true", "0", "-1.5", "1E5", '"meter"', '"2021-03-28T00:15:00Z"', '"}, {"', '": {"', "NaN", '"\\n"']


def members(values):
    return st.lists(st.tuples(st.sampled_from(KEYS), values).map(": ".join), max_size=4).map(
        lambda pairs: "{" + ", ".join(pairs) + "}"
    )


VALUES = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: members(inner) | st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
    max_leaves=8,
)


@given(st.lists(members(VALUES), max_size=3).map(", ".join), st.sampled_from(["", "\n", ', "tags": {}', "x"]))
@example('{"tags": {"tags": {"muid": "a"}}}, {}', "")
@example('{"measurement": {"tags": {"muid": "a"}}, "tags": {"muid": "b"}}', "")
@example("{}", ', "tags": {}')
@settings(derandomize=True, deadline=None, max_examples=1000)
def test_documents_of_known_keys_in_arbitrary_places_get_the_exact_verdict(records, after):
    assert is_right(f'{{"data": [{records}]{after}}}'.encode())
    assert is_right(records.encode())


SOUND_RECORDS = st.lists(
    st.fixed_dictionaries(
        {"timestamp": st.just("2021-03-28T00:15:00Z")},
        optional={
            "measurement": st.sampled_from(["energy", None]),
            "tags": st.fixed_dictionaries(
                {"muid": st.text(max_size=5) | st.integers()}, optional={"quality": st.none()}
            ),
            IMPORT: st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
            EXPORT.lower(): st.decimals(allow_nan=False, allow_infinity=False, places=6).map(float),
        },
    ),
    max_size=4,
)


@given(SOUND_RECORDS, st.sampled_from([None, 0, 2]), st.booleans())
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_document_of_records_with_arbitrary_values_is_sound(records, indent, ascii_only):
    content = json.dumps({"data": records}, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "replace")
    assert (looked_at(content).reason_code, looked_at(content).rows_read) == (None, len(records))
    assert is_right(content)


@given(
    SOUND_RECORDS,
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 3), st.sampled_from([b"", *(p.encode() for p in PIECES)])), max_size=3
    ),
)
@settings(derandomize=True, deadline=None, max_examples=1500)
def test_a_sound_document_with_pieces_cut_out_and_put_in_gets_the_exact_verdict(records, changes):
    content = json.dumps({"data": records}).encode()
    for where, cut, piece in changes:
        at = int(where * len(content))
        content = content[:at] + piece + content[at + cut :]
    assert is_right(content)


def test_the_plain_grammar_takes_linear_time_whatever_comes():
    for piece in (
        '{"tags":{',
        '{"tags":',
        "{",
        "{ ",
        '{"muid":1,',
        '{"timestamp":1,',
        "{},",
        "{}, ",
        "{}\n",
        '{"data":[',
    ):
        assert looked_at(b'{"data":[' + piece.encode() * 100_000).reason_code == "MALFORMED_JSON"
