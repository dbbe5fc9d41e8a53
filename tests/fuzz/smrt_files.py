"""Seeded SMRT files: sound ones in all their spellings, and what senders, disks and lines make of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.fuzz.hostile import NUMBERS, TEXTS, otherwise_encoded, spoilt_bytes

DAYS = [f"2019{month:02d}{day:02d}" for month in range(1, 13) for day in (1, 14, 28)] + [
    "20200229",
    "00010101",
    "99991231",
]
HOURS = [f"{hour:02d}00" for hour in range(24)]
BAD_DAYS = [
    "20190229",
    "20191301",
    "20190400",
    "20190432",
    "00000101",
    "2019-10-14",
    "190101",
    "201901011",
    "２０１９1014",
    "٢٠١٩١٠١٤",
]
BAD_TIMES = [
    "2400",
    "2401",
    "1060",
    "1130",
    "1101",
    "0001",
    "2359",
    "900",
    "00000",
    "11:00",
    "-100",
    "+100",
    "1e03",
    "١١٠٠",
    "102939",
]
NAMES = [
    "",
    ".SMRT",
    "PN.SMRT",
    "readme.txt",
    "PN٠٠٠٠٠١.SMRT",
    "_N000001.SMRT",
    "PN000001.SMRT\n",
    "DV000001.SMRT",
    "PN000001.SMRT",
]
ENDS = ["\n", "\r\n"]
RECORDS = ["HEADR", "CONSU", "TRAIL"]
ODD_IDS = [
    "",
    "headr",
    "consu",
    "CONSUM",
    "CONSU X",
    "XCONSU",
    "TRAILS",
    "TRAIL ",
    "HEADER",
    "CONSU_",
    "CONSUé",
    "C",
    "CONSU\r",
]
ODD_LINES = [
    *('"', ",", ",,,,", '"HEADR', '"CONSU', '"TRAIL', 'CONSU"', 'TRAIL"', "TRAIL,", "TRAIL,2", "CONSU", "HEADR", "x", "\x00", "\x1a"),
    *('"CONSU,"1","20191014","1100",1.0', "\ufeff", " \r ", "\r", "\r\r", "\x0b", "\u2028", "\u00a0", "--", '"TRAIL"x', 'CONSU,"1"x'),
    *('"CON""SU",1,20191014,1100,1', "CONSUM,1,20191014,1100,1", 'CONSU_"', 'CONSUé"', 'CONSU;"1"', "TRAIL TRAIL", '""TRAIL""'),
]  # fmt: skip


@dataclass(frozen=True)
class File:
    number: int
    name: str
    content: bytes
    environment: str


def made(number):
    """The file of that number, always the same."""
    dice = random.Random(number)
    kind, generation = dice.choice("PPPPPPPPPD"), f"{dice.randrange(10**6):06d}"
    generation = ("DV" if kind == "D" else "PN") + generation
    environment = (
        "development" if kind == "D" and dice.random() < 0.7 else dice.choice(("production",) * 4 + ("development",))
    )
    records = [["HEADR", "SMRT", "GAZ", dice.choice(DAYS), f"{dice.randrange(24):02d}2939", generation]]
    records += [_reading(dice) for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 4, 6, 9)))]
    records.append(["TRAIL"])
    # A third is left sound, a quarter has only odd rows; the others are changed as lines, bytes, records or names.
    change = dice.randrange(24)
    odd_rows = change in range(4, 10) or dice.random() < 0.15
    spelled = _Spelling(dice, odd_rows)
    if odd_rows:
        for record in records[1:-1]:
            if dice.random() < 0.6:
                _spoil_row(dice, record)
    if change in {10, 11, 12}:
        _spoil_envelope(dice, records)
    lines = [spelled.line(record) for record in records]
    if change in {13, 14, 15, 16}:
        _spoil_lines(dice, lines)
    content = spelled.text(lines).encode("utf-8", "surrogatepass")
    if change in {17, 18, 19, 20}:
        content = spoilt_bytes(dice, content)
    elif change == 21:
        content = dice.choice(
            (b"", b"\xef\xbb\xbf", b" \r\n\t\n", b"\n" * 9, b"\r\r \r", content[: dice.randrange(len(content))])
        )
    elif change == 22 and dice.random() < 0.5:
        content = otherwise_encoded(dice, content)
    name = generation + ".SMRT"
    if change == 23 or dice.random() < 0.01:
        name = _odd_name(dice, name)
    return File(number, name, content, environment)


def _reading(dice):
    meter = str(dice.randrange(10 ** dice.choice((1, 9, 30)))).zfill(dice.choice((1, 9)))
    value = f"{dice.randrange(10**6)}{dice.choice(('', '.0', '.25', '.123456', '.1234565', '.99999949', '.0000005'))}"
    return ["CONSU", meter, dice.choice(DAYS), dice.choice(HOURS), value]


def _spoil_row(dice, record):
    """One field, or the number of fields, made odd."""
    change = dice.randrange(12)
    if change < 4:
        record[-1] = dice.choice(NUMBERS)
    elif change < 6 and len(record) > 2:
        record[2] = dice.choice((*BAD_DAYS, *TEXTS))
    elif change < 8 and len(record) > 3:
        record[3] = dice.choice((*BAD_TIMES, *TEXTS))
    elif change == 8:
        record[1:2] = [dice.choice((*TEXTS, *NUMBERS))]
    elif change == 9:
        record.insert(dice.randrange(1, len(record) + 1), dice.choice(("", "1", *NUMBERS)))
    elif change == 10 and len(record) > 1:
        del record[dice.randrange(1, len(record))]
    else:
        record[1:2] = [dice.choice(("", " ", "\t"))]


def _spoil_envelope(dice, records):
    """A field of the header made odd, or the id of some record."""
    header, change = records[0], dice.randrange(9)
    if change == 0:
        header[1] = dice.choice(("", "SMRX", "smrt", " SMRT", *TEXTS))
    elif change <= 2:
        header[2] = dice.choice(("GAS", "gaz", "", " GAZ", "GAZ2", "ГАЗ"))
    elif change == 3:
        header[3] = dice.choice(BAD_DAYS)
    elif change == 4:
        header[4] = dice.choice(("240000", "102960", "102961", "1029", "126000", "10:29:39", "", "1029390", "１０2939"))
    elif change <= 6:
        odd = (
            "PN00001",
            "PN0000011",
            "PNx00001",
            "pn000001",
            "XX000001",
            "",
            "PN000001 ",
            "PN٠٠٠٠٠١",
            "DV000001",
            "PN000001",
        )
        header[5] = dice.choice(odd)
    elif change == 7:
        dice.choice((lambda: header.append(""), header.pop, lambda: header.insert(3, "x")))()
    else:
        dice.choice(records)[0] = dice.choice(ODD_IDS + RECORDS)


def _spoil_lines(dice, lines):
    """Lines taken out, put in, repeated, swapped, joined, or text after the trailer."""
    for _ in range(dice.choice((1, 1, 2))):
        at, change = dice.randrange(len(lines) + 1), dice.randrange(9)
        if change == 0:
            del lines[at : at + 1]
        elif change == 1:
            lines.insert(at, dice.choice(ODD_LINES))
        elif change == 2:
            lines.insert(dice.randrange(len(lines) + 1), lines[min(at, len(lines) - 1)] if lines else "")
        elif change == 3 and lines:
            lines.insert(at, lines.pop(dice.randrange(len(lines))))
        elif change == 4:
            lines[at : at + 2] = ["".join(lines[at : at + 2])]
        elif change == 5:
            lines.append(dice.choice((*ODD_LINES, *lines)))
        elif change == 6:
            lines.extend(lines[: dice.choice((1, 3, 99))])
        elif change == 7:
            del lines[at:]
        else:
            lines.insert(at, "\n" + dice.choice(("", " ", "\t\t", " \t")))


def _odd_name(dice, name):
    at = dice.randrange(len(name))
    odd = (
        name.lower(),
        name + " ",
        " " + name,
        name + ".gz",
        name[:-1],
        name[1:],
        name[:at] + dice.choice("0x9 P٣") + name[at + 1 :],
    )
    other = ("DV" if name[0] == "P" else "PN") + name[2:]
    return dice.choice((*odd, *odd, other, other, dice.choice(NAMES)))


class _Spelling:
    """The ways in which one file is written: quotes, blanks, ends of lines, blank lines, a byte order mark."""

    def __init__(self, dice, careless):
        self.dice = dice
        self.end, self.quotes, self.blanks = dice.choice(ENDS), dice.choice((0, 0.5, 1)), dice.choice((0, 0, 0.2))
        self.blank_lines, self.bare = dice.choice((0, 0, 0.3)), 0.15 if careless else 0

    def line(self, record):
        return ",".join(map(self._field, record))

    def _field(self, text):
        special = '"' in text or "," in text or text[:1] in " \t" or text[-1:] in " \t"
        if self.bare and special and self.dice.random() < self.bare:
            return text  # as a careless sender writes it
        if special or (self.quotes and self.dice.random() < self.quotes):
            text = '"' + text.replace('"', '""') + '"'
            if self.bare and self.dice.random() < self.bare / 10:
                text = self.dice.choice((text[1:], text[:-1], text + "x", '"' + text))
        return self._blank() + text + self._blank() if self.blanks else text

    def _blank(self):
        return self.dice.choice((" ", "\t", "  \t")) if self.dice.random() < self.blanks else ""

    def text(self, lines):
        if self.blank_lines:
            lines = [part for line in lines for part in (*self._blank_lines(), line)] + self._blank_lines()
        text = self.end.join(lines) + self.dice.choice(("", self.end, self.end, self.end * 3))
        return ("\ufeff" if self.dice.random() < 0.1 else "") + text

    def _blank_lines(self):
        if self.dice.random() >= self.blank_lines:
            return []
        return [self.dice.choice(("", " ", "\t ")) for _ in range(self.dice.choice((1, 2)))]
