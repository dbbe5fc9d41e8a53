"""What becomes of a NEM12 file, read from the contract (sections 1 to 3) in plain Python; it shares nothing with ours."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from tests.fuzz.numbers import millionths
from tests.fuzz.smrt_oracle import fields_of

FILE_CODES = (
    "EMPTY_FILE",
    "BAD_FILE_NAME",
    "NOT_UTF8",
    "HEADER_MISSING",
    "HEADER_INVALID",
    "TRAILER_MISSING",
    "TRAILER_NOT_LAST",
    "UNKNOWN_RECORD",
    "WRONG_SHAPE",
)
ROW_CODES = (
    "FIELD_COUNT",
    "METER_ID_MISSING",
    "DIRECTION_UNKNOWN",
    "INTERVAL_START_INVALID",
    "INTERVAL_OUT_OF_RANGE",
    "CONSUMPTION_INVALID",
    "CONSUMPTION_NEGATIVE",
    "ARRAY_LENGTH_INVALID",
)
POWERS = {"KWH": 0, "WH": -3, "MWH": 3}
DIRECTIONS = {"E": "import", "B": "export"}
BLANK = " \t"
DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all is UTC
LAST = datetime(2021, 11, 8)  # noqa: DTZ001 - a week after all files came
AHEAD = timedelta(hours=10)


def verdict(name, content):
    """(code, None) of a refused file, (None, rows) of a sound one."""
    # The contract names the ending; that Spark cannot read names with a leading `_` or a `:` is in the README.
    codes = set() if name.lower().endswith(".csv") and name[0] != "_" and ":" not in name else {"BAD_FILE_NAME"}
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return min(codes | {"NOT_UTF8"}, key=FILE_CODES.index), None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    lines = [line for line in lines if line.strip(BLANK + "\r")]
    if not lines:
        codes.add("EMPTY_FILE")
    records = [(_record(line), line) for line in lines]
    codes |= _problems(records) if lines and not codes else set()
    if codes:
        return min(codes, key=FILE_CODES.index), None
    return None, list(_rows(records))


def _record(line):
    """The record's number; for a line with an odd quote, its first word."""
    # Further carriage returns at the end of a line (a file sent twice as text) are silence of the contract.
    fields = fields_of(line.rstrip("\r"))
    if fields is not None:
        return fields[0]
    word = line.lstrip(BLANK).removeprefix('"')
    after = word[3:4]
    return "" if after == "_" or (after.isascii() and after.isalnum()) else word[:3]


def _is_trailer(record, line):
    fields = fields_of(line.rstrip("\r"))
    return record == "900" and fields is not None and not any(fields[1:])


def _problems(records):
    codes = set()
    (first, header), *rest = records
    fields = fields_of(header.rstrip("\r"))
    if first != "100":
        return {"HEADER_MISSING"}
    if fields is None or len(fields) < 2 or fields[1].upper() != "NEM12":
        codes.add("HEADER_INVALID")
    if any(record == "100" for record, _ in rest):
        codes.add("HEADER_INVALID")
    trailers = [n for n, each in enumerate(rest) if _is_trailer(*each)]
    if not trailers:
        codes.add("TRAILER_MISSING")
    elif trailers[0] != len(rest) - 1:
        codes.add("TRAILER_NOT_LAST")
    # A 400 or 500 record says something of a day, so one stands before it, perhaps with others in between.
    if any(later in {"400", "500"} and earlier in {"100", "200"} for (earlier, _), (later, _) in pairwise(records)):
        codes.add("WRONG_SHAPE")
    others = [record for record, line in rest if not _is_trailer(record, line)]
    if any(record not in {"100", "200", "300", "400", "500"} for record in others):
        codes.add("UNKNOWN_RECORD")
    return codes


def _rows(records):
    """Judged rows: each 300 record with the last 200 before it, and the 400 records up to the next 200 or 300."""
    details, number, at = [], 0, 0
    while at < len(records):
        record, line = records[at]
        at += 1
        if record == "200":
            details = fields_of(line) or []
        elif record == "300":
            number += 1
            ranges = []
            while records[at][0] in {"400", "500"}:
                ranges.append(fields_of(records[at][1]) or [])
                at += 1
            yield from _judged(number, details, fields_of(line), ranges)


def _judged(number, details, fields, ranges):
    """(row_number, code, meter, start in seconds, millionths, minutes, direction, quality) of a row's readings.

    Except for the meter, the values after the code are only of readings; a row without any is one of none.
    """
    nmi, suffix, unit, length = ((details + [""] * 9)[n] for n in (1, 4, 7, 8))
    meter = f"{nmi}/{suffix}" if nmi and suffix else None
    nothing = (meter, None, None, None, None, None)
    if unit and unit.upper() not in POWERS:
        yield number, None, *nothing
        return
    values, method = _values((fields or [])[2:])
    day = _day((fields or [])[1:2])
    minutes = int(length) if length.lstrip("0") in {"5", "15", "30"} and length.isascii() else None
    direction = DIRECTIONS.get(suffix[:1].upper())
    broken = {
        "FIELD_COUNT": fields is None or (meter and not unit),
        "METER_ID_MISSING": meter is None,
        "DIRECTION_UNKNOWN": direction is None,
        "INTERVAL_START_INVALID": day is None,
        "INTERVAL_OUT_OF_RANGE": day is not None and (day < EPOCH or day > LAST + AHEAD),
        "ARRAY_LENGTH_INVALID": minutes is None or len(values) * minutes != 24 * 60,
    }
    code = next((code for code in ROW_CODES if broken.get(code)), None)
    if code:
        yield number, code, *nothing
        return
    found = False
    for place, text in enumerate(values, start=1):
        if not text.strip(" \t\r\n"):
            continue
        found = True
        start, amount = day - AHEAD + timedelta(minutes=minutes * (place - 1)), millionths(text, POWERS[unit.upper()])
        broken = {
            "INTERVAL_OUT_OF_RANGE": start > LAST,
            "CONSUMPTION_INVALID": amount is None,
            "CONSUMPTION_NEGATIVE": amount is not None and amount < 0,
        }
        code = next((code for code in ROW_CODES if broken.get(code)), None)
        if code:
            yield number, code, *nothing
        else:
            quality = _quality(place, ranges) or method or None
            yield number, None, meter, (start - EPOCH) // timedelta(seconds=1), amount, minutes, direction, quality
    if not found:
        yield number, None, *nothing


def _values(fields):
    """(what stands before the first quality method, the method); without one, empty fields at the end are cut off."""
    for at, text in enumerate(fields):
        if 0 < len(text) <= 3 and text[0] in LETTERS and set(text[1:]) <= set(DIGITS):
            return fields[:at], text
    while fields and not fields[-1]:
        fields = fields[:-1]
    return fields, None


def _quality(place, ranges):
    """The last one of a range that covers the place."""
    found = None
    for fields in ranges:
        record, first, last, quality = (fields + [""] * 4)[:4]
        numbers = all(0 < len(text) <= 4 and set(text) <= set(DIGITS) for text in (first, last))
        if record == "400" and quality and numbers and int(first) <= place <= int(last):
            found = quality
    return found


def _day(texts):
    if not texts or len(texts[0]) != 8 or not set(texts[0]) <= set(DIGITS):
        return None
    try:
        return datetime(int(texts[0][:4]), int(texts[0][4:6]), int(texts[0][6:]))  # noqa: DTZ001
    except ValueError:
        return None
