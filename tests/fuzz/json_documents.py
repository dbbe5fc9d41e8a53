"""What the generators of JSON share: how a document is written, and what senders, disks and lines make of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.fuzz.hostile import NUMBERS, TEXTS, otherwise_encoded, spoilt_bytes

# Raw values: JSON that any parser takes, and what is none.
SCALARS = [
    *("0", "-0", "-0.0", "-1", "-0.0000004", "1e2", "1E+2", "1e-7", "5e-7", "1e11", "1e12", "1e30", "-1e30", "1e999"),
    *("1e1000", "1e-1000", "1e2147483647", "1e-2147483648", "1e99999999999", "1E+0002", "0e37", "0e38", "-0e0"),
    *("999999999999.999999", "999999999999.9999994", "999999999999.9999995", "1000000000000", "0.1234565"),
    *("0.12345649999999999999999999999999999", "9" * 18, "9" * 38, "1" * 999, "1" * 1001, "0." + "0" * 990 + "1"),
    *("null", "true", "false", "NaN", "Infinity", "-Infinity", '""', '" "', '"\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"'),
    *('"\\u0031"', '"1\\n"', '"\\/"', '"\\\\"', '"{"', '"}"', '"]]}"', '"\\"data\\":["', '"\ufeff"', '"\x7f"', '"\\t1.5\\r"'),
]  # fmt: skip
NESTED = [
    "[]",
    "[1]",
    "[[1,2],[]]",
    '["a b"]',
    "{}",
    '{"a":1}',
    '{"data":[[1]]}',
    '{"columns":[]}',
    "[[[[[[[[[[1]]]]]]]]]]",
]
BROKEN = [
    *("01", "-", "+1", ".5", "5.", "1e", "1e+", "0x10", "1_000", "--1", "nul", "None", "True", "'a'", "undefined", "1.2.3"),
    *('"\x01"', '"a', 'a"', '"\\x"', '"\\u12"', '"\\"', "1 2", "", "/**/1", "1//", "1,", ",1", "[1", "1]", "{", "}", "\x00", '"\x00"'),
    *("[1,]", "[,1]", '{"a"}', '{"a":}', "{a:1}", '{"a":1,}', "(1)", "@", "\u00a0", "\ufeff", "\u2028", "１", '"a\nb"', '"\t"', "#"),
]  # fmt: skip
NAMES = [
    "",
    "x",
    "a.JSON",
    "a.json.gz",
    "a.json ",
    "_a.json",
    "a:b.json",
    ":.json",
    "ajson",
    "json",
    "a.json\n",
    "a.parquet",
]
AFTER = [
    "x",
    "}",
    "]",
    ",",
    "{}",
    "[]",
    "null",
    "1",
    '"',
    "\x00",
    "\n\x00\n",
    "\ufeff",
    "/**/",
    "//",
    "\u00a0",
    "\x0b",
    "\x1a",
    ";",
]
ROOTS = [
    "null",
    "1",
    "true",
    '"data"',
    "[]",
    "{}",
    '[{"data": []}]',
    '{"data": 1}',
    "NaN",
    "{{}}",
    "columns",
    '{"": ""}',
    "<html></html>",
]
EMPTY = [b"", b"\xef\xbb\xbf", b" \r\n\t\n", b"\n", b"\xef\xbb\xbf\n", b"\x00", b"\x0b", b"\xef\xbb\xbf" * 2]
DEPTHS = (5, 50, 400, 2000, 20_000)


@dataclass(frozen=True)
class Document:
    number: int
    name: str
    content: bytes


class Writer:
    """How one file is written: blanks, line ends, escapes."""

    def __init__(self, dice):
        self.dice = dice
        self.blanks = dice.choice((("",), ("",), (" ",), ("\n",), ("\r\n",), ("", " ", "\t", "\n  ", "\r\n\t")))
        self.escapes = dice.choice((True, False))

    def _blank(self):
        return self.dice.choice(self.blanks)

    def text(self, value):
        return json.dumps(value, ensure_ascii=self.escapes)

    def array(self, items):
        blank = self._blank()
        return "[" + blank + ("," + blank).join(items) + self._blank() + "]"

    def object(self, members):
        blank, colon = self._blank(), self.dice.choice((":", ": ", " : "))
        return "{" + blank + ("," + blank).join(key + colon + value for key, value in members) + self._blank() + "}"


def odd_value(dice, writer):
    """A value as a hostile sender writes it; one in twenty is no JSON, so that most files stay whole."""
    draw = dice.random()
    if draw < 0.4:
        return writer.text(dice.choice(NUMBERS))
    if draw < 0.55:
        return writer.text(dice.choice(TEXTS))
    if draw < 0.85:
        return dice.choice(SCALARS)
    return dice.choice(NESTED) if draw < 0.95 else dice.choice(BROKEN)


def nested(dice):
    """A value of many arrays or objects in each other."""
    depth = dice.choice(DEPTHS)
    before, after = dice.choice((("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")))
    inner = dice.choice(("1", "", "[]")) if before == "[" else "1"
    return before * depth + inner + after * (depth - dice.choice((0, 0, 0, 1)))


def spoilt(dice, text):
    """The bytes of a document after what happened to them: cut, flipped, encoded otherwise, written twice."""
    content = text.encode("utf-8", "surrogatepass")
    ways = {
        "flipped": lambda: spoilt_bytes(dice, content),
        "cut": lambda: content[: dice.randrange(len(content))],
        "empty": lambda: dice.choice(EMPTY),
        "encoded": lambda: otherwise_encoded(dice, content),
        "another": lambda: dice.choice(ROOTS).encode(),
        "before": lambda: dice.choice(AFTER).encode() + content,
        "after": lambda: content + dice.choice((*AFTER, text)).encode() + dice.choice((b"", b"\n")),
    }
    weights = {"flipped": 5, "cut": 2, "before": 0.4}
    return ways[dice.choices(list(ways), [weights.get(way, 1) for way in ways])[0]]()


def delivered(dice, number, text, *, is_spoilt):
    """The document as it arrives: mostly under a good name, sometimes with a byte order mark and blanks around."""
    if dice.random() < 0.1:
        text = dice.choice(("\ufeff", "\n", "\ufeff \r\n", " \ufeff", "\t")) + text + dice.choice(("", "\n", "\r\n \t"))
    content = spoilt(dice, text) if is_spoilt else text.encode("utf-8", "surrogatepass")
    name = dice.choice(NAMES) if dice.random() < 0.02 else f"{number}.json"
    return Document(number, name, content)
