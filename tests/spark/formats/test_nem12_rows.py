"""300 records of NEM12: which of their intervals pass, which are rejected and for what, and what bronze keeps of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pipeline.config.feeds import Feed

POWER = Feed(name="power", format="nem12", path="landing")
HEADER = "100,NEM12,202103050015,MDP1,RETAIL1"
# 00:00 of this day at +10:00, in UTC.
MIDNIGHT = "2021-03-03 14:00:00"


def details(suffix="E1", unit="kWh", length="30", nmi="6305123456"):
    return f"200,{nmi},E1B1Q1,01,{suffix},N1,A1234567,{unit},{length},20210605"


def day(values, quality="A", date="20210304", more=",,20210305001500,"):
    texts = ["0.125"] * values if isinstance(values, int) else values
    return f"300,{date},{','.join(texts)},{quality},{more}"


def file(*records):
    return "\r\n".join([HEADER, *records, "900", ""]).encode()


HALF_HOURS = [f"{n}.5" for n in range(48)]
E1, B1 = details(), details("B1")


@pytest.fixture(scope="module")
def files(read):
    five = [*["0.0005"] * 287, "1"]
    return read(
        POWER,
        {
            "one.csv": file(E1, day(HALF_HOURS)),
            "lengths.csv": file(details(length="5"), day(five), details(length="15"), day(96), details(length="030"), day(48)),
            "two_registers.csv": file(E1, day(48), day(48, date="20210305"), B1, day(48), "500,S,1,,", details("E2"), day(48)),
            "units.csv": file(
                *(record for unit in ("KWH", "Wh", "mwh") for record in (details(unit=unit), day(["1.2345678915", *["0"] * 47]))),
            ),
            "others.csv": file(details("Q1", "kVArh"), day(48), day(["x"], date="x"), details("V1", "Volts"), day(2), E1, day(48)),
            "qualities.csv": file(
                E1,
                day(48, "V"), "400,1,20,A,,", "400,21,24,F14,76,", "400,25,47,S14,,", "400,24,24,E52,,",
                day(48, "S14"), "400,1,1,A,,",
                day(48, "A"), "400,x,2,F14,,", "400,0,1,,,", '400,"1,2,F15', "400,49,99,F16,,", "500,S,1,,",
                day(48, "N"), E1, day(48, "", more=",,"),
            ),
            "spellings.csv": b"\xef\xbb\xbf\n \r\n" + file(
                ' "200" , "6305123456",E1,01," E1",N1,A1,"kWh",30',
                "", ' "300","20210304" ,' + ",".join(f' "{n}" ' for n in range(48)) + ', "F14","a, ""b""",,', " \t",
                "300,20210305," + "1," * 48 + "A,,,,,,,",
                "300,20210306," + "1," * 48 + "A",
            ),
            "blanks.csv": file(E1, day([" ", "1", *[""] * 46]), day([""] * 48)),
            "bad_values.csv": file(E1, day(["-1", "x", "1e30", "2000", "1,"[:1], *["0"] * 43], date="20210304")),
            "lengths_wrong.csv": file(
                E1, day(47), day(49), day(96), "300,20210304", "300,20210304,A", day(["A", *["1"] * 47]), day(0),
                details(length="60"), day(24), details(length=""), day(48),
            ),
            "meters.csv": file(
                day(48), details(nmi=""), day(48), details(suffix=""), day(48), "200,6305123456,E1", day(48),
                details(nmi='"63'), day(48), details(unit=""), day(48), details("X1"), day(48), details("e1"), day(48),
            ),
            "days.csv": file(
                E1, *(day(48, date=date) for date in ("20210229", "2021-03-04", "", "00000101", "19691231", "20211109", "19700101"))
            ),
            "lines.csv": file(E1, '300,20210304,"1', '"300,20210304,1', "300", day(48)),
            "no_days.csv": file(E1),
            "deep/Zähler [1].CSV": file(E1, day(48)),
        },
    )  # fmt: skip


def test_a_value_is_a_reading_at_its_place_in_the_day_which_begins_at_ten_hours_before_utc(files):
    found = files.values("one.csv", "interval_start", "interval_minutes", "consumption", "local_date", "position")
    assert found[0] == (MIDNIGHT, 30, "0.500000", "2021-03-04", 0)
    assert found[1] == ("2021-03-03 14:30:00", 30, "1.500000", "2021-03-04", 1)
    assert found[47] == ("2021-03-04 13:30:00", 30, "47.500000", "2021-03-04", 47)
    names = ("meter_id", "direction", "quality", "is_repeated", "reason_code", "reason")
    assert set(files.values("one.csv", *names)) == {("6305123456/E1", "import", "A", False, None, None)}


