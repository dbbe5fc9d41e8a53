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
CASES = {
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


def test_the_rows_are_spark_s(both):
    feed, files, found = both
    columns = ("row_number", *formats.format_of(feed).row_judge.columns(feed))
    for path, content in files.items():
        delivery = found.deliveries[path]
        assert delivery.reason_code is None, path
        rows = list(READERS[feed.format].rows(content, delivery, feed))
        said = [{name: plain(row[name]) for name in columns} for row in rows]
        assert said == [{name: plain(row[name]) for name in columns} for row in found.bronze[path]], path
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
