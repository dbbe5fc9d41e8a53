"""What becomes of a CSV file, read from the contract (sections 1 to 3) in plain Python; it shares nothing with ours.

The dialect is that of csv_files.py: semicolons, decimal commas, ends of half hours in London, in UTF-8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tests.fuzz.numbers import millionths

ZONE = ZoneInfo("Europe/London")
NAME = "CSV"
COLUMNS = ("Meter", "End", "kWh", "Way")
FILE_CODES = ("EMPTY_FILE", "BAD_FILE_NAME", "NOT_UTF8", "HEADER_MISSING", "MALFORMED_CSV", "COLUMNS_MISSING")
ROW_CODES = (
    "FIELD_COUNT",
    "METER_ID_MISSING",
    "METER_ID_INVALID",
    "DIRECTION_UNKNOWN",
    "INTERVAL_START_INVALID",
    "LOCAL_TIME_NONEXISTENT",
    "INTERVAL_OUT_OF_RANGE",
    "OFF_GRID",
    "CONSUMPTION_INVALID",
    "CONSUMPTION_NEGATIVE",
)
BLANKS = " \t\r\n"
LABEL = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4}) ([0-9]{1,2}):([0-9]{2})")
NO_ID = re.compile(r"-?[0-9]+(\.[0-9]+([eE][+-]?[0-9]+)?|[eE][+-][0-9]+)|true|false")
MISSING = ("", "-", "NULL", "N/A")
WAYS = {"in": "import", "out": "export"}
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - instants are UTC without saying so
LAST = datetime(2021, 11, 8)  # noqa: DTZ001 - a week after all files came
HALF_HOUR = timedelta(minutes=30)
FIRST = datetime(1, 1, 2)  # noqa: DTZ001


@dataclass
class Row:
    number: int
    fields: list
    is_whole: bool
    local: datetime | None = None
    later: bool = False


def verdict(name, content):  # noqa: C901, PLR0911 - a return a code
    """(code, None) of a refused file, (None, rows) of a sound one."""
    encoding = "utf-8"
    for mark, other in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if content.startswith(mark):
            content, encoding = content[len(mark) :], other
            break
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = None
    if text is not None and not text.strip(BLANKS):
        return "EMPTY_FILE", None
    # Spark reads no name that begins with '_' or holds ':'.
    if not name.lower().endswith(".csv") or name.startswith("_") or ":" in name:
        return "BAD_FILE_NAME", None
    if text is None:
        return "NOT_UTF8", None
    if found := re.match(r'[ \t]*"?sep=[^\r\n]"?[ \t]*(\r\n|\r|\n|$)', text, re.IGNORECASE):
        text = text[found.end() :]
    # One line before the header.
    found = re.search(r"\r\n|\r|\n", text)
    text = text[found.end() :] if found else ""
    if not text.strip(BLANKS):
        return "HEADER_MISSING", None
    records, is_open = records_of(text)
    # A text whose quote is open at its end, and a field of more than a page: the contract does not say where it ends.
    if is_open or ('"' in text and any(len(field) > 131_072 for record in records for field in record)):
        return "MALFORMED_CSV", None
    records = [record for record in records if len(record) > 1 or record[0].strip(BLANKS)]
    if not records:
        return "HEADER_MISSING", None
    header = [field.strip(BLANKS) for field in records[0]]
    while header and not header[-1]:
        header.pop()
    header = names(header)
    if not set(COLUMNS) <= set(header):
        return "COLUMNS_MISSING", None
    places = [header.index(name) for name in COLUMNS]
    return None, list(judged([row_of(n, record, places, len(header)) for n, record in enumerate(records[1:], start=1)]))


def records_of(text):
    """Records as lists of fields, character by character; whether a quote is open at the end."""
    records, record, field, state = [], [], "", "start"
    at = 0
    while at < len(text):
        sign = text[at]
        at += 1
        if state == "quoted":
            if sign != '"':
                field += sign
            elif text[at : at + 1] == '"':
                field += '"'
                at += 1
            else:
                state = "bare"
        elif sign == '"' and state == "start":
            # Spaces before a quote are blanks around the field.
            field, state = "", "quoted"
        elif sign == ";":
            record.append(field)
            field, state = "", "start"
        elif sign in "\r\n":
            if sign == "\r" and text[at : at + 1] == "\n":
                at += 1
            records.append([*record, field])
            record, field, state = [], "", "start"
        else:
            field += sign
            state = "start" if state == "start" and sign == " " else "bare"
    if record or field or state != "start":
        records.append([*record, field])
    return records or [[""]], state == "quoted"


def names(fields):
    found = []
    for name in fields:
        own, number = name, 2
        while own in found:
            own, number = f"{name}.{number}", number + 1
        found.append(own)
    return found


def cell(field):
    """A field's text; what Excel wraps as ="…" is what is in it. A tab before a quote is a blank around it too."""
    text = field.strip(BLANKS)
    found = re.fullmatch(r'="(.*)"', text, re.DOTALL)
    return found[1].strip(BLANKS) if found else text


