"""Seeded NEM12 files: sound ones in all their spellings, and what senders, disks and lines make of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.fuzz.hostile import NUMBERS, TEXTS, otherwise_encoded, spoilt_bytes
from tests.fuzz.smrt_damage import BAD_DAYS

DAYS = [f"2021{month:02d}{day:02d}" for month in range(1, 11) for day in (1, 15, 28)] + [
    "20211107",
    "20211108",
    "20200229",
]
FAR_DAYS = ["19691231", "19700101", "20211109", "00010101", "00010102", "99991231", "20990101"]
UNITS = ["kWh", "KWH", "kwh", "Wh", "WH", "MWh", "mwh"]
OTHER_UNITS = ["kVArh", "KVARH", "Volts", "pf", "kW", "therms"]
SUFFIXES = ["E1", "E2", "B1", "b1", "e1"]
METHODS = ["A", "A", "A", "S14", "F14", "V", "N", "E52"]
ODD_METHODS = ["", "A1", "S", "AA", "A123", "14", "é", "a", "V "]
ODD_RECORDS = [
    "",
    "101",
    "250",
    "550",
    "600",
    "3000",
    "30",
    "300 ",
    "300x",
    "200_",
    "9OO",
    "NEM12",
    "100",
    "900",
    "200",
    "300",
]
ODD_LINES = [
    *('"', ",", ",,,,", '"300', '"200', '"900', "300", "200", "400", "500", "100", "900,", "900,,,", "900,1", "x", "\x00", "\x1a", "\ufeff", "\r", " \r "),
    *('300,"20210301', '"300"x,1', '"3""00",1', "400,1,48,A,,", "400,1,48", "400,0,9,F1,,", "500,S,1,,", "200,1,E1", "300,20210301,A", "\u2028", "\x0b"),
]  # fmt: skip
NEGATIVE = ["-1", "-0.5", "-0.000001", "-12.25"] * 8
NAMES = ["", ".csv", "a.txt", "_a.csv", "a:b.csv", "a.csv.gz", "a.csv ", "a.CSV", "a.Csv", "é.csv", "a"]


@dataclass(frozen=True)
class File:
    number: int
    name: str
    content: bytes


def made(number):
    """The file of that number, always the same."""
    dice = random.Random(f"nem12 {number}")
    records = [["100", dice.choice(("NEM12", "NEM12", "nem12")), "202103050015", "MDP1", "RET1"]]
    for _ in range(dice.choice((0, 1, 1, 2, 3))):
        records += _section(dice)
    records.append(["900"])
    # Half is left sound, or has odd fields; the others are changed as records, lines, bytes or names.
    change = dice.randrange(24)
    if change in range(5, 12):
        for record in records[1:-1]:
            if dice.random() < 0.5:
                _spoil_record(dice, record)
    if change in {12, 13}:
        _spoil_frame(dice, records)
    lines = [_line(dice, record) for record in records]
    if change in {14, 15, 16, 17}:
        _spoil_lines(dice, lines)
    end = dice.choice(("\n", "\r\n"))
    content = end.join(lines) + dice.choice((end, end, ""))
    content = (dice.choice(("", "", "\ufeff")) + content).encode("utf-8", "surrogatepass")
    if change in {18, 19, 20}:
        content = spoilt_bytes(dice, content)
    elif change == 21:
        content = dice.choice((b"", b"\xef\xbb\xbf", b" \r\n\t\n", content[: dice.randrange(len(content))]))
    elif change == 22:
        content = otherwise_encoded(dice, content)
    name = dice.choice(NAMES) if change == 23 or dice.random() < 0.01 else "power.csv"
    return File(number, name, content)


def _section(dice):
    """A 200 record and its days."""
    unit = dice.choice(OTHER_UNITS) if dice.random() < 0.1 else dice.choice(UNITS)
    length = dice.choice(("30", "30", "30", "30", "15", "030"))
    count = 96 if length == "15" else 48
    details = [
        "200",
        f"63{dice.randrange(100)}",
        "E1B1",
        "01",
        dice.choice(SUFFIXES),
        "N1",
        "M1",
        unit,
        length,
        "20210601",
    ]
    records = [details[: dice.choice((9, 10, 10))]]
    for _ in range(dice.choice((0, 1, 1, 2))):
        values = [
            f"{dice.randrange(100)}{dice.choice(('', '.5', '.125', '.1234565', '.0000004'))}" for _ in range(count)
        ]
        records.append(["300", dice.choice(DAYS), *values, dice.choice(METHODS), "", "", "20210305001500", ""])
        for _ in range(dice.choice((0, 0, 1, 2))):
            first = dice.randrange(1, count + 1)
            records.append(["400", str(first), str(dice.randrange(first, count + 1)), dice.choice(METHODS), "76", ""])
        if dice.random() < 0.1:
            records.append(["500", "S", "1", "20210305001500", ""])
    return records


def _spoil_record(dice, record):
    """One field, or the number of fields, made odd."""
    change, at = dice.randrange(12), dice.randrange(1, len(record))
    if change < 4:
        record[at] = dice.choice((*NUMBERS, *NEGATIVE))
    elif change == 4:
        record[1] = dice.choice((*BAD_DAYS, *FAR_DAYS, *TEXTS))
    elif change == 5:
        record[at] = dice.choice((*TEXTS, *ODD_METHODS))
    elif change == 6:
        record.insert(at, dice.choice(("", "1", "A")))
    elif change == 7:
        del record[at]
    elif change == 8:
        record[at] = dice.choice(("", " "))
    elif change == 9 and record[0] == "200" and len(record) > 8:
        at, odd = dice.choice(
            ((1, ("",)), (4, ("", "X1", "Q1", "é")), (7, ("", "kVArh")), (8, ("60", "5", "", "x", "1")))
        )
        record[at] = dice.choice(odd)
    elif change == 10:
        del record[dice.randrange(1, len(record)) :]
    else:
        record[at:] = [*record[at:], *[""] * dice.choice((1, 5))]


def _spoil_frame(dice, records):
    """A field of the header made odd, or the number of some record."""
    if dice.random() < 0.4:
        records[0][1] = dice.choice(("NEM13", "", " NEM12 ", "NEM", *TEXTS))
    else:
        dice.choice(records)[0] = dice.choice(ODD_RECORDS)


def _line(dice, fields):
    """A record as a line: mostly bare; here and there quotes, and blanks around."""
    if dice.random() < 0.7:
        return ",".join(fields)
    blank, written = dice.choice(("", " ", "\t", "  ")), []
    for field in fields:
        quoted = dice.random() < 0.3 or '"' in field
        text = '"' + field.replace('"', '""') + '"' if quoted and dice.random() < 0.97 else field
        written.append(blank + text + dice.choice(("", blank)))
    return ",".join(written)


def _spoil_lines(dice, lines):
    """Lines taken out, put in, repeated, swapped, joined, or text after the last one."""
    for _ in range(dice.choice((1, 1, 2))):
        at, change = dice.randrange(len(lines) + 1), dice.randrange(9)
        if change == 0:
            del lines[at : at + 1]
        elif change <= 2:
            lines.insert(dice.randrange(1, len(lines) + 1) if lines else 0, dice.choice(ODD_LINES))
        elif change == 3 and lines:
            lines.insert(at, lines.pop(dice.randrange(len(lines))))
        elif change == 4:
            lines[at : at + 2] = ["".join(lines[at : at + 2])]
        elif change == 5:
            lines.append(dice.choice((*ODD_LINES, *lines)) if lines else "")
        elif change == 6:
            lines.extend(lines[: dice.choice((1, 3, 99))])
        elif change == 7:
            del lines[at:]
        else:
            lines.insert(at, dice.choice(("", " ", "\t\t", " \t")))