def test_the_200_record_says_how_long_an_interval_is(files):
    found = files.values("lengths.csv", "row_number", "interval_minutes", "interval_start", "consumption")
    assert [(number, minutes) for number, minutes, *_ in found] == [(1, 5)] * 288 + [(2, 15)] * 96 + [(3, 30)] * 48
    assert found[287][2:] == ("2021-03-04 13:55:00", "1.000000")
    assert sum(Decimal(value) for number, *_, value in found if number == 1) == Decimal("1.1435")


def test_rows_belong_to_the_last_200_record_before_them(files):
    bronze = files.bronze["two_registers.csv"]
    assert [(row["row_number"], row["meter"]) for row in bronze] == [
        (1, "6305123456/E1"), (2, "6305123456/E1"), (3, "6305123456/B1"), (4, "6305123456/E2"),
    ]  # fmt: skip
    of_row = dict(files.values("two_registers.csv", "row_number", "direction"))
    assert of_row == {1: "import", 2: "import", 3: "export", 4: "import"}


def test_a_value_is_turned_into_the_unit_of_the_feed_and_rounded_once(files, read):
    found = {row["row_number"]: row["consumption"] for row in files.judged["units.csv"] if row["position"] == 0}
    assert found == {1: "1.234568", 2: "0.001235", 3: "1234.567892"}
    wh = read(POWER.model_copy(update={"unit": "Wh"}), {"a.csv": file(
        *(record for unit in ("kwh", "WH", "MWh") for record in (details(unit=unit), day(["1.2345678915", *["0"] * 47])))
    )})  # fmt: skip
    found = {row["row_number"]: row["consumption"] for row in wh.judged["a.csv"] if row["position"] == 0}
    assert found == {1: "1234.567892", 2: "1.234568", 3: "1234567.891500"}


def test_another_quantity_than_energy_is_accepted_and_gives_no_reading(files):
    found = [row for row in files.judged["others.csv"] if row["row_number"] < 4]
    assert [(row["row_number"], row["reason_code"], row["consumption"], row["position"]) for row in found] == [
        (1, None, None, 0), (2, None, None, 0), (3, None, None, 0),
    ]  # fmt: skip
    assert len(files.judged["others.csv"]) == 3 + 48
    assert files.deliveries["others.csv"].rows_read == 4


def test_400_records_give_intervals_their_quality_and_else_it_is_the_days(files):
    of_row = {
        n: [row["quality"] for row in files.judged["qualities.csv"] if row["row_number"] == n] for n in range(1, 6)
    }
    # The last of two that cover an interval counts; without any it is the row's own method.
    assert of_row[1] == ["A"] * 20 + ["F14"] * 3 + ["E52"] + ["S14"] * 23 + ["V"]
    assert of_row[2] == ["A"] + ["S14"] * 47
    assert of_row[3] == ["A"] * 48
    assert of_row[4] == ["N"] * 48
    assert of_row[5] == [None] * 48


def test_bronze_keeps_a_row_with_what_describes_it(files):
    (row,) = files.bronze["one.csv"]
    assert row.pop("file_id") == files.deliveries["one.csv"].file_id
    assert row == {
        "meter": "6305123456/E1", "nmi": "6305123456", "nmi_configuration": "E1B1Q1", "register_id": "01",
        "nmi_suffix": "E1", "data_stream": "N1", "meter_serial_number": "A1234567", "uom": "kWh",
        "interval_length": "30", "next_scheduled_read_date": "20210605", "interval_date": "20210304",
        "interval_values": HALF_HOURS, "quality_method": "A", "further": ["", "", "20210305001500", ""],
        "records": None, "row_number": 1, "raw": None, "batch_id": 1,
    }  # fmt: skip
    records = [row["records"] for row in files.bronze["qualities.csv"]]
    assert records[1:] == [
        ["400,1,1,A,,"],
        ["400,x,2,F14,,", "400,0,1,,,", '400,"1,2,F15', "400,49,99,F16,,", "500,S,1,,"],
        None,
        None,
    ]


def test_quotes_blanks_and_empty_fields_at_the_end_are_taken_off(files):
    first, second, third = files.bronze["spellings.csv"]
    assert (first["meter"], first["nmi_suffix"], first["next_scheduled_read_date"]) == ("6305123456/ E1", " E1", None)
    assert first["interval_values"] == [str(n) for n in range(48)]
    assert (first["quality_method"], first["further"]) == ("F14", ['a, "b"', "", ""])
    assert [(row["interval_date"], row["interval_values"], row["quality_method"]) for row in (second, third)] == [
        ("20210305", ["1"] * 48, "A"), ("20210306", ["1"] * 48, "A"),
    ]  # fmt: skip
    assert set(files.values("spellings.csv", "row_number", "reason_code")) == {
        (1, "DIRECTION_UNKNOWN"),
        (2, "DIRECTION_UNKNOWN"),
        (3, "DIRECTION_UNKNOWN"),
    }


