"""What would become of a file: its verdict, its rows counted as in the log, its readings, and why rows are refused.

No Spark, no lake. Rows are judged by `row_judge`, meter by meter, with the rules that a run has.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from decimal import Decimal
from heapq import nsmallest
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from pipeline import formats
from pipeline.config.values import DAY_MINUTES
from pipeline.errors import VersionsNeedSparkError
from pipeline.formats.row_readers import READERS
from pipeline.formats.row_rules import BLANKS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import Reading, Row

# Rows that are judged: they are in memory, by meter, for the order of a meter's rows decides repeated times.
MOST_ROWS = 200_000
SHOWN_READINGS = 8
SHOWN_REFUSALS = 20


class Shown(NamedTuple):
    """A reading that passed, with its meter."""

    meter: str
    reading: Reading


class Refused(NamedTuple):
    """A rejected row."""

    row_number: int
    meter: str | None
    reason_code: str
    reason: str


@dataclass
class Day:
    """The energy of a local day and direction, its readings, and how many meters have any."""

    consumption: Decimal = Decimal()
    readings: int = 0
    meters: int = 0
    # Of the meter that has most.
    most_readings: int = 0
    # Of the shortest interval.
    minutes: int = DAY_MINUTES


@dataclass
class Trial:
    """A file's verdict, and of a sound one what its rows give.

    `delivery` has the counts of the log, of the rows that were judged: all of them, or the first `judged` of
    `rows_in_file`; of a format that Python cannot judge none are.
    """

    delivery: Delivery
    rows_in_file: int = 0
    judged: int = 0
    can_be_judged: bool = True
    without_reading: int = 0
    superseded: int = 0
    meters: int = 0
    first: list[Shown] = field(default_factory=list)
    days: dict[tuple[date, str], Day] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)


def inspected(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:
    """The verdict on the file as a whole; its exact one, where its format has a second look."""
    form = formats.format_of(feed)
    digest = hashlib.sha256(content).hexdigest()
    return form.inspect(content, replace(delivery, sha256=digest, size_bytes=len(content)), feed, environment)


def tried(content: bytes, delivery: Delivery, feed: Feed, received: datetime, most_rows: int = MOST_ROWS) -> Trial:
    """The trial of an inspected delivery."""
    if delivery.reason_code or not can_judge(feed):
        return Trial(delivery, rows_in_file=delivery.rows_read, can_be_judged=can_judge(feed))
    try:
        rows = list(islice(READERS[feed.format].rows(content, delivery, feed), most_rows))
    except (ValueError, RecursionError):
        if (diagnose := formats.format_of(feed).diagnose) is None:
            raise
        return Trial(diagnose(content, delivery, feed))
    return of_rows(rows, delivery, feed, received)


def can_judge(feed: Feed) -> bool:
    """Whether Python reads and judges rows of the feed's format."""
    return formats.format_of(feed).row_judge is not None and feed.format in READERS


def of_rows(rows: Iterable[Row], delivery: Delivery, feed: Feed, received: datetime) -> Trial:
    """The trial of a delivery's rows as bronze keeps them, in the order of row_number."""
    judge, reader = formats.format_of(feed).row_judge, READERS[feed.format]
    if judge is None:
        raise VersionsNeedSparkError(feed.name, feed.format)
    found = Trial(delivery, rows_in_file=delivery.rows_read)
    column, trims = judge.columns(feed)[0], judge.trims_meter
    by_meter: defaultdict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        meter = row[column]
        by_meter[meter.strip(BLANKS) if trims and meter else meter].append(row)
        found.judged += 1
    refused: dict[int, Refused] = {}
    for meter, its_rows in by_meter.items():
        readings = list(judge.judged(its_rows, feed, received))
        told = {each.row_number for each in readings if each.reason_code or each.consumption is not None}
        refused |= _refused(meter, readings)
        for row in its_rows:
            if row["row_number"] not in told:
                if why := reader.unread(row, feed, received):
                    refused[row["row_number"]] = Refused(row["row_number"], meter, *why)
                else:
                    found.without_reading += 1
        _add(found, str(meter), [each for each in readings if each.reason_code is None])
    _count(found, refused)
    return found


def _refused(meter: str | None, readings: Iterable[Reading]) -> dict[int, Refused]:
    """Row number -> the first reason for which it is refused."""
    rows: dict[int, Refused] = {}
    for each in readings:
        if each.reason_code is not None:
            rows.setdefault(each.row_number, Refused(each.row_number, meter, each.reason_code, str(each.reason)))
    return rows


def _add(found: Trial, meter: str, passed: list[Reading]) -> None:
    """A meter's readings that passed: of several of one interval the last row counts."""
    current = {(each.direction, each.interval_start): each for each in passed if each.consumption is not None}
    found.superseded += sum(each.consumption is not None for each in passed) - len(current)
    found.meters += bool(current)
    shown = chain(found.first, (Shown(meter, each) for each in current.values()))
    found.first = nsmallest(SHOWN_READINGS, shown, lambda each: (each.reading.row_number, each.reading.interval_start))
    of_day = Counter((each.local_date, str(each.direction)) for each in current.values())
    for each in current.values():
        day = found.days.setdefault((each.local_date, str(each.direction)), Day())
        day.consumption += each.consumption or Decimal()
        day.readings += 1
        day.minutes = min(day.minutes, each.interval_minutes)
    for key, count in of_day.items():
        found.days[key].meters += 1
        found.days[key].most_readings = max(found.days[key].most_readings, count)


def _count(found: Trial, refused: dict[int, Refused]) -> None:
    found.refused = [refused[number] for number in sorted(refused)]
    found.codes = Counter(each.reason_code for each in found.refused)
    accepted = found.judged - len(refused)
    found.delivery = replace(found.delivery, rows_read=found.judged, rows_accepted=accepted, rows_rejected=len(refused))
