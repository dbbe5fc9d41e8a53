"""What becomes of a Green Button file, read from the contract (sections 1 to 3), by the tree that ElementTree makes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from tests.fuzz.json_oracle import ANYTHING
from tests.fuzz.numbers import millionths

ZONE = ZoneInfo("America/New_York")
FILE_CODES = ("EMPTY_FILE", "BAD_FILE_NAME", "NOT_UTF8", "MALFORMED_XML", "WRONG_SHAPE")
ROW_CODES = (
    "METER_ID_MISSING",
    "DIRECTION_UNKNOWN",
    "INTERVAL_START_INVALID",
    "INTERVAL_OUT_OF_RANGE",
    "OFF_GRID",
    "CONSUMPTION_INVALID",
    "CONSUMPTION_NEGATIVE",
)
BLANKS = " \t\r\n"
# The contract does not cover elements in each other deeper than a parser that recurses can follow.
DEEPEST = 100
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2021, 11, 8, tzinfo=UTC)  # a week after all files came
HOUR = 3600


def verdict(name, content):
    """(code, None) of a refused file, (None, rows) of a sound one."""
    if not content.removeprefix(b"\xef\xbb\xbf").strip(BLANKS.encode()):
        return "EMPTY_FILE", None
    # The contract names the ending; that Spark cannot read names with a leading `_` or a `:` is in the README.
    if not name.lower().endswith(".xml") or name[0] == "_" or ":" in name:
        return "BAD_FILE_NAME", None
    try:
        root = _root(content.decode())
    except UnicodeDecodeError:
        return "NOT_UTF8", None
    if root is None:
        return "MALFORMED_XML", None
    if _name(root) != "feed" or _depth(root) > DEEPEST:
        return "WRONG_SHAPE", None
    return None, list(_rows(root))


def _root(text):
    """The root element, None of what is no XML or has a DTD."""
    # A declared encoding other than that of the bytes is the contract's silence: the bytes count.
    text = re.sub(
        r"\A(\ufeff?<\?xml[^>]*?)\s+encoding\s*=\s*(\"[A-Za-z][\w.-]*\"|'[A-Za-z][\w.-]*')", r"\1", text, flags=re.ASCII
    )
    if "<!DOCTYPE" in re.sub(r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", "", text, flags=re.DOTALL):
        return None
    try:
        # ElementTree takes no namespace with a brace.
        text = text.replace("}", ")")
        return ET.fromstring(text.encode())  # noqa: S314 - it is our own, and has no DTD
    except ET.ParseError:
        return None


def _name(element):
    return element.tag.rpartition("}")[2].lower()


def _depth(root):
    deepest, level = 0, [root]
    while level:
        deepest, level = deepest + 1, [child for each in level for child in each]
    return deepest


def _children(element, name):
    return [child for child in element if _name(child) == name]


def _text(element, name):
    """The text of the last child of that name, None where there is none; of nested elements something that is no value."""
    found = _children(element, name)
    if not found:
        return None
    return "<" if len(found[-1]) else (found[-1].text or "").strip(BLANKS)


def _rows(root):
    entries, number = [_Entry(each) for each in _children(root, "entry")], 0
    for entry in entries:
        described = _described(entry, entries)
        for each in entry.inside("intervalblock"):
            for reading in _children(each, "intervalreading"):
                number += 1
                yield number, *_judged(reading, *described)


class _Entry:
    def __init__(self, element):
        self.contents = [each for content in _children(element, "content") for each in content]
        links = [(each.get("rel"), _address(each.get("href", ""))) for each in _children(element, "link")]
        self.own, self.up, self.related = (
            [href for rel, href in links if rel == wanted and href] for wanted in ("self", "up", "related")
        )

    def inside(self, name):
        return [each for each in self.contents if _name(each) == name]

    def belongs_to(self, other, collection):
        """Whether it lies in the other's collection: by the other's links, or by both own links."""
        places = {*self.up, *self.own, *(href[: href.rindex("/")] for href in self.own if "/" in href)}
        return bool(places & {*other.related, *(f"{href}/{collection}" for href in other.own)})


def _address(href):
    return re.split("[?#]", href.strip(BLANKS))[0].rstrip("/")


def _described(entry, entries):
    """(meter, the reading type or None) of an entry's readings."""
    if not entry.inside("intervalblock"):
        return None, None
    of = next(
        (each for each in entries if each.inside("meterreading") and entry.belongs_to(each, "IntervalBlock")), None
    )
    if of is None:
        return None, None
    point = next(
        (each for each in entries if each.inside("usagepoint") and each.own and of.belongs_to(each, "MeterReading")),
        None,
    )
    kinds = [each for each in entries if each.inside("readingtype") and {*each.own} & {*of.related}]
    kind = kinds[0].inside("readingtype")[-1] if kinds else None
    return point and point.own[0].rpartition("/")[2], kind


