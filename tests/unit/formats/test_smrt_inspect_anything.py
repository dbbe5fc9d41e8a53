"""Whatever bytes arrive under whatever name: an SMRT envelope is judged, quickly, and never accepted by mistake."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import smrt_envelope
from pipeline.formats.row_rules import FILE_CODES

GAS = Feed(name="gas", format="smrt", path="landing/gas")
HEADER = '"HEADR","SMRT","GAZ","20191016","102939","PN000001"'
CONSU = '"CONSU","000000002","20191014","1100",10.28'
TRAIL = '"TRAIL"'


def looked_at(content, name="PN000001.SMRT"):
    found = Delivery("gas", name, name, name, len(content), datetime(2019, 10, 16, tzinfo=UTC))
    return smrt_envelope.inspect(content, found, GAS, "production")


@pytest.mark.parametrize("trail", [TRAIL, "TRAIL", ' "TRAIL" '])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_file_cut_at_any_byte_is_never_accepted_unless_the_whole_trailer_is_there(trail, end):
    whole = end.join([HEADER, CONSU, CONSU, trail, ""]).encode()
    needed = len(whole.rstrip())
    accepted = {length for length in range(len(whole) + 1) if looked_at(whole[:length]).reason_code is None}
    assert accepted == set(range(needed, len(whole) + 1))


def test_a_cut_after_the_header_is_a_missing_trailer():
    whole = "\n".join([HEADER, CONSU, CONSU, TRAIL]).encode()
    codes = {looked_at(whole[:length]).reason_code for length in range(len(HEADER), len(whole))}
    assert codes == {"TRAILER_MISSING"}


def test_a_cut_inside_the_header_is_a_fault_of_the_header():
    assert looked_at(b"").reason_code == "EMPTY_FILE"
    codes = {looked_at(HEADER[:length].encode()).reason_code for length in range(1, len(HEADER))}
    assert codes == {"HEADER_MISSING", "HEADER_INVALID"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{HEADER}\n\n \r\n{CONSU}\n\n{HEADER}\n{TRAIL}\n", "line 6 "),
        (f"\n\n{HEADER}\n\nOTHER\n{TRAIL}\n", "line 5:"),
        (f"{HEADER}\n{TRAIL}\n\n\n{CONSU}\n", "line 5 stands after the TRAIL of line 2"),
        (f"\n \n{CONSU}\n{TRAIL}\n", "line 3 "),
    ],
)
def test_the_reason_names_the_line_and_blank_lines_count(content, said):
    assert said in looked_at(content.encode()).reason


@st.composite
def sound_files(draw):
    """A sound file in one of its many spellings, with the number of its rows."""
    blank = st.sampled_from(["", " ", "\t", "  "])
    end = draw(st.sampled_from(["\n", "\r\n"]))

    def field(text):
        quoted = f'"{text}"' if draw(st.booleans()) else text
        return draw(blank) + quoted + draw(blank)

    def record(*fields):
        return ",".join(field(text) for text in fields)

    rows = draw(st.lists(st.tuples(st.integers(0, 10**12), st.decimals(0, 99, places=2)), max_size=6))
    parts = [record("HEADR", "SMRT", "GAZ", "20191016", "102939", "PN000001")]
    parts += [record("CONSU", f"{meter:09d}", "20191014", "1100", str(value)) for meter, value in rows]
    parts += [record("TRAIL")]
    spread = [line for part in parts for line in [*draw(st.lists(blank, max_size=2)), part]]
    text = end.join(spread) + draw(st.sampled_from(["", end, end + end]))
    return (b"\xef\xbb\xbf" if draw(st.booleans()) else b"") + text.encode(), len(rows)


@given(sound_files())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_every_spelling_of_a_sound_file_is_accepted_with_the_right_number_of_rows(file):
    content, rows = file
    delivery = looked_at(content)
    assert (delivery.reason_code, delivery.rows_read) == (None, rows)


PIECES = ["HEADR", "CONSU", "TRAIL", '"', ",", "\n", "\r", "\r\n", " ", "\t", "\x00", "\ufeff", "é", "\u2028", "\x0b"]
PIECES += [HEADER, CONSU, TRAIL, "1", "SMRT", "PN000001", '""', '"HEADR"', '"CONSU"', '"TRAIL"']


def is_a_verdict(delivery):
    if delivery.reason_code is None:
        return delivery.created_at is not None
    text = delivery.reason.encode()  # a log must be able to hold it
    return delivery.reason_code in FILE_CODES and delivery.status == "rejected" and b"\n" not in text


@given(st.binary(max_size=200))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_arbitrary_bytes_get_a_verdict_and_are_never_a_delivery(content):
    delivery = looked_at(content)
    assert is_a_verdict(delivery)
    assert delivery.reason_code is not None


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
@settings(derandomize=True, deadline=None, max_examples=500)
def test_arbitrary_text_of_the_right_words_gets_a_verdict(text):
    delivery = looked_at(text.encode())
    assert is_a_verdict(delivery)
    if delivery.reason_code is None:
        written = [line.strip(" \t\r") for line in text.removeprefix("\ufeff").split("\n") if line.strip(" \t\r")]
        assert written[0].lstrip('"').startswith("HEADR")
        assert written[-1] in {"TRAIL", '"TRAIL"'}


@given(st.text(max_size=20))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_an_arbitrary_name_gets_a_verdict(name):
    assert is_a_verdict(looked_at(f"{HEADER}\n{TRAIL}\n".encode(), name))


@pytest.mark.parametrize("line", ["some,other,csv,line", HEADER, '"CONSU,1'])
def test_a_big_file_of_wrong_lines_is_judged_in_seconds(line):
    content = "\n".join([HEADER, *[line] * 20_000, TRAIL]).encode()
    begun = time.process_time()
    looked_at(content)
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("line", ['"' * 1_000_001, "CONSU," * 200_000, '"CONSU",' + '"a""' * 200_000, " " * 1_000_000])
def test_one_very_long_line_is_judged_in_seconds(line):
    begun = time.process_time()
    assert is_a_verdict(looked_at(f"{HEADER}\n{line}\n{TRAIL}\n".encode()))
    assert time.process_time() - begun < 2
