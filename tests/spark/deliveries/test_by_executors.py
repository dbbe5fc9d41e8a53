"""Inspection by executors: the verdicts of the driver, on real files of every format that has an outline."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.deliveries import by_executors, landing
from tests.fuzz import csv_files, nem12_files, obis_documents, smrt_files, split_documents

FILES = 150
PLACE = {"time_zone": "Europe/London", "path": "landing"}
CASES = {
    "smrt": (Feed(name="gas", format="smrt", path="landing"), smrt_files.made),
    "split_json": (Feed(name="power", format="split_json", **PLACE), split_documents.made),
    "obis_json": (Feed(name="solar", format="obis_json", path="landing"), obis_documents.made),
    "nem12": (Feed(name="sydney", format="nem12", path="landing"), nem12_files.made),
    "csv": (csv_files.FEED, csv_files.made),
}


def inspected(lake, feed, files):
    """(by the driver, by executors, how many of the latter the driver did not read) of files: path -> bytes."""
    context = lake(feed)
    for path, content in files.items():
        where = Path(feed.path) / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(content)
    found, form = landing.find(feed), formats.format_of(feed)
    read = []

    def look(content, *more):
        read.append(more)
        return form.inspect(content, *more)

    spread = by_executors.inspect(context, found, feed, look, form.outline)
    alone = landing.inspect(found, feed, form.inspect, context.settings.environment)
    return alone, spread, len(found) - len(read)


@pytest.mark.parametrize("name", CASES)
def test_the_verdicts_on_hostile_files_are_the_drivers(lake, tmp_path, name):
    feed, made = CASES[name]
    files = {}
    for number in range(FILES):
        file = made(number)
        if file.name and "/" not in file.name and len(file.name.encode()) < 200:
            files[f"{number}/{file.name}"] = file.content
    alone, spread, not_read = inspected(lake, in_folder(feed, tmp_path / "landing"), files)
    assert spread == alone
    # What is plainly sound was not read by the driver.
    assert not_read > 10
    assert {each.reason_code for each in alone} != {None}


def in_folder(feed, path):
    path.mkdir()
    return feed.model_copy(update={"path": str(path)})


HEADER = '"HEADR","SMRT","ABC","20240101","060000","PN000001"\n'
RECORD = '"CONSU","1","20240101","0000",1.5\n'
SMRT = {
    "plain": (HEADER + RECORD + '"TRAIL"\n', True),
    "a byte order mark": ("\ufeff" + HEADER + RECORD + '"TRAIL"\n', True),
    "two byte order marks": ("\ufeff\ufeff" + HEADER + RECORD + '"TRAIL"\n', False),
    "blank lines, no break at the end": (HEADER + "\n \t\r\n" + RECORD + "TRAIL", True),
    "CR LF": ((HEADER + RECORD + '"TRAIL"\n').replace("\n", "\r\n"), True),
    "a line separator of Unicode": (HEADER + RECORD[:-1] + "\u2028x\n" + '"TRAIL"\n', True),
    "a next line of Java": (HEADER + RECORD[:-1] + "\x85TRAIL\n" + '"TRAIL"\n', True),
    "a second header": (HEADER + HEADER + '"TRAIL"\n', False),
    "no trailer": (HEADER + RECORD, False),
    "a record behind the trailer": (HEADER + '"TRAIL"\n' + RECORD, False),
    "header alone": (HEADER, False),
    "nothing": ("", False),
    "a record that is likely one": (HEADER + '"CONSU";"1"\n' + '"TRAIL"\n', False),
    "a long header": (HEADER[:-1] + " " * 2000 + "\n" + '"TRAIL"\n', False),
}


@pytest.mark.parametrize("case", SMRT)
def test_lines_that_java_and_python_might_see_differently(lake, tmp_path, case):
    text, is_plain = SMRT[case]
    feed = in_folder(Feed(name="gas", format="smrt", path="x", company="ABC"), tmp_path / "landing")
    alone, spread, not_read = inspected(lake, feed, {"PN000001.SMRT": text.encode()})
    assert spread == alone
    assert not_read == is_plain
    assert spread[0].sha256 == hashlib.sha256(text.encode()).hexdigest()


CSV_HEADER = "meter,time,kWh\n"
CSV_ROWS = "".join(f"{n},2024-01-{n % 28 + 1:02} 00:00,{n}.5\n" for n in range(2000))
# Text of more than the beginning that the driver sees -> whether its frame is plain to the executors.
CSV = {
    "many rows": (CSV_HEADER + CSV_ROWS, True),
    "no break at the end": (CSV_HEADER + CSV_ROWS[:-1], True),
    "CR LF": ((CSV_HEADER + CSV_ROWS).replace("\n", "\r\n"), True),
    "a byte order mark": ("\ufeff" + CSV_HEADER + CSV_ROWS, True),
    "letters of two bytes": (CSV_HEADER + CSV_ROWS.replace("1,2024", "é,2024"), True),
    "a blank line far behind": (CSV_HEADER + CSV_ROWS + "\n1,2024-01-01 00:00,1\n", False),
    "a blank at a line's beginning far behind": (CSV_HEADER + CSV_ROWS + " 1,2024-01-01 00:00,1\n", False),
    "a blank line in the beginning": (CSV_HEADER + "\n" + CSV_ROWS, True),
    "a quote far behind": (CSV_HEADER + CSV_ROWS + '1,"2024-01-01 00:00",1\n', False),
    "a CR alone far behind": (CSV_HEADER + CSV_ROWS + "1,2024-01-01 00:00,1\r2,2024-01-01 00:00,1\n", False),
    "one line": (CSV_HEADER[:-1] + "x" * 40_000, False),
    "another header": ("a,b,c\n" + CSV_ROWS, False),
    "not UTF-8": ((CSV_HEADER + CSV_ROWS).encode() + b"\xff", False),
    "a surrogate": ((CSV_HEADER + CSV_ROWS).encode() + b"\xed\xa0\x80", False),
}


@pytest.mark.parametrize("case", CSV)
def test_a_csv_file_longer_than_its_beginning(lake, tmp_path, case):
    text, is_plain = CSV[case]
    said = {"meter": "meter", "timestamp": "time", "timestamp_format": "yyyy-MM-dd HH:mm", "value": "kWh"}
    feed = Feed(name="power", format="csv", path="x", time_zone="UTC", csv={"label": "start", **said})
    content = text if isinstance(text, bytes) else text.encode()
    alone, spread, not_read = inspected(lake, in_folder(feed, tmp_path / "landing"), {"day.csv": content})
    assert spread == alone
    assert not_read == is_plain


def test_a_file_that_went_is_told_by_the_driver_and_the_others_are_sound(lake, tmp_path):
    feed = in_folder(Feed(name="gas", format="smrt", path="x", company="ABC"), tmp_path / "landing")
    names = [f"PN{n:06}.SMRT" for n in range(1, 4)]
    for name in names:
        text = HEADER.replace("PN000001", name[:8]) + RECORD + '"TRAIL"\n'
        (Path(feed.path) / name).write_text(text)
    found, form = landing.find(feed), formats.format_of(feed)
    (Path(feed.path) / names[1]).unlink()
    said = by_executors.inspect(lake(feed), found, feed, form.inspect, form.outline)
    assert [(each.file_name, each.reason_code) for each in said] == [
        (names[0], None),
        (names[1], "UNREADABLE"),
        (names[2], None),
    ]
    assert [each.rows_read for each in said] == [1, 0, 1]
