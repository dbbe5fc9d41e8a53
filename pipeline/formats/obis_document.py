"""OBIS JSON on the driver: which codes are accepted, and whether a file has the right shape.

Files that match the simple grammar below, as nearly all do, are accepted without parsing; the others are parsed in
Python for an exact verdict.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.formats import json_document
from pipeline.formats.json_document import BLANKS, COLON, VALUE, Pairs, kind, object_of

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

# The codes that are accepted, in upper case -> direction.
DIRECTION_OF = {"0100011D00FF": "import", "0100021D00FF": "export"}
# The meaning of a code's third and fourth number.
IMPORT, EXPORT = 1, 2
REGISTER, INTERVAL = 8, 29
OWN_KEYS = ("measurement", "timestamp", "tags")
ENERGY = "energy"
TAGS = ("muid", "quality")

# The simple grammar: strict JSON of the right shape, without escapes and nested values.
_TAGS = object_of(rb'"(?:muid|quality)"' + COLON + VALUE)
_KEY = rb'"(?:timestamp|0100021[Dd]00[Ff]{2}|0100011[Dd]00[Ff]{2})"'
_MEASUREMENT = rb'"measurement"' + COLON + rb'(?:"energy"|null)'
_RECORD = object_of(rb"(?:" + _KEY + COLON + VALUE + rb"|" + _MEASUREMENT + rb'|"tags"' + COLON + _TAGS + rb")")
# A record and what separates it from the next: a comma and an opening brace, or the array's end.
PLAIN_RECORD = _RECORD + BLANKS + rb"(?:,(?=" + BLANKS + rb"\{)|(?=\]))"
BEFORE_RECORDS = rb"\{" + BLANKS + rb'"data"' + COLON + rb"\["
AFTER_RECORDS = BLANKS + rb"\]" + BLANKS + rb"\}"


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:  # noqa: ARG001 - a format's
    """The delivery with its number of records, refused if it is not one complete OBIS document."""
    body = json_document.body_of(content)
    if refused := json_document.refused_at_first_sight(content, body, delivery):
        return refused
    records = _plain_records(body)
    return diagnose(content, delivery, feed) if records is None else replace(delivery, rows_read=records)


def _plain_records(body: bytes) -> int | None:
    """The number of records in a document of the simple grammar, None for any other.

    Every record is removed together with its separator: only the empty array is left of a document that matches from
    end to end. Three times faster than counting keys and braces, five times faster than parsing (measured).
    """
    before = re.match(BEFORE_RECORDS, body)
    if before is None:
        return None
    rest, records = re.subn(PLAIN_RECORD, b"", body[before.end() :])
    return records if re.fullmatch(AFTER_RECORDS, rest) else None


def diagnose(content: bytes, delivery: Delivery, feed: Feed) -> Delivery:  # noqa: ARG001 - a format's
    """The exact verdict on a delivery, by parsing all of it; for those that are not simple or that Spark refused."""
    root = json_document.root_of(content, delivery)
    if not isinstance(root, Pairs):
        return root
    keys = [key for key, _ in root.pairs]
    if keys != ["data"]:
        return delivery.refused("WRONG_SHAPE", f"the document's keys are {json.dumps(keys)[:200]}, not one 'data'")
    ((_, data),) = root.pairs
    if not isinstance(data, list):
        return delivery.refused("WRONG_SHAPE", f"data is {kind(data)}, not an array")
    for number, record in enumerate(data, start=1):
        if objection := _objection_to_record(record):
            return delivery.refused("WRONG_SHAPE", f"record {number}: {objection}")
    return replace(delivery, rows_read=len(data))


def _objection_to_record(record: object) -> str | None:
    if not isinstance(record, Pairs):
        return f"{kind(record)} instead of an object"
    for key, value in record.pairs:
        objection = None
        if key == "tags":
            objection = _objection_to_tags(value)
        elif key == "measurement":
            objection = _objection_to_measurement(value)
        elif key not in OWN_KEYS:
            objection = objection_to_code(key)
        if objection:
            return objection
    return None


def _objection_to_measurement(value: object) -> str | None:
    """What is wrong with the measurement; a record without one is of energy."""
    if value is None or (type(value) is str and value == ENERGY):
        return None
    said = repr(str(value)[:40]) if isinstance(value, str) else kind(value)
    return f"measurement is {said}, not {ENERGY!r}"


def _objection_to_tags(tags: object) -> str | None:
    if not isinstance(tags, Pairs):
        return f"tags is {kind(tags)}, not an object"
    for key, value in tags.pairs:
        if key not in TAGS:
            return f"tags holds {key[:40]!r}, which is neither muid nor quality"
        if isinstance(value, (Pairs, list)):
            return f"{key} is {kind(value)}, not a text"
    return None


def objection_to_code(key: str) -> str | None:
    """What is wrong with a key as the OBIS code of an interval's energy, or None.

    >>> objection_to_code("0100010800FF")
    '0100010800FF is 1-0:1.8.0*255, a cumulative register, not energy of an interval'
    """
    if not re.fullmatch(r"[0-9A-Fa-f]{12}", key):
        return f"key {key[:40]!r} is not an OBIS code"
    if key.upper() in DIRECTION_OF:
        return None
    a, b, c, d, e, f = bytes.fromhex(key)
    named = f"{key} is {a}-{b}:{c}.{d}.{e}*{f}"
    if d == REGISTER:
        return f"{named}, a cumulative register, not energy of an interval"
    if d != INTERVAL:
        return f"{named}, which is not energy of an interval"
    if c not in {IMPORT, EXPORT}:
        return f"{named}, which is not active import or export"
    return f"{named}, which is neither 1-0:1.29.0*255 nor 1-0:2.29.0*255"
