"""Folders whose names are dates: which of them are too old to be looked at. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

# 2026/11/30, 2026-11-30, 20261130, year=2026/month=11/day=30, received=2026-11-30, and years and months alike.
_KEY = r"(?:[A-Za-z][A-Za-z0-9_]*=)?"
_DATED = re.compile(
    rf"(?:.*/)?{_KEY}(?P<year>[12][0-9]{{3}})"
    rf"(?:(?:-|/{_KEY}|)(?P<month>[0-9]{{2}})(?:(?:-|/{_KEY}|)(?P<day>[0-9]{{2}}))?)?",
    re.DOTALL,
)


def last_day(folder: str) -> date | None:
    """The last local day that a folder's path names at its end; None where it names none.

    >>> last_day("north/2026/02")
    datetime.date(2026, 2, 28)
    >>> last_day("year=2026/month=11/day=30")
    datetime.date(2026, 11, 30)
    >>> last_day("2026")
    datetime.date(2026, 12, 31)
    >>> last_day("north/12")
    """
    found = _DATED.fullmatch(folder)
    if found is None:
        return None
    year, month = int(found["year"]), int(found["month"] or 12)
    try:
        return date(year, month, int(found["day"]) if found["day"] else monthrange(year, month)[1])
    except ValueError:  # no such month or day
        return None


def is_of_a_day(folder: str) -> bool:
    """Whether a folder's path names a day at its end: what lies in it is not divided further by date."""
    found = _DATED.fullmatch(folder)
    return found is not None and found["day"] is not None and last_day(folder) is not None


def is_before(folder: str, since: date | None) -> bool:
    """Whether all that a folder is for was before that day."""
    last = None if since is None else last_day(folder)
    return last is not None and since is not None and last < since
