"""`try` reads and judges the rows of a file in Python; they are those that Spark reads and judges."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.formats import trial
from pipeline.formats.row_readers import READERS
from tests import green_button_feeds as button
from tests.spark.conftest import RECEIVED

HEADER = "100,NEM12,202103050015,MDP1,RETAIL1"


def details(suffix="E1", unit="kWh", length="30", nmi="6305123456"):
    return f"200,{nmi},E1B1Q1,01,{suffix},N1,A1234567,{unit},{length},20210605"


def day(values, quality="A", date="20210304", more=",,20210305001500,"):
    return f"300,{date},{','.join(values)},{quality},{more}"


def nem12(*records):
    return "\r\n".join([HEADER, *records, "900", ""]).encode()


def as_bytes(files):
    return {name: text.encode() for name, text in files.items()}


HALF_HOURS = [f"{n}.5" for n in range(48)]
NEM12 = {
    "usual.csv": nem12(details(), day(HALF_HOURS), "400,1,20,A,,", "500,S,1,,", day(HALF_HOURS, date="20210305"), details("B1"), day(HALF_HOURS)),
    "others.csv": nem12(details("Q1", "kVArh"), day(HALF_HOURS), day(["x"], date="x"), details("V1", "Volts"), day(["1"]), details(), day(HALF_HOURS)),
    "odd.csv": nem12(
        day(HALF_HOURS), details(unit=""), day(HALF_HOURS), details("X1"), day(HALF_HOURS), details(length="7"), day(HALF_HOURS),
        details(length="15"), day(HALF_HOURS), details(), day(HALF_HOURS, date="20210230"), day(["", "-1", "x", *["1"] * 45]),
        day([""] * 48), '300,"20210304,1', day(HALF_HOURS, quality="", more=",,"), day(HALF_HOURS, date="19690101"), "200,", day(HALF_HOURS),
    ),
    "spellings.csv": b"\xef\xbb\xbf\n \r\n" + nem12(
        ' "200" , "6305123456",E1,01," E1",N1,A1,"kWh",30', "", ' "300","20210304" ,' + ",".join(f' "{n}" ' for n in range(48)) + ', "F14","a, ""b""",,', " \t",
        "300,20210305," + "1," * 48 + "A,,,,,,,", "300,20210306," + "1," * 48 + "A", "400,1,2,F14,,", "", "400,3,4,S14,,",
    ),
    "none.csv": nem12(),
}  # fmt: skip
QUALITY = "<ReadingQuality><quality>17</quality></ReadingQuality><ReadingQuality><quality>8</quality></ReadingQuality>"
BUTTON = {
    "usual.xml": button.usual(button.readings([100, 200, 300]), button.readings([4], start=1_614_790_800)),
    "others.xml": button.usual(button.readings([1, 2]), uom=38),
    "registers.xml": button.usual(button.readings([1, 2]), accumulationBehaviour=1),
    "odd.xml": button.usual(
        button.reading("x")
        + button.reading("", start="soon")
        + button.reading(-1)
        + button.reading(" 7 ", more=QUALITY),
        button.reading(1, duration=1000)
        + button.reading(1, start=0)
        + button.reading(1, start=-1)
        + "<IntervalReading/>",
    ),
    "direction.xml": button.usual(button.readings([1]) + button.reading(1, start="soon"), flowDirection=5),
    "export.xml": button.usual(button.readings([5, "5.5"]), flowDirection=19, powerOfTenMultiplier=-3),
    "no_type.xml": button.feed(button.usage_point(), button.meter_reading(), button.block(button.readings([1]))),
    "no_point.xml": button.feed(button.meter_reading(), button.reading_type(), button.block(button.readings([1]))),
    "large.xml": button.usual(button.readings(range(2000))),
}
LONG = {
    "meter": "Meter", "timestamp": ["Day", "Time"], "timestamp_format": "dd/MM/yyyy HH:mm", "label": "end", "value": ["kWh", "more"],
    "direction": {"column": "Way", "import": ["in"], "export": ["out"], "ignore": ["other"]}, "where": {"Kind": ["E"]}, "quality": "Mark",
    "decimal": ",", "delimiter": ";", "skip_lines": 1,
}  # fmt: skip
HEAD = "Meter;Day;Time;kWh;more;Way;Kind;Mark"
CSV_LONG = {
    "usual.csv": f"about\n{HEAD}\n" + "".join(f"M{n % 2};31/10/2021;{n // 2:02d}:{n % 2 * 30:02d};0,{n};1;in;E;A\n" for n in range(1, 48)) + "M1;31/10/2021;24:00;1;;in;E;\n",
    "twice.csv": f"about\n{HEAD}\n" + "".join(f"M;31/10/2021;{at};0,5;;in;E;A\n" for at in ("01:00", "01:30", "02:00", "01:30", "02:00", "02:30")),
    "odd.csv": (
        f'about\r\n\r\n{HEAD};\r\n \r\n"M ""1""";"01/06/2021";01:00;"1,5";;in;E; A ;;\r\n="123";01/06/2021;01:00;1;;out;E;B\r\n'
        ";01/06/2021;01:30;1;;in;E;\r\nM;31/06/2021;01:30;1;;in;E;\r\nM;01/06/2021;x;1;;other;E;\r\nM;01/06/2021;x;1;;in;G;\r\nM;01/06/2021;x;-;;in;E;\r\n"
        "M;28/03/2021;01:30;1;;in;E;\r\nM;01/06/2021;01:10;1;;in;E;\r\nM;01/06/2021;02:00;1.5;;in;E;\r\nM;01/06/2021;02:00;-1;;in;E;\r\nM;01/06/2021;02:00;1;;x;E;\r\n"
        'M;01/06/2021;03:00;1\r\nM;01/06/2021;03:00;1;;in;E;A;more\r\n"M;x";01/06/2021;03:30;"1\n";;in;E;A\r\n1.5E+3;01/06/2021;04:00;1;;in;E;A\r\nM;01/06/1969;04:00;1;;in;E;A'
    ),
    "none.csv": f"about\n{HEAD}\n",
}  # fmt: skip
WIDE = {
    "layout": "wide",
    "meter": "MPAN",
    "timestamp": "Date",
    "timestamp_format": "dd/MM/yyyy",
    "value": r"(?P<time>\d{2}:\d{2})",
    "quality_beside": True,
    "label": "end",
}
NAMES = ",".join(f"{n // 2:02d}:{n % 2 * 30:02d},q{n}" for n in range(1, 49))


