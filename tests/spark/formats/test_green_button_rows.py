"""Readings of Green Button: which pass, which are rejected and for what, and what bronze keeps of them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from pipeline.config.feeds import Feed
from tests.green_button_feeds import block, feed, meter_reading, reading, reading_type, readings, usage_point, usual

HOMES = Feed(name="homes", format="green_button", path="landing")
AT = 1_614_780_000  # 2021-03-03 14:00:00 in UTC
DAY = 86_400


TWO = "<ReadingQuality><quality>8</quality></ReadingQuality><ReadingQuality><quality>17</quality></ReadingQuality>"
VALUES = {
    "7": "7.000000", "0": "0.000000", "007": "7.000000", "+5": "5.000000", "1.23456750": "1.234568", "-0": "0.000000",
    " 7\n": "7.000000", "<![CDATA[7]]>": "7.000000", "&#55;": "7.000000", "7<!-- 8 -->": "7.000000", "999999999999": "999999999999.000000",
}  # fmt: skip
BAD_VALUES = {
    "": "CONSUMPTION_INVALID", "x": "CONSUMPTION_INVALID", "1e2": "CONSUMPTION_INVALID", "1,5": "CONSUMPTION_INVALID",
    "NaN": "CONSUMPTION_INVALID", "<x>7</x>": "CONSUMPTION_INVALID", "9999999999999": "CONSUMPTION_INVALID", "٣": "CONSUMPTION_INVALID",
    "-1": "CONSUMPTION_NEGATIVE", "-0.000001": "CONSUMPTION_NEGATIVE",
}  # fmt: skip
TIMES = [
    reading(1, "", 900), reading(1, "x", 900), reading(1, AT, ""), reading(1, AT, "x"), reading(1, "9" * 12, 900),
    reading(1, "1e9", 900), "<IntervalReading><value>1</value></IntervalReading>", "<IntervalReading/>",
]  # fmt: skip
OUTSIDE = [reading(1, -900), reading(1, 1_636_416_000 + 900), reading(1, 4_102_444_800)]
GRID = [
    (AT, 300), (AT + 60, 60), (AT, 900), (AT + 900, 900), (AT, 1800), (AT, 3600), (AT, 7200), (AT, 21_600), (AT - 14 * 3600, DAY),
]  # fmt: skip
OFF = [
    (AT + 1, 900),
    (AT + 60, 900),
    (AT + 900, 1800),
    (AT, 0),
    (AT, 90),
    (AT, 420),
    (AT, 2700),
    (AT, 18_000),
    (AT, 30 * DAY),
]


@pytest.fixture(scope="module")
def files(read):
    return read(
        HOMES,
        {
            "day.xml": usual(readings(range(96)), readings([96], AT + DAY)),
            "values.xml": usual("".join(map(reading, VALUES))),
            "bad_values.xml": usual("".join(map(reading, BAD_VALUES))),
            "times.xml": usual("".join(TIMES)),
            "outside.xml": usual("".join(OUTSIDE)),
            "grid.xml": usual("".join(reading(1, *each) for each in GRID)),
            "off.xml": usual("".join(reading(1, *each) for each in OFF)),
            "qualities.xml": usual(reading(1, more=TWO) + reading(2, AT + 900, more="<ReadingQuality/>") + reading(3, AT + 1800)),
            "meters.xml": feed(
                block(reading(1), meter="2", number="b"),
                usage_point("1"), usage_point("2"),
                meter_reading("1", "a", "in"), meter_reading("1", "b", "out"), meter_reading("2", "b", "volts"), meter_reading("2", "c", "register"),
                block(reading(4) + reading(5, AT + 900), reading(6, AT + 1800), meter="1", number="b"),
                block(reading(7), meter="1", number="a"),
                block("", reading(8), meter="2", number="c"),
                reading_type("in"), reading_type("out", flowDirection=19, powerOfTenMultiplier=3),
                reading_type("volts", uom=29), reading_type("register", accumulationBehaviour=3),
            ),
            "no_meter.xml": feed(meter_reading(), reading_type(), block(reading(1))),
            "no_type.xml": feed(usage_point(), meter_reading(), block(reading(1))),
            "net.xml": usual(reading(1), flowDirection=4),
            "no_direction.xml": usual(reading(1), flowDirection=None),
            "no_multiplier.xml": usual(reading(1), powerOfTenMultiplier=None),
            "bad_multiplier.xml": usual(reading(1), powerOfTenMultiplier="x"),
            "no_readings.xml": usual(),
            "deep/Zähler [1].XML": usual(reading(1)),
        },
    )  # fmt: skip


def test_a_reading_is_at_its_own_instant_with_its_own_length(files):
    found = files.values("day.xml", "row_number", "interval_start", "interval_minutes", "local_date", "consumption")
    assert found[0] == (1, "2021-03-03 14:00:00", 15, "2021-03-03", "0.000000")
    assert found[95] == (96, "2021-03-04 13:45:00", 15, "2021-03-04", "95.000000")
    assert found[96] == (97, "2021-03-04 14:00:00", 15, "2021-03-04", "96.000000")
    names = ("meter_id", "direction", "quality", "position", "is_repeated", "reason_code", "reason")
    assert set(files.values("day.xml", *names)) == {("5446", "import", None, 0, False, None, None)}


@pytest.mark.parametrize("power", [-6, -3, 0, 3, 9])
def test_a_value_is_times_ten_to_the_power_of_its_type_and_rounded_once(read, power):
    values = ["1.2345675", "12", "0"]
    files = read(HOMES, {"a.xml": usual(readings(values), powerOfTenMultiplier=power)})
    found = files.values("a.xml", "consumption")
    assert found[1:] == [f"{Decimal(12).scaleb(power):.6f}", "0.000000"]
    exact = {-6: "0.000001", -3: "0.001235", 0: "1.234568", 3: "1234.567500", 9: "1234567500.000000"}
    assert found[0] == exact[power]


def test_a_feed_in_kwh_turns_wh_into_kwh(read):
    files = read(HOMES.model_copy(update={"unit": "kWh"}), {"a.xml": usual(readings(["1234567.8915", "1"]))})
    assert files.values("a.xml", "consumption") == ["1234.567892", "0.001000"]


def test_values_are_read_as_xml_has_them(files):
    assert dict(zip(VALUES, files.values("values.xml", "consumption"), strict=True)) == VALUES


def test_a_bad_value_is_rejected(files):
    assert dict(zip(BAD_VALUES, files.values("bad_values.xml", "reason_code"), strict=True)) == BAD_VALUES
    reasons = files.values("bad_values.xml", "reason")
    assert reasons[1] == "value 'x' times ten to '0' is not a usable number"


def test_a_reading_without_a_start_or_a_duration_is_rejected(files):
    assert set(files.values("times.xml", "reason_code")) == {"INTERVAL_START_INVALID"}
    assert files.values("times.xml", "reason")[1] == "no start or duration in seconds: 'x', '900'"
    assert len(files.judged["times.xml"]) == len(TIMES)


def test_a_reading_out_of_range_is_rejected(files):
    assert files.values("outside.xml", "reason_code") == ["INTERVAL_OUT_OF_RANGE"] * 3


def test_an_interval_is_a_part_of_an_hour_or_whole_hours_or_a_whole_day(files):
    assert files.values("grid.xml", "reason_code", "interval_minutes") == [(None, length // 60) for _, length in GRID]
    assert set(files.values("off.xml", "reason_code")) == {"OFF_GRID"}
    assert files.values("off.xml", "reason")[0] == f"'{AT + 1}' for '900' seconds is no part of an hour or a day"


CHANGES = [
    # New York: 14 March 2021 has 23 hours and begins at 05:00 in UTC, 1 November 2020 has 25.
    (1_615_698_000, 23 * 3600, None), (1_615_698_000, 25 * 3600, "OFF_GRID"), (1_615_698_000 + 3600, 23 * 3600, "OFF_GRID"),
    (1_604_203_200, 25 * 3600, None), (1_604_203_200, 23 * 3600, "OFF_GRID"), (1_615_698_000 + 2 * 3600, 3600, None),
]  # fmt: skip


def test_a_whole_local_day_may_have_23_or_25_hours(read):
    new_york = HOMES.model_copy(update={"time_zone": "America/New_York"})
    files = read(new_york, {"a.xml": usual("".join(reading(1, start, length) for start, length, _ in CHANGES))})
    assert files.values("a.xml", "reason_code") == [code for *_, code in CHANGES]
    assert files.values("a.xml", "local_date")[:4] == ["2021-03-14", "2021-03-14", "2021-03-14", "2020-11-01"]
    kathmandu = HOMES.model_copy(update={"time_zone": "Asia/Kathmandu"})
    files = read(kathmandu, {"a.xml": usual(reading(1, AT + 900, 3600) + reading(1, AT, 3600))})
    assert files.values("a.xml", "reason_code") == [None, "OFF_GRID"]


def test_quality_codes_are_carried(files):
    assert files.values("qualities.xml", "quality") == ["8 17", None, None]


def test_links_say_whose_readings_these_are_and_in_which_direction(files):
    names = ("row_number", "meter_id", "direction", "consumption", "reason_code")
    assert files.values("meters.xml", *names) == [
        (1, "2", "import", None, None),
        (2, "1", "export", "4000.000000", None),
        (3, "1", "export", "5000.000000", None),
        (4, "1", "export", "6000.000000", None),
        (5, "1", "import", "7.000000", None),
        (6, "2", "import", None, None),
    ]


def test_a_reading_that_links_do_not_describe_is_rejected(files):
    found = {
        path: files.values(path, "meter_id", "reason_code", "reason")
        for path in ("no_meter.xml", "no_type.xml", "net.xml")
    }
    assert found == {
        "no_meter.xml": [(None, "METER_ID_MISSING", "no UsagePoint with a link of its own")],
        "no_type.xml": [("5446", "CONSUMPTION_INVALID", "no ReadingType is linked, so its unit is not known")],
        "net.xml": [("5446", "DIRECTION_UNKNOWN", "flowDirection '4' is neither import (1) nor export (19)")],
    }  # fmt: skip


def test_what_a_type_does_not_say_has_its_default(files, read):
    assert files.values("no_direction.xml", "direction", "consumption") == [("import", "1.000000")]
    assert files.values("no_multiplier.xml", "consumption") == ["1.000000"]
    assert files.values("bad_multiplier.xml", "reason") == ["value '1' times ten to 'x' is not a usable number"]
    solar = HOMES.model_copy(update={"direction": "production"})
    assert read(solar, {"a.xml": usual(reading(1), flowDirection=None)}).values("a.xml", "direction") == ["production"]


def test_bronze_keeps_a_reading_and_what_describes_it(files):
    first = dict(files.bronze["qualities.xml"][0])
    assert first.pop("file_id") == files.deliveries["qualities.xml"].file_id
    assert first == {
        "usage_point": "5446", "uom": "72", "power_of_ten_multiplier": "0", "flow_direction": "1", "accumulation_behaviour": "4",
        "commodity": "1", "kind": "12", "start": str(AT), "duration": "900", "value": "1", "quality": "8 17", "cost": "29",
        "tou": None, "consumption_tier": None, "cpp": None, "row_number": 1, "batch_id": 1,
    }  # fmt: skip
    raw = json.loads(files.judged["qualities.xml"][0]["raw"])
    assert raw == {
        name: text for name, text in first.items() if text is not None and name not in {"row_number", "batch_id"}
    }


def test_every_reading_is_a_row(files):
    for path, delivery in files.deliveries.items():
        assert delivery.reason_code is None, path
        assert [row["row_number"] for row in files.bronze[path]] == list(range(1, delivery.rows_read + 1)), path
    assert files.bronze["no_readings.xml"] == []


def test_files_without_readings_need_no_description(read):
    files = read(HOMES, {"a.xml": usual(), "b.xml": b"<feed/>"})
    assert files.bronze == {"a.xml": [], "b.xml": []}
