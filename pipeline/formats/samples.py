"""Seeded sample deliveries: a few meters over a few days, with everything that can go wrong in a month.

Pure: names and bytes; `jobs/demo.py` writes them. Times are fixed, so writing them again changes nothing.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pipeline.formats import sample_arrays, sample_csv

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 2021
LONDON = ZoneInfo("Europe/London")
GAS_METERS = [f"{number:09d}" for number in range(1, 7)]
METERPOINTS = [f"1400000{number:03d}" for number in range(1, 13)]
# A normal day before and after each clock change; the days in the middle have 46 and 50 half hours.
SPRING = [date(2021, 3, 27), date(2021, 3, 28), date(2021, 3, 29)]
AUTUMN = [date(2021, 10, 30), date(2021, 10, 31), date(2021, 11, 1)]
HALF_HOUR = timedelta(minutes=30)
# Feeds of conf/local.toml that have samples.
FORMATS = {
    "gas": "smrt",
    "electricity": "split_json",
    "solar": "obis_json",
    "vilnius": "interval_parquet",
    "berlin": "csv",
    "leeds": "csv",
}


@dataclass(frozen=True)
class Sample:
    """A file for a feed's landing folder: path below it, bytes, modification time (UTC).

    `feed` is its name in conf/local.toml.
    """

    feed: str
    path: str
    content: bytes
    modified_at: datetime

    @property
    def feed_format(self) -> str:
        """The format of that feed."""
        return FORMATS[self.feed]


def deliveries() -> list[Sample]:
    """All sample files, in the order they would arrive."""
    dice = [random.Random(SEED + n) for n in range(6)]  # noqa: S311 - sample data
    days = [*SPRING, *AUTUMN]
    return [
        *_electricity(dice[0]),
        *_gas(dice[1]),
        *(Sample("solar", *each) for each in sample_arrays.solar(dice[2], days)),
        *(Sample("vilnius", *each) for each in sample_arrays.vilnius(dice[3], days)),
        *(Sample("berlin", *each) for each in sample_csv.berlin(dice[4], AUTUMN)),
        *(Sample("leeds", *each) for each in sample_csv.leeds(dice[5], [SPRING, AUTUMN])),
    ]


def local_half_hours(day: date) -> Iterator[str]:
    """The wall-clock labels of a London day's half hours in order: 46, 48 or 50 of them."""
    moment = datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)
    tomorrow = day + timedelta(days=1)
    end = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=LONDON).astimezone(UTC)
    while moment < end:
        yield moment.astimezone(LONDON).strftime("%Y-%m-%d %H:%M:%S")
        moment += HALF_HOUR


def _kwh(dice: random.Random, label: str) -> Decimal:
    """A household's half hour: little at night, a peak in the evening; exact thousandths."""
    hour = int(label[11:13])
    base = 60 if hour < 6 else 180 if hour < 17 else 420 if hour < 22 else 150  # noqa: PLR2004 - hours of a day
    return Decimal(dice.randrange(base, base * 2)).scaleb(-3)


def _split_json(rows: list[list[Any]], columns: list[str] | None = None, indent: int | None = None) -> bytes:
    names = columns or ["interval_start", "meterpoint_id", "consumption_delta"]
    text = json.dumps(
        {"columns": names, "data": [[str(c) for c in row[:-1]] + [row[-1]] for row in rows]}, indent=indent
    )
    return text.encode()


