"""Seeded Green Button files: sound ones in all their spellings, and what senders, disks and lines make of them."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from xml.sax.saxutils import escape

from tests.fuzz.hostile import NUMBERS, TEXTS, otherwise_encoded, spoilt_bytes
from tests.green_button_feeds import BASE, block, feed, meter_reading, reading, reading_type, usage_point

# Around clock changes of New York, and the ends of the range.
BEGINS = [1_615_698_000, 1_604_203_200, 1_622_505_600, 1_583_020_800]
DURATIONS = [900, 900, 900, 1800, 3600, 300, 86_400]
ODD_STARTS = [
    "",
    "x",
    "-900",
    "0",
    "1636329600",
    "1636330500",
    "9" * 12,
    "1615698001",
    "+1615698000",
    "1.6e9",
    " 1615698000 ",
    "٣",
    "253402300800",
]
ODD_DURATIONS = [
    "",
    "x",
    "0",
    "-900",
    "61",
    "90",
    "420",
    "2700",
    "82800",
    "90000",
    "2592000",
    "9" * 9,
    "9" * 10,
    "0900",
    "+900",
]
NEGATIVE = ["-1", "-0.5", "-1000"] * 8
QUALITIES = [
    "",
    "",
    "",
    "<ReadingQuality><quality>8</quality></ReadingQuality>",
    "<ReadingQuality/>",
    "<ReadingQuality><quality/></ReadingQuality>",
]
QUALITIES += [
    "<ReadingQuality><quality>8</quality></ReadingQuality><ReadingQuality><quality> 17 </quality></ReadingQuality>"
]
FACTS = {
    "uom": (None, "", "29", "72 ", "072", "x"),
    "powerOfTenMultiplier": (None, "", "3", "-3", "+2", "x", "1000", "-9", "1e1", "<x/>"),
    "flowDirection": (None, "", "19", "4", "x", "01"),
    "accumulationBehaviour": (None, "1", "3", "12", ""),
}
XML_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
PIECES = [
    "<entry/>",
    "<!-- x -->",
    "<![CDATA[<entry>]]>",
    "<?x y?>",
    "<IntervalReading/>",
    "<entry><content/></entry>",
    " text ",
    "&amp;",
    "&#65;",
]
PIECES += [
    "<x:y/>",
    "&x;",
    "<",
    ">",
    "]]>",
    "<IntervalBlock>",
    "</entry>",
    "&#0;",
    "<entry a='b' a='c'/>",
    "\x00",
    "<!DOCTYPE x>",
    "<a>" * 3,
]
NAMES = ["", ".xml", "a.txt", "_a.xml", "a:b.xml", "a.xml.gz", "a.XML", "a.Xml", "é.xml", "a"]


@dataclass(frozen=True)
class File:
    number: int
    name: str
    content: bytes


def made(number):
    """The file of that number, always the same."""
    dice = random.Random(f"green button {number}")
    change = dice.randrange(24)
    content = feed(*_entries(dice, is_odd=change in range(5, 13)))
    if change in {13, 14}:
        content = _spelled_otherwise(dice, content.decode()).encode()
    elif change in {15, 16, 17}:
        at = dice.choice([each.end() for each in re.finditer(b">", content)])
        content = content[:at] + dice.choice(PIECES).encode() + content[at:]
    elif change in {18, 19, 20}:
        content = spoilt_bytes(dice, content)
    elif change == 21:
        content = dice.choice(
            (b"", b"\xef\xbb\xbf", b" \r\n\t\n", b"{}", b"<html/>", content[: dice.randrange(len(content))])
        )
    elif change == 22:
        content = otherwise_encoded(dice, content)
    name = dice.choice(NAMES) if change == 23 or dice.random() < 0.01 else "home.xml"
    return File(number, name, content)


def _entries(dice, *, is_odd):
    entries = []
    for meter in dice.sample(("5446", "é-1", "a b"), dice.choice((1, 1, 2))):
        point, kind = usage_point(meter), dice.choice(("in", "out", "volts"))
        facts = {name: dice.choice(odd) for name, odd in FACTS.items() if is_odd and dice.random() < 0.15}
        usual = {"in": {}, "out": {"flowDirection": 19, "powerOfTenMultiplier": -3}, "volts": {"uom": 29}}[kind]
        entries += [point, meter_reading(meter, "01", kind + meter[0]), reading_type(kind + meter[0], **usual | facts)]
        for day in range(dice.choice((0, 1, 1, 2))):
            contents = ["".join(_readings(dice, is_odd=is_odd)) for _ in range(dice.choice((1, 1, 2)))]
            entries.append(block(*contents, meter=meter, day=day))
    if dice.random() < 0.3:
        dice.shuffle(entries)
    if is_odd and dice.random() < 0.15:
        del entries[dice.randrange(len(entries))]
    if is_odd and dice.random() < 0.15:
        at = dice.randrange(len(entries))
        entries[at] = dice.choice(
            (
                lambda text: text.replace('rel="self"', 'rel="alternate"'),
                lambda text: text.replace('rel="up"', 'rel="alternate"'),
                lambda text: text.replace('rel="related"', 'rel="alternate"'),
                lambda text: text.replace(BASE, BASE + "/x"),
                lambda text: text.replace('"/>', '/?a=b#c"/>'),
                lambda text: text.replace('href="', 'href=" '),
            )
        )(entries[at])
    return entries


def _readings(dice, *, is_odd):
    start, duration = dice.choice(BEGINS), dice.choice(DURATIONS)
    for n in range(dice.choice((0, 1, 2, 3))):
        value = f"{dice.randrange(5000)}{dice.choice(('', '', '.5', '.1234565'))}"
        at, length = start + n * duration, duration
        if is_odd and dice.random() < 0.5:
            change = dice.randrange(6)
            if change < 3:
                value = escape(XML_TEXT.sub("", dice.choice((*NUMBERS, *TEXTS, *NEGATIVE))))
            elif change == 3:
                at = dice.choice(ODD_STARTS)
            elif change == 4:
                length = dice.choice(ODD_DURATIONS)
            else:
                value = dice.choice(
                    ("<x>7</x>", "<![CDATA[7]]>", "7<!-- 8 -->", "&#55;", "<?x y?>7", " 7\n", "7</value><value>8")
                )
        yield reading(value, at, length, dice.choice(QUALITIES))


def _spelled_otherwise(dice, text):
    ways = (
        lambda: text.replace("\n", "\r\n"),
        lambda: "\ufeff" + text,
        lambda: text.split("?>\n", 2)[2],
        lambda: text.replace("UTF-8", dice.choice(("utf-8", "ISO-8859-1", "US-ASCII", "UTF-16", "x"))),
        lambda: text.replace("><", ">\n  <"),
        lambda: re.sub(r"<(/?)(IntervalReading|value|start)\b", r"<\1n:\2", text).replace("<feed", '<feed xmlns:n="http://naesb.org/espi"'),
        lambda: text.replace("IntervalReading", dice.choice(("INTERVALREADING", "intervalReading"))),
        lambda: text.replace("<entry>", "<!-- an entry --><entry >").replace("<content>", "<content type='application/xml'>"),
        lambda: text.replace("<feed", "<!DOCTYPE feed [<!ENTITY x 'y'>]>\n<feed"),
        lambda: text.replace("<feed", "<feeds").replace("</feed", "</feeds"),
        lambda: text.replace("<title/>", "<title>" + "<a>" * 120 + "</a>" * 120 + "</title>"),
    )  # fmt: skip
    return dice.choice(ways)()
