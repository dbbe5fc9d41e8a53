"""The text above the pictures: what was read, as of when, and what to know about its days and intervals. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.serving.report import words
from pipeline.serving.report.local_time import DAY_MINUTES, interval_name, utc
from pipeline.serving.report.words import count, kwh

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime, timedelta

    from pipeline.serving.report.facts import Extent
    from pipeline.serving.report.local_time import LocalClock


def extent(found: Extent) -> str:
    """How many readings there are, from when to when."""
    days = found.days
    energy = words.listed([f"{kwh(energy)} of {name}" for name, energy in sorted(found.kwh.items())])
    between = (days[-1] - days[0]).days + 1 - len(days)
    gap = f"; {count(between, 'day')} between them {'has' if between == 1 else 'have'} none" if between else ""
    return (
        f"{count(found.readings, 'reading')} of {count(found.meters, 'meter')} on {count(len(days), 'day')} from "
        f"{words.day(days[0])} to {words.day(days[-1])}: {energy}{gap}."
    )


def as_of(versions: Mapping[str, int], received_at: datetime | None) -> str:
    """Which versions of which tables were read, and when the newest delivery in them came."""
    named = words.listed([f"{table} version {version}" for table, version in versions.items()])
    newest = f"; its newest delivery was received at {utc(received_at)}" if received_at else ""
    return f"As of {named}{newest}."


def clock_changes(odd_days: Sequence[tuple[date, timedelta]], clock: LocalClock) -> str:
    """Which days in range do not have 24 hours."""
    if not odd_days:
        return f"Every day with readings has 24 hours in {clock.name}."
    named = [f"{words.day(day)} has {words.hours(length)}" for day, length in odd_days]
    return f"In {clock.name} {words.listed(named)}; the rest have 24."


def lengths(found: Mapping[int, int], grain: int) -> str:
    """Which interval lengths there are, and what follows for figures within the day."""
    named = words.listed([f"{count(readings, 'reading')} of {minutes} minutes" for minutes, readings in found.items()])
    if len(found) == 1:
        return f"There are {named}."
    if grain == DAY_MINUTES:
        return f"There are {named}: each is a day's."
    left_out = sum(readings for minutes, readings in found.items() if minutes > grain)
    rest = f"; {count(left_out, 'longer one')} count from the day on" if left_out else ""
    return f"There are {named}: figures within the day are by the {interval_name(grain)}{rest}."
