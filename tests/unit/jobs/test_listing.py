"""Lists at several widths: nothing is cut, and no line is longer than the terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from jobs.shared import listing, output
from jobs.shared.listing import Listing, expanded, short
from jobs.shared.terminal import PIPE_WIDTH

CAME = datetime(2021, 3, 29, 6, 30, 11, tzinfo=UTC)
REASON = "no TRAIL in 3 lines: the file was probably cut off while it was being written by the sender's program"
ROWS = [
    {"id": 1, "file": "2021/a-rather-long-name.json", "rows": 1234, "at": CAME, "code": None, "reason": None},
    {"id": 20, "file": "b.json", "rows": 0, "at": CAME, "code": "TRAILER_MISSING", "reason": REASON},
]
LISTING = Listing(
    columns=("id", "file", "rows", "at", "code", "reason"),
    narrow=("id", "file", "at"),
    folds="file",
    below=("code", "reason"),
    names={"at": "received"},
)


def printed(width, of=LISTING, rows=ROWS, **more):
    out = Console(file=io.StringIO(), width=width)
    of.print(rows, out=out, **more)
    return out.file.getvalue()


def test_where_it_fits_the_whole_table_is_printed_with_every_column_and_second():
    lines = printed(200).splitlines()
    assert next(line for line in lines if "code" in line).split() == ["id", "file", "rows", "at", "code", "reason"]
    assert any(line.split()[:2] == ["20", "b.json"] and line.rstrip().endswith(REASON) for line in lines)
    assert "2021-03-29 06:30:11Z" in printed(200)


def test_a_pipe_gets_the_whole_table_however_long_a_reason_is():
    long = [ROWS[1] | {"reason": "x" * 2 * PIPE_WIDTH}]
    assert "code" in printed(PIPE_WIDTH, rows=long).split()


def test_in_between_only_the_reason_goes_below():
    lines = printed(100).splitlines()
    assert lines[0].split() == ["id", "file", "rows", "at", "code"][:4]
    assert "1,234" in lines[2]
    assert "2021-03-29 06:30:11Z" in lines[2]
    assert lines[4] == f"    TRAILER_MISSING: {REASON}"[:100].rsplit(" ", 1)[0]


def test_where_it_is_narrow_there_are_fewer_columns_short_times_and_folded_names():
    lines = printed(40).splitlines()
    assert lines[0].split() == ["id", "file", "received"]
    assert lines[2].startswith(" 1  2021/a-rather-")
    assert lines[2].endswith("2021-03-29 06:30")
    assert lines[3].strip()  # the rest of the name
    assert (lines[2].split()[1] + lines[3].strip()) == "2021/a-rather-long-name.json"
    assert " ".join(" ".join(lines[5:]).split()) == f"TRAILER_MISSING: {REASON}"


def test_where_not_even_that_fits_a_column_is_a_line():
    lines = printed(24).splitlines()
    assert lines[0].startswith("─[ 1 ]─")
    assert lines[1] == "id      1"
    assert "1,234" in printed(24)


@pytest.mark.parametrize("width", range(24, 200, 7))
def test_nothing_is_lost_and_no_line_is_too_long(width):
    text = printed(width, title="Deliveries")
    assert all(len(line.rstrip()) <= width for line in text.splitlines())
    letters = "".join(text.split())
    for value in ("Deliveries", "2021/a-rather-long-name.json", "TRAILER_MISSING", REASON.replace(" ", "")):
        assert set(value) <= set(letters)
    if width < 100:
        assert REASON.replace(" ", "") in letters


def test_what_a_file_s_name_holds_is_text():
    rows = [ROWS[0] | {"file": "[red]x[/]\x1b[31m" + "y" * 20}]
    assert "[red]x[/]" in printed(60, rows=rows)
    assert "\x1b" not in printed(60, rows=rows)


def test_rows_that_are_too_wide_are_expanded_with_the_value_beside_its_name():
    out = Console(file=io.StringIO(), width=40)
    expanded(["meter", "a_long_name"], [{"meter": "x" * 40, "a_long_name": None}], out)
    lines = out.file.getvalue().splitlines()
    assert lines[0].startswith("─[ 1 ]")
    assert lines[1:] == ["meter        " + "x" * 27, " " * 13 + "x" * 13, "a_long_name  NULL"]


def test_short_times_have_the_year_where_it_is_another():
    now = datetime.now(UTC).replace(month=11, day=3, hour=6, minute=5)
    assert short(now).plain == "3 Nov 06:05"
    assert short(CAME).plain == "2021-03-29 06:30"
    assert short(None).plain == ""


def test_a_rejected_row_says_why_below_itself_and_a_long_one_is_cut_for_people():
    row = {
        "file": "2021/03/a.json", "row_number": 7, "feed": "solar", "meter_id": "M1",
        "reason_code": "OFF_GRID", "reason": "12:01 is between two intervals", "raw": output.cut("x" * 500),
    }  # fmt: skip
    lines = printed(80, output.REJECTED, [row]).splitlines()
    assert lines[2].split() == ["2021/03/a.json", "7", "solar", "M1"]
    assert lines[3] == "    OFF_GRID: 12:01 is between two intervals"
    assert "".join(map(str.strip, lines[4:])) == "x" * 160 + "… (whole with --json)"
    assert output.cut("short") == "short"


def test_a_name_is_parted_where_it_has_a_slash_or_a_dash_and_only_where_that_fills_half_a_line():
    rows = [ROWS[0] | {"file": name} for name in ("2021/03/2021-03-28-correction.json", "a-" + "b" * 30)]
    lines = [line[3:26].strip() for line in printed(44, rows=rows).splitlines()[2:]]
    assert lines == ["2021/03/2021-03-28-", "correction.json", "a-" + "b" * 20, "b" * 10]


def test_a_table_that_is_too_wide_folds_its_words_and_no_number_and_no_name(monkeypatch):
    out = Console(file=io.StringIO(), width=60)
    monkeypatch.setattr(listing, "console", lambda: out)
    meaning = "True length of the local day / shortest interval among its readings"
    listing.fitted(["column", "type", "meaning", "rows"], [["intervals_expected", "INT", meaning, 1234567]])
    lines = out.file.getvalue().splitlines()
    assert lines[2].startswith("intervals_expected  INT   True length")
    assert lines[2].endswith("1,234,567")
    assert "".join(line[26:49] for line in lines[2:]).replace(" ", "") == meaning.replace(" ", "")
    assert max(map(len, lines)) <= 60
