"""Files of the project's other formats, known by their content, and their entries."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.guess import words
from pipeline.guess.csv_entry import UnknownFileError
from pipeline.guess.entry import Entry
from pipeline.guess.whose import HOW_TO_FIND_THE_ZONE

if TYPE_CHECKING:
    from pathlib import Path

PARQUET = b"PAR1"
_BOM = b"\xef\xbb\xbf"
_OBIS = re.compile(rb'"[0-9A-Fa-f]{12}"\s*:')
_HEADER = re.compile(r'[ \t"]*HEADR[" \t]*,[^,]*,[ \t"]*([A-Za-z0-9]+)')
_ESPI = re.compile(rb"<(?:\w+:)?(?:IntervalBlock|UsagePoint|IntervalReading)\b|naesb\.org/espi")
_COLUMNS = re.compile(rb'"columns"\s*:\s*(\[[^\[\]]*\])')
NEM13 = "it is NEM13, register readings months apart: Meterlake loads intervals, which NEM12 holds; ask for that"
ASK_FOR_ZONE = f"the file does not say its zone. {HOW_TO_FIND_THE_ZONE}"


def entry_of(path: Path, head: bytes, feed: dict[str, object]) -> Entry | None:
    """The entry of a file that is no delimited text; None where it is one. `feed` holds its name and path."""
    body = head.removeprefix(_BOM).lstrip()
    if body.startswith(PARQUET):
        return _parquet(path, feed)
    if body.startswith((b"{", b"[")):
        return _json(body, feed)
    if body.startswith(b"<"):
        if not _ESPI.search(head):
            raise UnknownFileError("it is XML, and not Green Button's (no IntervalBlock)")
        return _green_button(feed)
    first = body.split(b"\n", 1)[0].decode("utf-8", "replace")
    if found := _HEADER.match(first):
        return Entry({**_kind(feed, "smrt"), "company": found[1]})
    if re.match(r'"?100"?,"?NEM13\b', first):
        raise UnknownFileError(NEM13)
    if re.match(r'"?(100"?,"?NEM12|200"?,)', first):
        return _nem12(feed, has_header=first.lstrip('"').startswith("100"))
    return None


def _kind(feed: dict[str, object], form: str) -> dict[str, object]:
    return {"name": feed["name"], "format": form, "path": feed["path"]}


def _parquet(path: Path, feed: dict[str, object]) -> Entry:
    from pipeline.formats.parquet_file import COLUMNS  # noqa: PLC0415 - with a parquet file only

    try:
        names = [name.lower() for name in pq.read_schema(path).names]
    except (pa.ArrowException, OSError) as problem:
        raise UnknownFileError(f"it begins like a parquet file, and is none: {problem}") from None
    if missing := [name for name in COLUMNS if name not in names]:
        raise UnknownFileError(f"it is parquet without the columns of interval_parquet: {', '.join(missing)}")
    entry = Entry({**_kind(feed, "interval_parquet"), "time_zone": "UTC", "unit": "Wh"})
    entry.note("time_zone", ASK_FOR_ZONE)
    entry.note("unit", "Wh or kWh? integers are mostly Wh: a house takes 5,000 to 30,000 Wh a day")
    return entry


def _json(body: bytes, feed: dict[str, object]) -> Entry:
    if found := _COLUMNS.search(body):
        try:
            names = [str(name) for name in json.loads(found[1])]
        except ValueError:
            names = []
        return _split(names, feed)
    if b'"data"' in body and _OBIS.search(body):
        entry = Entry({**_kind(feed, "obis_json"), "interval_minutes": 15, "unit": "kWh"})
        entry.note("interval_minutes", "quarter hours are usual: the distance between two timestamps of a meter")
        entry.note("unit", "kWh or Wh? the file does not say")
        return entry
    raise UnknownFileError("it is JSON, but neither `columns` with `data` nor `data` with OBIS codes")


def _split(names: list[str], feed: dict[str, object]) -> Entry:
    """The entry of a split-JSON document: its three columns by their names."""
    entry = Entry({**_kind(feed, "split_json"), "time_zone": "UTC", "interval_minutes": 30, "unit": "kWh"})
    meter = next((name for some in words.METER for name in names if words.says(name, some)), None)
    start = next((name for name in names if words.says(name, f"{words.START}|timestamp|datetime|time")), None)
    value = next((name for name in names if words.says(name, words.VALUE) and name not in {meter, start}), None)
    known = {"meter_id": meter, "interval_start": start, "consumption": value}
    if lost := [key for key, name in known.items() if name is None]:
        raise UnknownFileError(f"split JSON, but no column of {json.dumps(names)[:200]} looks like {', '.join(lost)}")
    entry.feed["columns"] = known
    entry.note("time_zone", ASK_FOR_ZONE)
    entry.note("interval_minutes", "half hours are usual: the distance between two labels of a meter")
    entry.note("unit", "kWh or Wh? the file does not say")
    return entry


def _green_button(feed: dict[str, object]) -> Entry:
    entry = Entry({**_kind(feed, "green_button"), "time_zone": "UTC", "unit": "Wh"})
    entry.note("time_zone", "its times are instants: this zone only names the local days (America/New_York, …)")
    return entry


def _nem12(feed: dict[str, object], *, has_header: bool) -> Entry:
    entry = Entry({**_kind(feed, "nem12"), "time_zone": "+10:00"})
    if not has_header:
        entry.note("", "no record 100 comes first: it would be refused, HEADER_MISSING")
    return entry
