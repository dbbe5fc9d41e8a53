"""What becomes of a file of interval arrays, read from the contract (sections 1 to 3) in plain Python and pyarrow's types."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pyarrow as pa

ZONE = ZoneInfo("Europe/Vilnius")
COLUMNS = ("client_id", "date", "ext_dev_ref", "energy_consumption", "resolution")
FILE_CODES = ("EMPTY_FILE", "BAD_FILE_NAME", "WRONG_SHAPE", "COLUMNS_MISSING", "UNREADABLE")
ROW_CODES = (
    "METER_ID_MISSING",
    "INTERVAL_START_INVALID",
    "INTERVAL_OUT_OF_RANGE",
    "CONSUMPTION_INVALID",
    "CONSUMPTION_NEGATIVE",
    "ARRAY_LENGTH_INVALID",
    "NONEXISTENT_POSITION",
)
QUARTER = timedelta(minutes=15)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2021, 11, 8, tzinfo=UTC)  # a week after all files came
LARGEST = 10**12 - 1
MILLION = 1_000_000
MINUTES = (60, 30, 15)


def verdict(name, content, table, codec):
    """(code, None) of a refused file, (None, rows) of a sound one."""
    if not content:
        return "EMPTY_FILE", None
    # The contract names the ending; that Spark cannot read names with a leading `_` or a `:` is in the README.
    if not name.endswith(".parquet") or name[0] == "_" or ":" in name:
        return "BAD_FILE_NAME", None
    names = table.column_names
    names = [name.lower() for name in names]
    if not set(COLUMNS) <= set(names):
        return "COLUMNS_MISSING", None
    # Further columns are kept; of a file without rows the types say nothing.
    known = [field.with_name(name) for field, name in zip(table.schema, names, strict=True) if name in COLUMNS]
    if len(set(names)) < len(names) or (table.num_rows and not all(map(_is_right, known))):
        return "WRONG_SHAPE", None
    table = table.rename_columns(names)
    # The contract is silent on compressions; Spark has no Brotli.
    if codec == "brotli":
        return "UNREADABLE", None
    rows = zip(*(table[name].to_pylist() for name in ("ext_dev_ref", "date", "energy_consumption")), strict=True)
    return None, [each for n, row in enumerate(rows, start=1) for each in _judged(n, *row)]


def _is_right(field):
    kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
    if field.name == "energy_consumption":
        lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
        numbers = (pa.types.is_integer, pa.types.is_float32, pa.types.is_float64, pa.types.is_decimal128)
        return any(is_one(kind) for is_one in lists) and any(is_one(kind.value_type) for is_one in numbers)
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    if any(is_one(kind) for is_one in texts):
        return True
    if field.name == "date":
        return pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    return pa.types.is_integer(kind)


def _day(value):
    """The day of a date, of a timestamp at midnight, or of a text that says one of both; else None."""
    if isinstance(value, datetime):
        return value.date() if value.time() == datetime.min.time() else None
    if isinstance(value, date):
        return value
    if value is None or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00)?", value):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


@cache
def quarters(day):
    """(instant, minutes of the wall clock since midnight) of each quarter hour of a local day, in order."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=6)
    found = []
    for n in range(4 * 36):
        try:
            instant = begin + n * QUARTER
            shown = instant.astimezone(ZONE)
        except OverflowError:  # after the last hour of the year 9999
            break
        if shown.date() == day:
            found.append((instant, shown.hour * 60 + shown.minute))
    return found


def _judged(number, meter, day, values):
    """(row_number, code, meter, start in seconds, millionths, minutes, quality), values only of what passes.

    A row that is refused as a whole is one; else one an element that is refused, and one a reading; a row of no
    readings is one too.
    """
    meter, day = None if meter is None else str(meter), _day(day)
    if meter is None or not meter.strip(" \t\r\n"):
        yield number, "METER_ID_MISSING", meter, None, None, None, None
    elif day is None:
        yield number, "INTERVAL_START_INVALID", meter, None, None, None, None
    elif day < EPOCH.date() or quarters(day)[0][0] > LAST:
        yield number, "INTERVAL_OUT_OF_RANGE", meter, None, None, None, None
    else:
        minutes, places = _places(day, len(values or []))
        if not minutes:
            yield number, "ARRAY_LENGTH_INVALID", meter, None, None, None, None
            return
        yield from _elements(number, meter, values, minutes, places)


def _places(day, length):
    """(minutes of an interval, the instants of each element), (None, None) for a length that fits nothing."""
    whole = quarters(day)
    if length == 1:
        return 15 * len(whole), [[whole[0][0]]]
    for minutes in MINUTES:
        step = minutes // 15
        if length == len(whole) // step:
            return minutes, [[instant] for instant, _ in whole[::step]]
    for minutes in MINUTES:
        if length == 24 * 60 // minutes:
            shown = [wall for _, wall in whole]
            positions = [n * minutes for n in range(length)]
            return minutes, [[whole[n][0] for n, wall in enumerate(shown) if wall == at] for at in positions]
    return None, None


def _elements(number, meter, values, minutes, places):
    found = False
    for value, instants in zip(values, places, strict=True):
        if value is None:
            continue
        found = True
        code = None
        if instants and max(instants) > LAST:
            code = "INTERVAL_OUT_OF_RANGE"
        elif abs(value) > LARGEST:
            code = "CONSUMPTION_INVALID"
        elif value < 0:
            code = "CONSUMPTION_NEGATIVE"
        elif not instants:
            code = "NONEXISTENT_POSITION"
        if code:
            yield number, code, meter, None, None, None, None
            continue
        for instant in instants:
            start = (instant - EPOCH) // timedelta(seconds=1)
            quality = "split" if len(instants) > 1 else None
            yield number, None, meter, start, value * MILLION // len(instants), minutes, quality
    if not found:
        yield number, None, meter, None, None, minutes, None
