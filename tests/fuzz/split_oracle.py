"""What becomes of a split-JSON file, read from the contract (sections 1 to 3) in plain Python; it shares nothing with ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tests.fuzz.json_oracle import ANYTHING, Object, as_text, is_missing, parsed
from tests.fuzz.numbers import millionths

ZONE = ZoneInfo("Europe/London")
COLUMNS = ("interval_start", "meterpoint_id", "consumption_delta")
NAME = "split JSON"
FILE_CODES = ("EMPTY_FILE", "BAD_FILE_NAME", "NOT_UTF8", "MALFORMED_JSON", "WRONG_SHAPE", "COLUMNS_MISSING")
ROW_CODES = (
    "FIELD_COUNT",
    "METER_ID_MISSING",
    "METER_ID_INVALID",
    "INTERVAL_START_INVALID",
    "LOCAL_TIME_NONEXISTENT",
    "INTERVAL_OUT_OF_RANGE",
    "OFF_GRID",
    "CONSUMPTION_INVALID",
    "CONSUMPTION_NEGATIVE",
)
LABEL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - instants are UTC without saying so
LAST = datetime(2021, 11, 8)  # noqa: DTZ001 - a week after all files came
# Numbers with a fraction or a signed exponent, and flags; whether a document had them in quotes bronze does not say.
NO_ID = re.compile(r"-?[0-9]+(\.[0-9]+([eE][+-]?[0-9]+)?|[eE][+-][0-9]+)|true|false")


@dataclass
class Row:
    number: int
    is_whole: bool
    meter: str | None
    local: datetime | None
    consumption: str | None


def verdict(name, content):
    """(code, None) of a refused file, (None, rows) of a sound one."""
    code, root = parsed(name, content)
    if code:
        return code, None
    # Further keys of the document are passed over; the contract does not say.
    if not isinstance(root, Object) or any(root.names().count(key) != 1 for key in ("columns", "data")):
        return "WRONG_SHAPE", None
    columns, data = dict(root)["columns"], dict(root)["data"]
    if not is_array(columns) or not all(type(name) is str for name in columns) or len(set(columns)) < len(columns):
        return "WRONG_SHAPE", None
    # A row that is null is one that is too short; the contract does not say.
    if not is_array(data) or not all(row is None or is_array(row) for row in data):
        return "WRONG_SHAPE", None
    if not set(COLUMNS) <= set(columns):
        return "COLUMNS_MISSING", None
    places = [columns.index(name) for name in COLUMNS]
    rows = [_row(n, cells or [], places, len(columns), cells is None) for n, cells in enumerate(data, start=1)]
    return None, list(_judged(rows))


def is_array(value):
    return isinstance(value, list) and not isinstance(value, Object)


def _row(number, cells, places, width, is_null):
    start, meter, consumption = (as_text(cells[at]) if at < len(cells) else None for at in places)
    meter = meter.strip(" \t\r\n") if isinstance(meter, str) else meter
    local = _local(start) if isinstance(start, str) else None
    return Row(number, len(cells) == width and not is_null, meter, local, consumption)


def _local(label):
    if not LABEL.fullmatch(label):
        return None
    try:
        return datetime(*map(int, re.split("[- :]", label)))  # noqa: DTZ001 - a wall clock
    except ValueError:
        return None


@cache
def instants(local):
    """The instants, one, two or none, at which the wall clock showed a time, ascending."""
    found = set()
    for fold in (0, 1):
        instant = local - local.replace(tzinfo=ZONE, fold=fold).utcoffset()
        if instant.replace(tzinfo=UTC).astimezone(ZONE).replace(tzinfo=None) == local:
            found.add(instant)
    return sorted(found)


def _judged(rows):
    """(row_number, code, meter, start in seconds, millionths) of each row; start and value only where it passes."""
    # Nested values cannot be told apart as meters, so such rows never have a repeated time here.
    of_meter, occurrences = {}, {}
    for row in rows:
        if row.meter is not ANYTHING and row.local is not None:
            of_meter.setdefault(row.meter, []).append(row.local)
            occurrences.setdefault((row.meter, row.local), []).append(row.number)
    for row in rows:
        code = _code(row)
        if code:
            yield row.number, code, row.meter, None, None
            continue
        at = instants(row.local)
        is_later = False
        if len(at) > 1 and row.meter is not ANYTHING:
            labels, numbers = of_meter[row.meter], occurrences[row.meter, row.local]
            is_first, newest_first = row.number == numbers[0], labels[-1] < labels[0]
            is_later = len(numbers) > 1 and is_first == newest_first
        start = (at[-1] if is_later else at[0]) - EPOCH
        yield row.number, None, row.meter, start // timedelta(seconds=1), millionths(row.consumption)


def _code(row):
    value = millionths(row.consumption) if isinstance(row.consumption, str) else None
    local = row.local
    broken = {
        "FIELD_COUNT": not row.is_whole,
        "METER_ID_MISSING": is_missing(row.meter),
        "METER_ID_INVALID": isinstance(row.meter, str) and bool(NO_ID.fullmatch(row.meter)),
        "INTERVAL_START_INVALID": local is None,
        "LOCAL_TIME_NONEXISTENT": local is not None and not instants(local),
        # The earlier instant of a repeated time decides.
        "INTERVAL_OUT_OF_RANGE": local is not None
        and not (local >= EPOCH and all(at <= LAST for at in instants(local)[:1])),
        "OFF_GRID": local is not None and (local.minute % 30, local.second) != (0, 0),
        "CONSUMPTION_INVALID": value is None,
        "CONSUMPTION_NEGATIVE": value is not None and value < 0,
    }
    return next((code for code in ROW_CODES if broken[code]), None)
