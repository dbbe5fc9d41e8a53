"""Seeded CSV files around London's clock changes: sound ones in all their spellings, and spoilt ones."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.config.feeds import Feed
from tests.fuzz.hostile import NUMBERS, TEXTS, otherwise_encoded, spoilt_bytes

ZONE = ZoneInfo("Europe/London")
HALF_HOUR = timedelta(minutes=30)
COLUMNS = ["Meter", "End", "kWh", "Way"]
BEGINS = [
    *(datetime(2021, 3, 28, 0, tzinfo=UTC), datetime(2021, 10, 30, 23, tzinfo=UTC), datetime(2020, 10, 24, 23, 30, tzinfo=UTC)),
    *(datetime(2021, 6, 30, 22, tzinfo=UTC), datetime(2021, 10, 31, 22, tzinfo=UTC), datetime(1995, 3, 26, 0, tzinfo=UTC)),
    *(datetime(1971, 10, 31, 1, tzinfo=UTC), datetime(1969, 12, 31, 22, tzinfo=UTC), datetime(2021, 11, 7, 22, tzinfo=UTC)),
]  # fmt: skip
ODD_LABELS = [
    *("28/03/2021 01:00", "28/03/2021 01:30", "31/10/2021 01:15", "31/10/2021 24:00", "31/10/2021 24:30", "29/02/2021 00:00"),
    *("1/1/2021 0:30", "01/01/2021", "2021-01-01 00:30", "01/13/2021 00:30", "00/01/2021 00:30", "01/01/2021 25:00", "01/01/2021 00:60"),
    *("01/01/0000 00:30", "01/01/0001 00:00", "31/12/9999 24:00", "31/12/9999 23:30", "01/01/2021  00:30", "01/01/2021T00:30"),
    *("01/01/2021 00:30:00", "01/01/2021 00:30Z", "٠١/01/2021 00:30", "001/01/2021 00:30", "1/1/21 0:30", "\x0101/01/2021 00:30"),
]  # fmt: skip
METERS = ["1", "0012", "AB 1", "é", "m;1", '5" pipe', "12E5"]
ODD_METERS = ["", " ", "1.0", "7.22E+13", "true", '"', "-1.5", "x" * 3000]
CSV = {
    "delimiter": ";",
    "decimal": ",",
    "skip_lines": 1,
    "meter": "Meter",
    "timestamp": "End",
    "timestamp_format": "d/M/yyyy H:mm",
    "label": "end",
    "value": "kWh",
    "direction": {"column": "Way", "import": ["in"], "export": ["out"], "ignore": ["none"]},
}
FEED = Feed(name="power", format="csv", path="landing", time_zone="Europe/London", csv=CSV)
NAMES = ["day.csv", "DAY.CSV", "é.csv", "a b.csv"]
ODD_NAMES = ["day.txt", "day", "_day.csv", "d:y.csv", "day.csv.gz"]


@dataclass
class Made:
    name: str
    content: bytes


def made(number):  # noqa: C901 - a choice a line
    """The file of that number, always the same."""
    dice = random.Random(f"csv {number}")
    change = dice.randrange(14)
    names = list(COLUMNS)
    dice.shuffle(names)
    if dice.random() < 0.3:
        names.insert(dice.randrange(5), dice.choice(("more", "", "kwh", "Meter", "é", "kWh")))
    nameless = dice.choice((0, 0, 0, 0, 1, 2, 3))
    rows = _rows(dice)
    if change in {4, 5, 6} or dice.random() < 0.05:
        for row in rows:
            if dice.random() < 0.5:
                _spoil(dice, row)
    quoting = dice.choice((0.0, 0.0, 0.3, 1.0))
    lines = [_line(dice, [*names, *[""] * nameless], quoting)]
    for row in rows:
        cells = [row.get(name, dice.choice(TEXTS)) for name in names]
        # Often left out, or more than the header has; seldom not empty.
        cells += [dice.choice(TEXTS) if dice.random() < 0.03 else "" for _ in range(dice.randrange(nameless + 2))]
        lines.append(_line(dice, cells, quoting))
    if change == 7:
        _spoil_lines(dice, lines)
    if change == 8:
        lines[0] = _line(dice, dice.choice(([*names[:2], "Kwh"], names[:-1], ["x"], [",".join(names)])), quoting)
    if change == 9:
        lines = lines[: dice.randrange(2)]
    end = dice.choice(("\n", "\n", "\r\n", "\r"))
    above = dice.choice(("", "Report", 'an "open quote;', " "))
    text = end.join([above, *lines]) + dice.choice(("", end, end + end))
    if dice.random() < 0.1:
        text = dice.choice(("sep=;", '"sep=;"', "SEP=,")) + end + text
    content = _encoded(dice, text)
    if change == 10:
        content = spoilt_bytes(dice, content)
    if change == 11:
        content = dice.choice(
            (b"", b"\r\n ", otherwise_encoded(dice, content), content[: dice.randrange(len(content) + 1)])
        )
    return Made(dice.choice(ODD_NAMES if change == 12 else NAMES), content)


def _encoded(dice, text):
    return dice.choice((text.encode, text.encode, lambda: text.encode("utf-8-sig"), lambda: text.encode("utf-16")))()


def _rows(dice):
    begin, way = dice.choice(BEGINS), dice.choice(("in", "out"))
    rows = []
    for meter in dice.sample(METERS, dice.choice((1, 2))):
        for n in range(dice.choice((0, 3, 6, 8))):
            local = (begin + HALF_HOUR * n).astimezone(ZONE)
            value = f"{dice.randrange(3000) / 1000:.3f}".replace(
                ".", dice.choice((",", ",", ",", ".")) if dice.random() < 0.05 else ","
            )
            row = {"Meter": meter, "End": f"{local:%d/%m/%Y %H:%M}", "kWh": value, "Way": way, "more": ""}
            rows.append(row)
            if dice.random() < 0.15:
                rows.append(row | {"Way": dice.choice(("in", "out", "none"))})
    return rows[::-1] if dice.random() < 0.3 else rows


def _spoil(dice, row):
    name = dice.choice(COLUMNS)
    odd = {
        "Meter": ODD_METERS,
        "End": ODD_LABELS,
        "kWh": [*NUMBERS, "-", "NULL", "N/A", " - ", "1,5", "1,2,3", *["-0,5"] * 3],
        "Way": ["IN", "", "x", "none"],
    }
    row[name] = dice.choice(odd[name] if dice.random() < 0.85 else TEXTS)


def _line(dice, cells, quoting):
    return ";".join(_cell(dice, text, quoting) for text in cells)


def _cell(dice, text, quoting):
    # A text with blanks around it, or one that a bare field cannot hold, is quoted as RFC 4180 has it.
    if dice.random() < quoting or any(sign in text for sign in ';\r\n"'):
        text = '"' + text.replace('"', '""') + '"'
        if dice.random() < 0.05:
            text = f'="{text[1:-1]}"' if '"' not in text[1:-1] and ";" not in text else text
    if dice.random() < 0.05:
        text = dice.choice((" ", "  ")) + text + dice.choice((" ", "\t", ""))
    return text


def _spoil_lines(dice, lines):
    for _ in range(dice.choice((1, 1, 2))):
        at = dice.randrange(len(lines))
        lines[at] = dice.choice(
            (
                "",
                " \t",
                '""',
                ";;;",
                lines[at] + ";",
                lines[at] + ";x",
                lines[at] + '"',
                '"' + lines[at],
                lines[at].rsplit(";", 1)[0],
                lines[at].replace(";", ';"', 1),
                lines[at].replace(";", '";"'),
                'a"b' + lines[at],
            )
        )