def row_of(number, record, places, width):
    # Empty fields at the end may be more, or be left out, as long as every column of the feed is there.
    whole = len(record) > max(places) and not any(cell(field) for field in record[width:])
    return Row(number, [cell(record[at]) if at < len(record) else None for at in places], whole)


def local_of(label):
    found = LABEL.fullmatch(label or "")
    if found is None:
        return None
    day, month, year, hour, minute = map(int, found.groups())
    try:
        if (hour, minute) == (24, 0):
            return datetime(year, month, day) + timedelta(days=1)  # noqa: DTZ001
        return datetime(year, month, day, hour, minute)  # noqa: DTZ001
    except (ValueError, OverflowError):
        return None


@cache
def utc_of(local):
    """The instants at which London's clocks showed a time."""
    found = []
    for fold in (0, 1):
        try:
            at = local.replace(tzinfo=ZONE, fold=fold).astimezone(UTC)
            if at.astimezone(ZONE).replace(tzinfo=None) == local:
                found.append(at.replace(tzinfo=None))
        except OverflowError:
            pass
    return sorted(set(found))


def judged(rows):
    for row in rows:
        row.local = local_of(row.fields[1])
    _occurrences(rows)
    for row in rows:
        meter, _, value, way = row.fields
        given = way != "none" and value is not None and value not in MISSING
        code = _code(row) if given else None if row.is_whole else "FIELD_COUNT"
        has_reading = code is None and given
        at = utc_of(row.local) if has_reading else None
        start = (at[-1] if row.later else at[0]) - HALF_HOUR if at else None
        seconds = None if start is None else int((start - EPOCH).total_seconds())
        energy = millionths(value.replace(",", ".")) if has_reading else None
        passed = code is None
        yield row.number, code, meter, seconds, energy, (WAYS.get(way) if passed else None)


def _occurrences(rows):
    of_meter = {}
    for row in rows:
        # Ignored rows are none; rejected ones are.
        if row.local is not None and row.fields[3] != "none":
            of_meter.setdefault(row.fields[0], []).append(row)
    for some in of_meter.values():
        newest_first = some[-1].local < some[0].local
        groups = {}
        for row in some:
            groups.setdefault((row.local, WAYS.get(row.fields[3])), []).append(row)
        for group in groups.values():
            for n, row in enumerate(group):
                row.later = len(group) > 1 and (n == 0) == newest_first


def _code(row):
    meter, _, value, way = row.fields
    at = utc_of(row.local) if row.local is not None else []
    # In the first half hour of the year 1 the interval begins in the year 0, which Python does not have.
    start = at[0] - HALF_HOUR if at and at[0] > FIRST else at[0] if at else None
    shown = start and start.replace(tzinfo=UTC).astimezone(ZONE).replace(tzinfo=None)
    number = None if "." in value else millionths(value.replace(",", "."))
    broken = {
        "FIELD_COUNT": not row.is_whole,
        "METER_ID_MISSING": not meter,
        "METER_ID_INVALID": bool(meter and NO_ID.fullmatch(meter)),
        "DIRECTION_UNKNOWN": way not in WAYS,
        "INTERVAL_START_INVALID": row.local is None,
        "LOCAL_TIME_NONEXISTENT": row.local is not None and not at,
        "INTERVAL_OUT_OF_RANGE": start is not None and (shown < EPOCH or start > LAST),
        "OFF_GRID": shown is not None and bool(shown.minute % 30 or shown.second),
        "CONSUMPTION_INVALID": number is None,
        "CONSUMPTION_NEGATIVE": number is not None and number < 0,
    }
    return next((code for code in ROW_CODES if broken[code]), None)
