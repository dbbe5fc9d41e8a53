"""How a column writes its times: the datetime pattern that reads all of them, and what they say."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

_DATE = r"(?P<a>[0-9]{1,4})(?P<dash>\. |[-/. ])(?P<b>[0-9]{1,2}|[A-Za-z]{3})(?P=dash)(?P<c>[0-9]{4}|[0-9]{2})"
_COMPACT = r"(?P<ymd>[0-9]{8})"
_CLOCK = (
    r"(?P<hour>[0-9]{1,2})(?P<minutes>:(?P<minute>[0-9]{2}))?(?P<seconds>:(?P<second>[0-9]{2}))?"
    r"(?P<fraction>[.][0-9]{1,9})?(?P<half> ?[AaPp][Mm])?(?P<offset> ?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?))?"
)
_LABEL = re.compile(rf"(?:{_DATE}|{_COMPACT})(?:(?P<between>T| +){_CLOCK})?")
_TIME = re.compile(_CLOCK)
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK_PARTS = ("hour", "minutes", "seconds", "half", "offset")
# The share of the values that a pattern must read; the others become rejected rows.
MOST = 0.9
NOON = 12
LAST_MONTH = 12
THIS_CENTURY = 2000


class Label(NamedTuple):
    """A time as written: the local time without zone, whether it was written as 24:00, and its offset if it has one."""

    at: datetime
    ends_the_day: bool
    offset: timedelta | None


class Pattern(NamedTuple):
    """A datetime pattern (None: ISO 8601), the order of day, month and year, and whether that order is certain."""

    spark: str | None
    order: str
    is_certain: bool
    has_clock: bool
    has_offset: bool
    # What the texts that it reads look like; ISO 8601 needs none.
    shapes: frozenset[tuple[object, ...]] = frozenset()

    def of_hours(self, minute: str) -> str | None:
        """Spark's pattern of times that all stand at this minute, which is text to it; None where it cannot be."""
        spark = self.spark or "yyyy-MM-dd HH:mm"
        return f"{spark.removesuffix(':mm')}:'{minute}'" if spark.endswith(":mm") else None

    def read(self, text: str) -> Label | None:
        """The time of a text; None where the pattern reads none in it."""
        found = _LABEL.fullmatch(text)
        if found is None or not (_ISO.fullmatch(text) if self.spark is None else _shape(found) in self.shapes):
            return None
        return _label(found, self.order)


def is_time(text: str) -> bool:
    """Whether a text is a time of the day, without a date; an hour alone is not."""
    found = _TIME.fullmatch(text)
    return found is not None and found["minutes"] is not None and found["offset"] is None


def pattern_of(values: Collection[str]) -> Pattern | None:
    """The pattern that reads most of the texts; None where none does."""
    distinct = set(values)
    parts = {text: found for text in distinct if (found := _LABEL.fullmatch(text))}
    if not parts or len(parts) < MOST * len(distinct):
        return None
    orders = Counter(_shape(found) for found in parts.values())
    shape = orders.most_common(1)[0][0]
    alike = [found for found in parts.values() if _shape(found) == shape]
    order, is_certain = _order(alike)
    read = [found for found in alike if _label(found, order)]
    if not read or len(read) < MOST * len(distinct):
        return None
    spark, shapes = None, {shape}
    if not all(_ISO.fullmatch(found[0]) for found in alike):
        # Midnight without its time is a date alone.
        bare = (*shape[: -len(_CLOCK_PARTS) - 1], None, *[True] * len(_CLOCK_PARTS))
        is_optional = bare != shape and any(_shape(found) == bare for found in parts.values())
        shapes |= {bare} if is_optional else set()
        spark = _spark(read, order, is_optional=is_optional)
    has_clock, has_offset = read[0]["hour"] is not None, read[0]["offset"] is not None
    return Pattern(spark, order, is_certain, has_clock, has_offset, frozenset(shapes))


def _shape(found: re.Match[str]) -> tuple[object, ...]:
    """What texts of one pattern share."""
    date = ("ymd",) if found["ymd"] else (found["dash"], len(found["a"]) > 2, len(found["c"]), found["b"].isdigit())  # noqa: PLR2004
    clock = [found[part] is None for part in _CLOCK_PARTS]
    return (*date, found["between"], *clock)