def test_an_empty_value_is_no_reading(files):
    found = files.values("blanks.csv", "row_number", "position", "consumption", "reason_code")
    assert found == [(1, 0, None, None), (1, 1, "1.000000", None), (2, 0, None, None)]


def test_one_bad_value_does_not_take_the_others_with_it(read):
    feed = POWER.model_copy(update={"max_consumption": Decimal(1500)})
    files = read(feed, {"a.csv": file(E1, day(["-1", "x1x", "1e30", "2000", "-0.0000004", *["1"] * 43]))})
    found = files.values("a.csv", "position", "reason_code", "reason")
    assert found[:5] == [
        (0, "CONSUMPTION_NEGATIVE", "interval 1: '-1' is negative"),
        (1, "CONSUMPTION_INVALID", "interval 2: 'x1x' is not a usable number"),
        (2, "CONSUMPTION_INVALID", "interval 3: '1e30' is not a usable number"),
        (3, "CONSUMPTION_IMPLAUSIBLE", "interval 4: '2000' is more than 1500 kWh in an interval"),
        (4, None, None),
    ]
    assert {code for _, code, _ in found[5:]} == {None}
    assert files.values("a.csv", "raw")[0] == day(["-1", "x1x", "1e30", "2000", "-0.0000004", *["1"] * 43])


def test_a_wrong_number_of_values_refuses_the_row(files):
    found = files.values("lengths_wrong.csv", "row_number", "reason_code", "reason")
    assert found == [
        (1, "ARRAY_LENGTH_INVALID", "47 values of 30 minutes, not 48"),
        (2, "ARRAY_LENGTH_INVALID", "49 values of 30 minutes, not 48"),
        (3, "ARRAY_LENGTH_INVALID", "96 values of 30 minutes, not 48"),
        (4, "ARRAY_LENGTH_INVALID", "0 values of 30 minutes, not 48"),
        (5, "ARRAY_LENGTH_INVALID", "0 values of 30 minutes, not 48"),
        # A quality method ends the values.
        (6, "ARRAY_LENGTH_INVALID", "0 values of 30 minutes, not 48"),
        (7, "ARRAY_LENGTH_INVALID", "1 values of 30 minutes, not 48"),
        (8, "ARRAY_LENGTH_INVALID", "interval length '60' is none of NEM12"),
        (9, "ARRAY_LENGTH_INVALID", "interval length '' is none of NEM12"),
    ]


def test_a_row_needs_a_200_record_with_nmi_suffix_and_unit_before_it(files):
    found = {row["row_number"]: (row["meter_id"], row["reason_code"]) for row in files.judged["meters.csv"]}
    assert found == {
        1: (None, "METER_ID_MISSING"),
        2: (None, "METER_ID_MISSING"),
        3: (None, "METER_ID_MISSING"),
        4: (None, "METER_ID_MISSING"),
        5: (None, "METER_ID_MISSING"),
        6: ("6305123456/E1", "FIELD_COUNT"),
        7: ("6305123456/X1", "DIRECTION_UNKNOWN"),
        8: ("6305123456/e1", None),
    }


def test_a_day_must_exist_and_be_in_range(files):
    found = {row["row_number"]: row["reason_code"] for row in files.judged["days.csv"] if row["position"] == 0}
    invalid, outside = "INTERVAL_START_INVALID", "INTERVAL_OUT_OF_RANGE"
    # A week after the delivery came is 10:00 of the ninth at +10:00.
    assert found == {1: invalid, 2: invalid, 3: invalid, 4: invalid, 5: outside, 6: None, 7: None}
    late = [row["reason_code"] for row in files.judged["days.csv"] if row["row_number"] == 6]
    assert late == [None] * 21 + [outside] * 27


def test_an_open_quote_spoils_its_row(files):
    found = files.values("lines.csv", "row_number", "reason_code", "raw")
    assert found[:3] == [
        (1, "FIELD_COUNT", '300,20210304,"1'),
        (2, "FIELD_COUNT", '"300,20210304,1'),
        (3, "INTERVAL_START_INVALID", "300"),
    ]
    assert {code for _, code, _ in found[3:]} == {None}


def test_every_300_record_is_a_row(files):
    for path, delivery in files.deliveries.items():
        assert delivery.reason_code is None, path
        assert [row["row_number"] for row in files.bronze[path]] == list(range(1, delivery.rows_read + 1)), path
    assert files.bronze["no_days.csv"] == []