def _judged(reading, meter, kind):
    """(code, meter, start in seconds, millionths, minutes, direction, quality), values only of readings."""
    facts = [
        kind is not None and _text(kind, name)
        for name in ("uom", "poweroftenmultiplier", "flowdirection", "accumulationbehaviour")
    ]
    uom, power, flow, behaviour = (fact or None for fact in facts)
    nothing = (meter, None, None, None, None, None)
    if uom is not None and (uom != "72" or behaviour in {"1", "3"}):
        return None, *nothing
    period = (_children(reading, "timeperiod") or [ET.Element("x")])[-1]
    start, seconds = _text(period, "start") or "", _text(period, "duration") or ""
    at = _instant(start) if re.fullmatch("[0-9]{1,9}", seconds) else None
    seconds = int(seconds) if at else None
    direction = {"1": "import", "19": "export", None: "import"}.get(flow)
    value = _text(reading, "value") or ""
    amount = None
    if uom and "e" not in value.lower() and re.fullmatch("[+-]?[0-9]{1,3}", power or "0"):
        amount = millionths(f"{value}e{int(power or 0)}")
    broken = {
        "METER_ID_MISSING": not meter,
        "DIRECTION_UNKNOWN": direction is None,
        "INTERVAL_START_INVALID": at is None,
        "INTERVAL_OUT_OF_RANGE": at is not None and (_local(at).date() < EPOCH.date() or at > LAST),
        "OFF_GRID": at is not None and not _is_on_grid(at, seconds),
        "CONSUMPTION_INVALID": amount is None,
        "CONSUMPTION_NEGATIVE": amount is not None and amount < 0,
    }
    code = next((code for code in ROW_CODES if broken.get(code)), None)
    if code:
        return code, *nothing
    return None, meter, (at - EPOCH) // timedelta(seconds=1), amount, seconds // 60, direction, _quality(reading)


def _instant(text):
    if not re.fullmatch("[+-]?[0-9]{1,12}", text):
        return None
    try:
        return EPOCH + timedelta(seconds=int(text))
    except OverflowError:
        return None


def _local(at):
    return at.astimezone(ZONE)


def _is_on_grid(at, seconds):
    """A part of an hour, or whole hours that divide a day; or from one local midnight to the next."""
    local = _local(at)
    if seconds and seconds % 60 == 0 and HOUR % seconds == 0:
        return (local.minute * 60 + local.second) % seconds == 0
    if seconds and seconds % HOUR == 0 and 24 * HOUR % seconds == 0 and not (local.minute or local.second):
        return True
    midnight = datetime(local.year, local.month, local.day, tzinfo=ZONE)
    next_day = local.date() + timedelta(days=1)
    end = datetime(next_day.year, next_day.month, next_day.day, tzinfo=ZONE)
    return at == midnight.astimezone(UTC) and at + timedelta(seconds=seconds) == end.astimezone(UTC)


def _quality(reading):
    codes = [_text(each, "quality") for each in _children(reading, "readingquality")]
    if "<" in codes:
        return ANYTHING  # kept, but the spelling of nested elements is not promised
    return " ".join(code for code in codes if code is not None) or None
