"""What becomes of an OBIS-JSON file, read from the contract (sections 1 and 3) in plain Python; it shares nothing with ours."""

from __future__ import annotations

import re
from datetime import datetime

from tests.fuzz.json_oracle import ANYTHING, Object, as_text, is_missing, parsed
from tests.fuzz.numbers import millionths

DIRECTIONS = {"0100011D00FF": "import", "0100021D00FF": "export"}
NAME = "OBIS JSON"
FILE_CODES = ("EMPTY_FILE", "BAD_FILE_NAME", "NOT_UTF8", "MALFORMED_JSON", "WRONG_SHAPE")
ROW_CODES = (
    "FIELD_COUNT",
    "METER_ID_MISSING",
    "INTERVAL_START_INVALID",
    "INTERVAL_OUT_OF_RANGE",
    "OFF_GRID",
    "CONSUMPTION_INVALID",
    "CONSUMPTION_NEGATIVE",
)
# Seconds may be left out or have a fraction of zeros; the contract says no more than `Z`.
TIMESTAMP = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.0+)?)?Z")
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - all is UTC
LAST = datetime(2021, 11, 8)  # noqa: DTZ001 - a week after all files came


def verdict(name, content):
    """(code, None) of a refused file, (None, rows) of a sound one."""
    code, root = parsed(name, content)
    if code:
        return code, None
    if not isinstance(root, Object) or root.names() != ["data"] or not is_array(root[0][1]):
        return "WRONG_SHAPE", None
    records = root[0][1]
    if not all(map(_is_record, records)):
        return "WRONG_SHAPE", None
    return None, [row for n, record in enumerate(records, start=1) for row in _judged(n, record)]


def is_array(value):
    return isinstance(value, list) and not isinstance(value, Object)


def _is_record(record):
    return isinstance(record, Object) and all(_is_member(*member) for member in record)


def _is_member(key, value):
    if key == "tags":
        return _is_tags(value)
    if key == "measurement":
        return value is None or (type(value) is str and value == "energy")
    # The hex digits of a code may be of either case.
    return key == "timestamp" or key.upper() in DIRECTIONS


def _is_tags(tags):
    return isinstance(tags, Object) and all(
        key in {"muid", "quality"} and not isinstance(value, list) for key, value in tags
    )


def _judged(number, record):
    """(row_number, code, meter, start in seconds, millionths, direction, quality) of each reading of a record.

    Except for the meter, the values after the code are given only if it passes; a record without a reading is one row.
    """
    members = dict(record)
    tags = members.get("tags", Object())
    codes = {key.upper(): value for key, value in record if key.upper() in DIRECTIONS}
    names = [key.upper() for key, _ in record]
    # The contract does not define repeated keys: the record is refused, its meter is not defined.
    if len(set(names)) < len(names) or len(set(dict(tags))) < len(tags):
        yield number, "FIELD_COUNT", ANYTHING, None, None, None, None
        return
    meter, quality = as_text(dict(tags).get("muid")), as_text(dict(tags).get("quality"))
    start = _instant(as_text(members.get("timestamp")))
    quality = None if is_missing(quality) else quality
    for name, value in codes.items() or [(None, None)]:
        amount = as_text(value)
        amount = millionths(amount) if isinstance(amount, str) else None
        broken = {
            "METER_ID_MISSING": is_missing(meter),
            "INTERVAL_START_INVALID": start is None,
            "INTERVAL_OUT_OF_RANGE": start is not None and not EPOCH <= start <= LAST,
            "OFF_GRID": start is not None and (start.minute % 15, start.second) != (0, 0),
            "CONSUMPTION_INVALID": name is not None and amount is None,
            "CONSUMPTION_NEGATIVE": amount is not None and amount < 0,
        }
        code = next((code for code in ROW_CODES if broken.get(code)), None)
        if code:
            yield number, code, meter, None, None, None, None
        else:
            seconds = None if amount is None else int((start - EPOCH).total_seconds())
            yield number, None, meter, seconds, amount, DIRECTIONS.get(name), quality


def _instant(label):
    found = TIMESTAMP.fullmatch(label) if isinstance(label, str) else None
    try:
        return datetime(*(int(part or 0) for part in found.groups())) if found else None  # noqa: DTZ001
    except ValueError:
        return None