def _electricity(dice: random.Random) -> Iterator[Sample]:
    arrival = datetime(2021, 3, 30, 6, 0, tzinfo=UTC)
    for day in [*SPRING, *AUTUMN]:
        arrival = max(arrival, datetime(day.year, day.month, day.day, 6, tzinfo=UTC) + timedelta(days=1))
        rows = [[label, meter, str(_kwh(dice, label))] for meter in METERPOINTS for label in local_half_hours(day)]
        folder = f"{day:%Y/%m}"
        yield Sample(
            "electricity", f"{folder}/{day}.json", _split_json(rows, indent=1 if day == SPRING[0] else None), arrival
        )
        # The next morning one meter's evening is corrected.
        fixed = [
            [row[0], row[1], str(Decimal(row[2]) + 1)] for row in rows if row[1] == METERPOINTS[0] and "19:" in row[0]
        ]
        yield Sample(
            "electricity", f"{folder}/{day}-correction.json", _split_json(fixed), arrival + timedelta(hours=26)
        )
    later = datetime(2021, 11, 3, 6, 0, tzinfo=UTC)
    broken = [
        ["2021-03-28 01:30:00", METERPOINTS[1], "0.100"],  # the hour that London skipped
        ["2021-11-01 00:10:00", METERPOINTS[1], "0.100"],
        ["2021-11-01 00:30:00", METERPOINTS[1], "n/a"],
        ["2021-11-01 01:00:00", "", "0.100"],
    ]
    yield Sample("electricity", "2021/11/mixed.json", _split_json(broken), later)
    whole = _split_json([["2021-11-01 00:00:00", METERPOINTS[2], "9.999"]] * 50)
    yield Sample("electricity", "2021/11/cut.json", whole[: len(whole) // 2], later)
    yield Sample(
        "electricity", "2021/11/renamed.json", _split_json([["2021-11-01", "1", "1"]], ["when", "who", "much"]), later
    )


def _smrt(name: str, created: datetime, rows: list[tuple[str, datetime, str]], *, trailer: bool = True) -> bytes:
    lines = [f'"HEADR","SMRT","GAZ","{created:%Y%m%d}","{created:%H%M%S}","{name}"']
    lines += [f'"CONSU","{meter}","{hour:%Y%m%d}","{hour:%H%M}",{value}' for meter, hour, value in rows]
    return "\r\n".join([*lines, *(['"TRAIL"'] if trailer else []), ""]).encode()


def _gas(dice: random.Random) -> Iterator[Sample]:
    first = datetime(2021, 3, 27, tzinfo=UTC)
    arrival = datetime(2021, 3, 28, 10, 29, 39, tzinfo=UTC)
    sent: list[bytes] = []
    for number in range(1, 4):
        # Each file repeats the last twelve hours of the one before, some of them revised: both are normal.
        start = first + timedelta(hours=24 * (number - 1) - (12 if number > 1 else 0))
        hours = [start + timedelta(hours=n) for n in range(24 + (12 if number > 1 else 0))]
        rows = [(meter, hour, f"{dice.randrange(50, 1700) / 100:.2f}") for meter in GAS_METERS for hour in hours]
        if number == 3:  # noqa: PLR2004 - the third file
            rows += [
                ("00000000X", start, "1.00"),
                (GAS_METERS[0], start + timedelta(minutes=15), "1.00"),
                (GAS_METERS[0], start, "-2.00"),
            ]
        name = f"PN{number:06d}"
        sent.append(_smrt(name, arrival, rows))
        yield Sample("gas", f"{name}.SMRT", sent[-1], arrival)
        arrival += timedelta(days=1)
    yield Sample("gas", "resent/PN000002.SMRT", sent[1], arrival)
    yield Sample("gas", "resent/PN000001.SMRT", sent[0].replace(b'"GAZ"', b'"GAS"'), arrival)
    yield Sample(
        "gas", "PN000004.SMRT", _smrt("PN000004", arrival, [(GAS_METERS[0], first, "1.00")], trailer=False), arrival
    )
    yield Sample("gas", "PN000003 - Copy.SMRT", sent[2], arrival)
    yield Sample("gas", "DV000001.SMRT", _smrt("DV000001", arrival, [(GAS_METERS[0], first, "1.00")]), arrival)


PRODUCTS = [
    ("Fixed 12 Months", 0, 1, "fixed-12"),
    ("Variable", 1, 2, "variable"),
    ("Night Saver", 1, 3, "night-saver"),
]


def reference_rows() -> dict[str, list[tuple[Any, ...]]]:
    """Rows of the reference database by table; one meterpoint has no agreement, one has two that overlap."""
    agreements: list[tuple[Any, ...]] = []
    for n, meter in enumerate(METERPOINTS[:-1]):
        product = PRODUCTS[n % len(PRODUCTS)][3]
        agreements.append((n + 1, "2020-06-01", "2021-10-31" if n == 1 else None, product, meter, f"A-{n + 1:04d}"))
    agreements.append((100, "2021-10-31", None, "night-saver", METERPOINTS[1], "A-0002"))
    agreements.append((101, "2021-06-01", None, "variable", METERPOINTS[2], "A-0003"))
    agreements.append((102, "2021-13-01", None, "variable", METERPOINTS[3], "A-0004"))
    regions = ["North", "South", "Wales"]
    points = [(regions[n % len(regions)], meter) for n, meter in enumerate(METERPOINTS)]
    return {"agreement": agreements, "product": list(PRODUCTS), "meterpoint": points}
