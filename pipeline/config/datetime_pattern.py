"""Datetime patterns, with the letters of Spark's: read into parts, of which both Spark and Python make their reading.

What cannot be read the same way by both is refused here, before the first file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

# Of a run of a letter: the field, and the digits that it may have. `S` takes as many digits as there are letters.
FIELDS = {
    "yyyy": ("year", 4, 4),
    "uuuu": ("year", 4, 4),
    "y": ("year", 4, 4),
    "u": ("year", 4, 4),
    "yy": ("short_year", 2, 2),
    "uu": ("short_year", 2, 2),
    "MM": ("month", 2, 2),
    "M": ("month", 1, 2),
    "LL": ("month", 2, 2),
    "L": ("month", 1, 2),
    "dd": ("day", 2, 2),
    "d": ("day", 1, 2),
    "HH": ("hour", 2, 2),
    "H": ("hour", 1, 2),
    "hh": ("half_day_hour", 2, 2),
    "h": ("half_day_hour", 1, 2),
    "mm": ("minute", 2, 2),
    "m": ("minute", 1, 2),
    "ss": ("second", 2, 2),
    "s": ("second", 1, 2),
}
# Fields that are no digits, each with its pattern, which is the same in Python and Java.
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_HOURS, _MINUTES = "(?:0[0-9]|1[0-8])", "[0-5][0-9]"
WORDS = {
    "MMM": ("month_name", f"(?i:{'|'.join(name[:3] for name in MONTHS)})"),
    "LLL": ("month_name", f"(?i:{'|'.join(name[:3] for name in MONTHS)})"),
    "MMMM": ("month_name", f"(?i:{'|'.join(MONTHS)})"),
    "LLLL": ("month_name", f"(?i:{'|'.join(MONTHS)})"),
    "a": ("half_day", "(?i:AM|PM)"),
    "X": ("offset", f"(?:Z|[+-]{_HOURS}(?:{_MINUTES})?)"),
    "XX": ("offset", f"(?:Z|[+-]{_HOURS}{_MINUTES})"),
    "XXX": ("offset", f"(?:Z|[+-]{_HOURS}:{_MINUTES})"),
    "x": ("offset", f"(?:[+-]{_HOURS}(?:{_MINUTES})?)"),
    "xx": ("offset", f"(?:[+-]{_HOURS}{_MINUTES})"),
    "xxx": ("offset", f"(?:[+-]{_HOURS}:{_MINUTES})"),
    "Z": ("offset", f"(?:[+-]{_HOURS}{_MINUTES})"),
    "ZZ": ("offset", f"(?:[+-]{_HOURS}{_MINUTES})"),
    "ZZZ": ("offset", f"(?:[+-]{_HOURS}{_MINUTES})"),
    "ZZZZZ": ("offset", f"(?:Z|[+-]{_HOURS}:{_MINUTES})"),
}
MOST_FRACTION = 9
# Kinds of parts that say nothing of the time: an interval begins on a whole second.
UNREAD = {"literal", "fraction", "[", "]"}
OF_WORDS = {"short_year", "month_name", "half_day_hour", "half_day", "offset"}
_PIECES = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|.", re.DOTALL)


@dataclass(frozen=True)
class Part:
    """A field with its pattern, a literal, or the beginning or end of an optional section."""

    kind: str
    pattern: str = ""
    # Characters that it takes; 0 if that varies.
    width: int = 0


@dataclass(frozen=True)
class DatetimePattern:
    """A pattern's parts; `regex` has one group for each of `fields`, in this order, and matches the whole text."""

    parts: tuple[Part, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields in the order of the pattern; a fraction, which must be zero, is none."""
        return tuple(part.kind for part in self.parts if part.kind not in UNREAD)

    @property
    def regex(self) -> str:
        """The pattern of a whole text, for Python and Java alike."""
        opened = {"[": "(?:", "]": ")?"}
        texts = [
            opened.get(part.kind) or (part.pattern if part.kind in UNREAD else f"({part.pattern})")
            for part in self.parts
        ]
        return "".join(texts)

    @property
    def is_plain(self) -> bool:
        """Whether it is numbers only, each of them always there."""
        return not {"[", *OF_WORDS} & {part.kind for part in self.parts}

    @property
    def has_offset(self) -> bool:
        """Whether a text may hold an offset from UTC."""
        return "offset" in self.fields


@cache
def parsed(pattern: str) -> DatetimePattern:
    """The parts of a pattern; raises ValueError for one that Python and Spark would not read alike."""
    parts = [_part(found) for found in _PIECES.finditer(pattern)]
    _must_be_whole(pattern, parts)
    return DatetimePattern(tuple(parts))


def _part(found: re.Match[str]) -> Part:
    text = found[0]
    if text in {"[", "]"}:
        return Part(text)
    if found[2] is not None:
        return _field(text)
    literal = (found[1] or "").replace("''", "'") if text.startswith("'") and text != "'" else text
    if text in set("'#{}"):
        said = "opens a quote that is not closed" if text == "'" else "has a meaning of its own: quote it"
        message = f"{text} {said}"
        raise ValueError(message)
    literal = "'" if text == "''" else literal
    return Part("literal", re.escape(literal), len(literal))


def _field(letters: str) -> Part:
    if letters in FIELDS:
        kind, least, most = FIELDS[letters]
        digits = f"[0-9]{{{least}}}" if least == most else f"[0-9]{{{least},{most}}}"
        return Part(kind, digits, most if least == most else 0)
    if letters in WORDS:
        return Part(*WORDS[letters])
    if set(letters) == {"S"} and len(letters) <= MOST_FRACTION:
        return Part("fraction", f"0{{{len(letters)}}}", len(letters))
    message = f"{letters} cannot be read: use y, M, d, H, h, a, m, s, S, X, x, Z, and text in single quotes"
    raise ValueError(message)


def _must_be_whole(pattern: str, parts: list[Part]) -> None:
    fields = [part.kind for part in parts if part.kind not in {"literal", "[", "]"}]
    names = [{"short_year": "year", "month_name": "month", "half_day_hour": "hour"}.get(name, name) for name in fields]
    message = None
    if twice := [name for name in names if names.count(name) > 1]:
        message = f"says the {twice[0].replace('_', ' ')} twice"
    elif missing := [name for name in ("year", "month", "day") if name not in names]:
        message = f"does not say the {missing[0]}"
    elif ("half_day_hour" in fields) != ("half_day" in fields):
        message = "h (1 to 12) and a (AM or PM) need each other; the hour of the day is H"
    elif "minute" in names and "hour" not in names:
        message = "says the minute but not the hour"
    elif not _is_balanced(parts):
        message = "has a bracket without its other one"
    elif _runs_together(parts):
        message = "has numbers of varying length side by side: write two letters (dd, MM, HH)"
    if message:
        said = f"{pattern!r} {message}"
        raise ValueError(said)


def _is_balanced(parts: list[Part]) -> bool:
    depth = 0
    for part in parts:
        depth += {"[": 1, "]": -1}.get(part.kind, 0)
        if depth < 0:
            return False
    return depth == 0


def _runs_together(parts: list[Part]) -> bool:
    """Whether a number of varying length stands beside another number: where one ends would be a guess."""
    shown = [part for part in parts if part.kind not in {"[", "]"}]
    return any(
        0 in {one.width, other.width} and one.pattern.startswith("[0-9]") and other.pattern.startswith("[0-9]")
        for one, other in pairwise(shown)
    )


# ISO 8601: a date, or a date and a time with `T` or a blank between; seconds, a fraction (zero) and an offset may come.
ISO = DatetimePattern(
    (
        Part("year", "[0-9]{4}", 4),
        Part("literal", "-", 1),
        Part("month", "[0-9]{2}", 2),
        Part("literal", "-", 1),
        Part("day", "[0-9]{2}", 2),
        Part("["),
        Part("literal", "[T ]", 1),
        Part("hour", "[0-9]{2}", 2),
        Part("literal", ":", 1),
        Part("minute", "[0-9]{2}", 2),
        Part("["),
        Part("literal", ":", 1),
        Part("second", "[0-9]{2}", 2),
        Part("["),
        Part("literal", "[.,]", 1),
        Part("fraction", "0{1,9}"),
        Part("]"),
        Part("]"),
        Part("["),
        Part("literal", " ?"),
        Part("offset", f"(?:Z|[+-]{_HOURS}(?::?{_MINUTES})?)"),
        Part("]"),
        Part("]"),
    )
)