def halves(value="0.5", count=48):
    return ",".join(f"{value},A" for _ in range(count))


CSV_WIDE = {
    "usual.csv": f"MPAN,Date,{NAMES}\n1,30/10/2021,{halves()}\n1,31/10/2021,{halves('1.5')}\n",
    "spring.csv": f"MPAN,Date,{NAMES}\n1,28/03/2021,{halves()}\n2,28/03/2021,{halves('0.5', 2)},,,,,{halves('0.5', 44)}\n",
    "odd.csv": (
        f"MPAN,Date,{NAMES}\n,30/10/2021,{halves()}\n1,x,{halves()}\n1,30/10/2021,{halves('')}\n1,30/10/2021,{halves('x', 1)},{halves('1', 47)}\n"
        f"1,30/10/2021,{halves('1', 40)}\n1,30/10/1969,{halves()}\n1,30/10/2031,{halves('')}\n1,30/10/2021,{halves('-1', 2)},{halves('1', 46)},\n"
    ),
}  # fmt: skip
CASES = {
    "csv long": (
        Feed(name="f", format="csv", path="p", time_zone="Europe/London", interval_minutes=30, csv=LONG),
        as_bytes(CSV_LONG),
    ),
    "csv wide": (
        Feed(name="f", format="csv", path="p", time_zone="Europe/London", interval_minutes=30, unit="kW", csv=WIDE),
        as_bytes(CSV_WIDE),
    ),
    "nem12": (Feed(name="f", format="nem12", path="p"), NEM12),
    "green_button": (Feed(name="f", format="green_button", path="p", time_zone="America/New_York"), BUTTON),
}


@pytest.fixture(scope="module", params=CASES)
def both(request, read):
    feed, files = CASES[request.param]
    return feed, files, read(feed, files)


def plain(value):
    """A value of bronze as Python has it: maps and arrays as lists."""
    if isinstance(value, dict):
        return sorted(value.items())
    return [plain(each) for each in value] if isinstance(value, (list, tuple)) else value


def shown(row, columns):
    """A row's values; of one that was taken apart only that its text is kept, for quotes are not told again."""
    return {name: (row[name] is not None) if name == "raw" else plain(row[name]) for name in columns}


def test_the_rows_are_spark_s(both):
    feed, files, found = both
    columns = ("row_number", *formats.format_of(feed).row_judge.columns(feed))
    for path, content in files.items():
        delivery = found.deliveries[path]
        assert delivery.reason_code is None, path
        rows = list(READERS[feed.format].rows(content, delivery, feed))
        assert [shown(row, columns) for row in rows] == [shown(row, columns) for row in found.bronze[path]], path
        assert len(rows) == delivery.rows_read


def test_the_same_rows_are_rejected_for_the_same_reasons_and_the_energy_is_the_same(both):
    feed, files, found = both
    seen = 0
    for path, content in files.items():
        tried = trial.tried(content, found.deliveries[path], feed, RECEIVED)
        reasons = defaultdict(set)
        energy = {}
        for row in found.judged[path]:
            if row["reason_code"]:
                reasons[row["row_number"]].add((row["reason_code"], row["reason"]))
            elif row["consumption"] is not None:
                energy[row["meter_id"], row["direction"], row["interval_start"]] = Decimal(row["consumption"])
        assert {each.row_number for each in tried.refused} == set(reasons), path
        assert [
            each for each in tried.refused if (each.reason_code, each.reason) not in reasons[each.row_number]
        ] == [], path
        assert sum((each.consumption for each in tried.days.values()), Decimal()) == sum(energy.values()), path
        seen += len(reasons)
    assert seen > 4
