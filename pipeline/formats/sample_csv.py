"""Seeded sample deliveries of delimited text: quarter hours as rows, named by their ends, and days of half hours. Pure.

They fit the feeds `berlin` and `leeds` of conf/local.toml, which say how such text is read.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

BERLIN, LONDON = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/London")
# Meters and their directions: the first has solar panels.
BERLIN_METERS = {"50123456789": ("Bezug", "Einspeisung"), "50123456790": ("Bezug",)}
LEEDS_METERS = ["2300000000016", "2300000000025", "2300000000034"]
HEADER = ["Marktlokation", "Richtung", "Datum", "Ende", "Menge kWh", "Status"]
QUARTER, HALF_HOUR = timedelta(minutes=15), timedelta(minutes=30)
HALF_HOURS = [f"{n // 2:02}:{n % 2 * 30:02}" for n in range(48)]
BY_DAY = range(8, 17)


def berlin(dice: random.Random, days: list[date]) -> Iterator[tuple[str, bytes, datetime]]:
    """(Path, bytes, time of arrival): one file a day, with decimal commas and local times that repeat an hour."""
    rows: list[list[str]] = []
    arrival = datetime(2021, 10, 31, 7, tzinfo=UTC)
    for day in days:
        rows = [
            _quarter(dice, meter, way, start)
            for meter, ways in BERLIN_METERS.items()
            for way in ways
            for start in _starts(day, BERLIN, QUARTER)
        ]
        yield f"{day}.csv", _text(";", HEADER, rows), arrival
        arrival += timedelta(days=1)
    evening = [row for row in rows if row[0] == "50123456790" and row[3] in {"18:15", "18:30", "18:45", "19:00"}]
    fixed = [[*row[:4], "0,250", "E"] for row in evening]
    yield f"{days[-1]}-correction.csv", _text(";", HEADER, fixed), arrival
    odd = [
        ["50123456790", "Saldo", "01.11.2021", "12:00", "0,100", "W"],  # neither import nor export
        ["50123456790", "Bezug", "01.11.2021", "24:00", "-", "W"],  # no reading, and no fault
    ]
    yield "odd-rows.csv", _text(";", HEADER, odd), arrival + timedelta(hours=1)
    cut = _text(";", HEADER, rows[:2]) + b'"50123456790;Bezug;01.11'
    yield "cut.csv", cut, arrival + timedelta(hours=2)


def _starts(day: date, zone: ZoneInfo, step: timedelta) -> Iterator[datetime]:
    """The instants at which a local day's intervals begin."""
    moment = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    tomorrow = day + timedelta(days=1)
    end = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone).astimezone(UTC)
    while moment < end:
        yield moment
        moment += step


def _quarter(dice: random.Random, meter: str, way: str, start: datetime) -> list[str]:
    """A row: the label is the end of the quarter hour, 24:00 at the end of the day."""
    begins, end = start.astimezone(BERLIN), (start + QUARTER).astimezone(BERLIN)
    drawn = dice.randrange(20, 120) if way == "Bezug" else dice.randrange(0, 300) * (begins.hour in BY_DAY)
    time = "24:00" if end.date() > begins.date() else f"{end:%H:%M}"
    # One in fifty is estimated.
    status = "E" if dice.randrange(50) == 0 else "W"
    return [meter, way, f"{begins:%d.%m.%Y}", time, f"{drawn // 1000},{drawn % 1000:03}", status]


def leeds(dice: random.Random, changes: list[list[date]]) -> Iterator[tuple[str, bytes, datetime]]:
    """(Path, bytes, time of arrival): a file for the days around each clock change, a row a meter's day.

    A column is a time of the clock: empty in the hour that was skipped, the sum of both in the one that came twice.
    """
    for days in changes:
        rows = [[meter, f"{day:%d/%m/%Y}", *_day(dice, day)] for meter in LEEDS_METERS for day in days]
        arrival = datetime(days[-1].year, days[-1].month, days[-1].day, 8, tzinfo=UTC) + timedelta(days=1)
        yield f"week-to-{days[-1]}.csv", _text(",", ["MPAN", "Date", *HALF_HOURS], rows), arrival


def _day(dice: random.Random, day: date) -> list[str]:
    held = dict.fromkeys(HALF_HOURS, 0)
    for start in _starts(day, LONDON, HALF_HOUR):
        held[f"{start.astimezone(LONDON):%H:%M}"] += dice.randrange(40, 400)
    return [f"{watt_hours / 1000:.3f}" if watt_hours else "" for watt_hours in held.values()]


def _text(delimiter: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows([header, *rows])
    return out.getvalue().encode()