def _order(alike: list[re.Match[str]]) -> tuple[str, bool]:
    """The order of the date's three numbers, and whether the values themselves say so."""
    first = alike[0]
    if first["ymd"] or len(first["a"]) == 4:  # noqa: PLR2004 - a year
        return "ymd", True
    if not first["b"].isdigit():
        return "dmy", True
    most_a, most_b = (max(int(found[part]) for found in alike) for part in "ab")
    if most_a > LAST_MONTH or most_b > LAST_MONTH:
        return ("dmy", True) if most_b <= LAST_MONTH else ("mdy", True)
    # Days of a delivery follow each other: read the wrong way they are months apart.
    spans = {}
    for order in ("dmy", "mdy"):
        days = [label.at for found in alike if (label := _label(found, order))]
        spans[order] = max(days) - min(days) if days else timedelta.max
    if spans["dmy"] == spans["mdy"] or first["dash"][0] == ".":
        return "dmy", first["dash"][0] == "."
    return min(spans, key=lambda order: spans[order]), False


def _label(found: re.Match[str], order: str) -> Label | None:
    try:
        day = datetime(*_date(found, order))  # noqa: DTZ001 - a label has no zone
        if found["hour"] is None:
            return Label(day, ends_the_day=False, offset=None)
        hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
        if found["half"]:
            hour = hour % NOON + (NOON if found["half"].strip()[0] in "pP" else 0)
        ends = hour == 24 and not minute and not second  # noqa: PLR2004 - the day's end
        at = day + timedelta(days=1) if ends else day.replace(hour=hour, minute=minute, second=second)
        return Label(at, ends, _offset(found["offset"]))
    except (ValueError, OverflowError):
        return None


def _date(found: re.Match[str], order: str) -> tuple[int, int, int]:
    if found["ymd"]:
        text = found["ymd"]
        return int(text[:4]), int(text[4:6]), int(text[6:])
    numbers = dict(zip(order, (found["a"], found["b"], found["c"]), strict=True))
    year, month = int(numbers["y"]), numbers["m"]
    number = int(month) if month.isdigit() else _MONTHS.index(month.lower()) + 1
    return (year + THIS_CENTURY if len(numbers["y"]) == 2 else year), number, int(numbers["d"])  # noqa: PLR2004


def _offset(text: str | None) -> timedelta | None:
    if text is None:
        return None
    digits = text.strip().replace(":", "")
    if digits == "Z":
        return timedelta()
    span = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:] or 0))
    return timezone(-span if digits[0] == "-" else span).utcoffset(None)


def _spark(read: list[re.Match[str]], order: str, *, is_optional: bool = False) -> str:
    """Spark's datetime pattern: a single letter reads one digit or two."""
    first, padded = read[0], _is_padded(read, order)
    date = "yyyyMMdd"
    if not first["ymd"]:
        letters = {"y": "yyyy" if len(first["abc"[order.index("y")]]) == 4 else "yy"}  # noqa: PLR2004
        letters["d"] = "dd" if padded else "d"
        letters["m"] = ("MM" if padded else "M") if first["abc"[order.index("m")]].isdigit() else "MMM"
        date = first["dash"].join(letters[letter] for letter in order)
    if first["hour"] is None:
        return date
    clock = ("'T'" if first["between"] == "T" else " ") + _clock(first, padded=_padded_hours(read, padded=padded))
    return f"{date}[{clock}]" if is_optional else date + clock


def _is_padded(read: list[re.Match[str]], order: str) -> bool:
    """Whether days and months below ten have a zero; where none is below ten, whether hours have one."""
    parts = ["abc"[order.index(letter)] for letter in "dm"] if not read[0]["ymd"] else []
    numbers = [found[part] for found in read for part in parts if found[part].isdigit()]
    if any(len(number) == 1 for number in numbers):
        return False
    return any(number.startswith("0") for number in numbers) or _padded_hours(read, padded=True)


def _padded_hours(read: list[re.Match[str]], *, padded: bool) -> bool:
    """Whether hours below ten have a zero; `padded` where no hour is below ten."""
    small = [found["hour"] for found in read if found["hour"] and int(found["hour"]) < 10]  # noqa: PLR2004
    return all(len(hour) > 1 for hour in small) if small else padded


def _clock(first: re.Match[str], *, padded: bool) -> str:
    """Spark's pattern of the times of day."""
    fraction = "." + "S" * (len(first["fraction"]) - 1) if first["fraction"] else ""
    hour = ("h" if first["half"] else "H") * (2 if padded else 1)
    text = hour + ":mm" * bool(first["minutes"]) + ":ss" * bool(first["seconds"]) + fraction
    if first["half"]:
        text += " a" if first["half"].startswith(" ") else "a"
    if first["offset"]:
        text += " " * first["offset"].startswith(" ") + "XXX"
    return text
