"""Seeded SMRT files: sound ones in all their spellings, and those that were damaged (smrt_damage.py)."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.fuzz.hostile import otherwise_encoded, spoilt_bytes
from tests.fuzz.smrt_damage import odd_name, spoil_envelope, spoil_lines, spoil_row

DAYS = [f"2019{month:02d}{day:02d}" for month in range(1, 13) for day in (1, 14, 28)] + [
    "20200229",
    "00010101",
    "99991231",
]
HOURS = [f"{hour:02d}00" for hour in range(24)]
ENDS = ["\n", "\r\n"]


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
                spoil_row(dice, record)
    if change in {10, 11, 12}:
        spoil_envelope(dice, records)
    lines = [spelled.line(record) for record in records]
    if change in {13, 14, 15, 16}:
        spoil_lines(dice, lines)
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
        name = odd_name(dice, name)
    return File(number, name, content, environment)


def _reading(dice):
    meter = str(dice.randrange(10 ** dice.choice((1, 9, 30)))).zfill(dice.choice((1, 9)))
    value = f"{dice.randrange(10**6)}{dice.choice(('', '.0', '.25', '.123456', '.1234565', '.99999949', '.0000005'))}"
    return ["CONSU", meter, dice.choice(DAYS), dice.choice(HOURS), value]


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
