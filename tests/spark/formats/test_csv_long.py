"""Long delimited text as Spark reads and judges it: exact rows, instants, values and refusals (contract, section 1)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.spark.csv_files import assert_same_in_python, feed

HEADER = "meter,timestamp,value\n"
SPRING = "2021-03-28"  # Europe/London: 00:00 to 01:00 GMT, then 02:00 BST
AUTUMN = "2021-10-31"  # 02:00 BST is 01:00 GMT again


def starts(found, path):
    return [at[11:16] if at else None for at in found.values(path, "interval_start")]


def labels(day, first, count, meter="m"):
    times = [f"{n // 60:02}:{n % 60:02}" for n in range(first, first + 30 * count, 30)]
    return [f"{meter},{day} {time},1" for time in times]


@pytest.fixture(scope="module")
def plain(read):
    texts = {
        "plain.csv": HEADER + "m,2021-06-01 00:00,0.5\nm,2021-06-01T00:30:00,0.0000005\nm,2021-06-01 01:00Z,2\n",
        "crlf.csv": HEADER + " m , 2021-06-01 00:00 , 0.5 \r\n\r\n  \r\nm,2021-06-01 00:30,1\r\n",
        "quoted.csv": HEADER + '"m","2021-06-01 00:00","0.5"\n "m" ,=""2021"",1\n',
        "odd.csv": HEADER + 'm,"2021-06-01\n00:00",1\n"a""b, c",2021-06-01 00:30,1\n\n"m"x,2021-06-01 01:00,1\n',
        "excel.csv": HEADER + '="0012",2021-06-01 00:00,="0.5"\n"=""0012""",2021-06-01 00:30,1\n',
        "extra.csv": 'note,value,meter,timestamp,more\n"a, b",1,m,2021-06-01 00:00,\n,2,m,2021-06-01 00:30,x\n',
        "count.csv": HEADER + "m,2021-06-01 00:00\nm,2021-06-01 00:30,1,,\nm,2021-06-01 01:00,1,2\nm\n",
        "short.csv": "meter,timestamp,value,a,notes,,\n"
        "m,2021-06-01 00:00,1,x,y\nm,2021-06-01 00:30,1,x\nm,2021-06-01 01:00,1\nm,2021-06-01 01:30,1,,,,,\n"
        "m,2021-06-01 02:00\nm,2021-06-01 02:30,\nm,2021-06-01 03:00,1,x,y,z\n",
        "missing.csv": HEADER + "m,2021-06-01 00:00,-\nm,2021-06-01 00:30, NULL \nm,x,\n,x,N/A\nm,x,null\n",
        "meters.csv": HEADER
        + ",2021-06-01 00:00,1\n7.22E+13,2021-06-01 00:00,1\n1.0,2021-06-01 00:00,1\n12E5,2021-06-01 00:00,1\n",
        "values.csv": HEADER
        + "".join(f"m,2021-06-01 00:00,{v}\n" for v in ("-1", "1e3", "0x1", "1 000", '"1,5"', "+.5")),
        "times.csv": HEADER
        + "".join(
            f"m,{t},1\n"
            for t in (
                "2021-06-01 24:00",
                "2021-06-01",
                "2021-06-01 00:10",
                "2021-02-29 00:00",
                "2021-06-01 24:30",
                "2021-6-1 00:00",
                "2021-06-01 00:00:00.000",
                "2021-06-01 00:00:00.500",
                "2021-06-01T00:00:00+05:30",
                "2021-06-01 00:30 -0130",
                "0000-01-01 00:00",
                "9999-12-31 24:00",
                "1969-12-31 23:30",
            )
        ),
        "bom.csv": "\ufeffsep=,\n\n" + HEADER + "\n".join(labels("2021-06-01", 0, 2)),
        "none.csv": HEADER,
        "cr.csv": (HEADER + "\n".join(labels("2021-06-01", 0, 2))).replace("\n", "\r"),
    }
    return read(feed(), {path: text.encode() for path, text in texts.items()})


def test_rows_are_readings_at_their_instants(plain):
    assert plain.values("plain.csv", "interval_start", "consumption", "local_date") == [
        ("2021-05-31 23:00:00", "0.500000", "2021-06-01"),
        ("2021-05-31 23:30:00", "0.000001", "2021-06-01"),
        ("2021-06-01 01:00:00", "2.000000", "2021-06-01"),
    ]
    assert plain.values("plain.csv", "direction", "interval_minutes", "quality", "reason_code")[0] == (
        "import",
        30,
        None,
        None,
    )
    assert plain.bronze["plain.csv"][1]["value"] == "0.0000005"


def test_blank_lines_are_no_rows_and_blanks_around_fields_are_cut_off(plain):
    assert plain.codes("crlf.csv") == [(1, None), (2, None)]
    assert plain.values("crlf.csv", "meter_id") == ["m", "m"]
    assert [row["raw"] for row in plain.bronze["crlf.csv"]] == [None, None]


def test_quotes_hold_delimiters_line_breaks_and_doubled_quotes(plain):
    assert plain.values("odd.csv", "meter_id", "reason_code") == [
        ("m", "INTERVAL_START_INVALID"),
        ('a"b, c', None),
        ("mx", None),
    ]
    assert plain.bronze["odd.csv"][0]["timestamp"] == "2021-06-01\n00:00"
    assert plain.values("quoted.csv", "meter_id", "reason_code") == [("m", None), ("m", "INTERVAL_START_INVALID")]
    assert plain.bronze["quoted.csv"][1]["timestamp"] == '"2021"'


def test_what_excel_makes_of_an_id_is_the_id(plain):
    assert plain.values("excel.csv", "meter_id", "consumption") == [("0012", "0.500000"), ("0012", "1.000000")]


def test_columns_are_found_by_name_and_further_ones_are_kept(plain):
    assert plain.values("extra.csv", "meter_id", "consumption") == [("m", "1.000000"), ("m", "2.000000")]
    assert [dict(row["extra"]) for row in plain.bronze["extra.csv"]] == [
        {"note": "a, b", "more": ""},
        {"note": "", "more": "x"},
    ]


def test_another_number_of_fields_is_a_rejected_row_empty_ones_at_the_end_aside(plain):
    assert plain.codes("count.csv") == [(1, "FIELD_COUNT"), (2, None), (3, "FIELD_COUNT"), (4, "FIELD_COUNT")]
    assert plain.values("count.csv", "raw")[2] == "m,2021-06-01 01:00,1,2"


def test_empty_fields_at_the_end_may_be_left_out_unless_their_column_is_configured(plain):
    codes = [code for _, code in plain.codes("short.csv")]
    assert codes == [None, None, None, None, "FIELD_COUNT", None, "FIELD_COUNT"]
    assert [row["value"] for row in plain.bronze["short.csv"]] == ["1", "1", "1", "1", None, "", "1"]
    assert [dict(row["extra"] or ()) for row in plain.bronze["short.csv"]] == [
        {"a": "x", "notes": "y"},
        {"a": "x", "notes": None},
        {"a": None, "notes": None},
        {"a": "", "notes": ""},
        {},
        {"a": None, "notes": None},
        {},
    ]
    assert plain.values("short.csv", "raw")[-1] == "m,2021-06-01 03:00,1,x,y,z"


def test_a_missing_value_is_accepted_and_gives_no_reading(plain):
    rows = plain.values("missing.csv", "reason_code", "consumption")
    assert rows[:4] == [(None, None)] * 4
    assert rows[4] == ("INTERVAL_START_INVALID", None)


def test_meters_that_are_missing_or_lost_digits_are_rejected(plain):
    assert plain.values("meters.csv", "reason_code") == [
        "METER_ID_MISSING",
        "METER_ID_INVALID",
        "METER_ID_INVALID",
        None,
    ]


def test_values_are_exact_or_rejected(plain):
    assert plain.values("values.csv", "reason_code", "consumption") == [
        ("CONSUMPTION_NEGATIVE", "-1.000000"),
        (None, "1000.000000"),
        ("CONSUMPTION_INVALID", None),
        ("CONSUMPTION_INVALID", None),
        ("CONSUMPTION_INVALID", None),
        (None, "0.500000"),
    ]


def test_times_of_iso_8601(plain):
    assert plain.values("times.csv", "interval_start", "reason_code") == [
        ("2021-06-01 23:00:00", None),
        ("2021-05-31 23:00:00", None),
        ("2021-05-31 23:10:00", "OFF_GRID"),
        (None, "INTERVAL_START_INVALID"),
        (None, "INTERVAL_START_INVALID"),
        (None, "INTERVAL_START_INVALID"),
        ("2021-05-31 23:00:00", None),
        (None, "INTERVAL_START_INVALID"),
        ("2021-05-31 18:30:00", None),
        ("2021-06-01 02:00:00", None),
        (None, "INTERVAL_START_INVALID"),
        (None, "INTERVAL_START_INVALID"),
        ("1969-12-31 22:30:00", "INTERVAL_OUT_OF_RANGE"),
    ]


def test_marks_separators_and_other_line_ends_make_no_difference(plain):
    for path in ("bom.csv", "cr.csv"):
        assert plain.values(path, "interval_start") == ["2021-05-31 23:00:00", "2021-05-31 23:30:00"]
    assert plain.judged["none.csv"] == []


def test_the_driver_and_spark_count_the_same_rows(plain):
    for path, delivery in plain.deliveries.items():
        assert delivery.rows_read == len(plain.bronze[path]), path
        assert [row["row_number"] for row in plain.bronze[path]] == list(range(1, delivery.rows_read + 1))


def test_python_judges_the_same(plain):
    assert_same_in_python(plain, feed())


@pytest.fixture(scope="module")
def changes(read):
    return read(
        feed(label="end"),
        {
            "spring.csv": (HEADER + "\n".join(labels(SPRING, 30, 3) + labels(SPRING, 120, 2))).encode(),
            "autumn.csv": (HEADER + "\n".join(labels(AUTUMN, 60, 2) * 2 + labels(AUTUMN, 120, 2))).encode(),
            "newest first.csv": (
                HEADER + "\n".join([*labels(AUTUMN, 60, 2) * 2, *labels(AUTUMN, 120, 2)][::-1])
            ).encode(),
            "midnight.csv": (HEADER + "m,2021-06-01 24:00,1\nm,2021-06-02 00:00,2\nm,2021-06-01 00:00,3\n").encode(),
        },
    )


def test_an_end_is_turned_into_an_instant_and_then_the_length_is_taken_off(changes):
    # 01:00 and 01:30 are times that London's clocks never showed.
    assert changes.values("spring.csv", "interval_start", "reason_code") == [
        (f"{SPRING} 00:00:00", None),
        (f"{SPRING} 00:30:00", "LOCAL_TIME_NONEXISTENT"),
        (f"{SPRING} 01:00:00", "LOCAL_TIME_NONEXISTENT"),
        (f"{SPRING} 00:30:00", None),
        (f"{SPRING} 01:00:00", None),
    ]


def test_a_repeated_end_is_resolved_by_the_order_of_rows(changes):
    times = ["23:30", "00:00", "00:30", "01:00", "01:30", "02:00"]
    assert starts(changes, "autumn.csv") == times
    assert starts(changes, "newest first.csv") == times[::-1]


def test_the_local_day_is_that_of_the_start(changes):
    assert changes.values("midnight.csv", "interval_start", "local_date") == [
        ("2021-06-01 22:30:00", "2021-06-01"),
        ("2021-06-01 22:30:00", "2021-06-01"),
        ("2021-05-31 22:30:00", "2021-05-31"),
    ]


def test_python_judges_ends_the_same(changes):
    assert_same_in_python(changes, feed(label="end"))


def test_a_later_occurrence_may_be_on_another_day_than_the_first(read):
    # Havana: 01:00 is 00:00 again. The end 00:00 is first that of 23:30, then that of 00:30.
    of = feed("America/Havana", label="end")
    found = read(of, {"a.csv": (HEADER + "m,2021-11-07 00:00,1\nm,2021-11-07 00:00,2\n").encode()})
    assert found.values("a.csv", "interval_start", "local_date", "later_date") == [
        ("2021-11-07 03:30:00", "2021-11-06", "2021-11-07"),
        ("2021-11-07 04:30:00", "2021-11-07", "2021-11-07"),
    ]
    assert_same_in_python(found, of)


DIALECT = {
    "delimiter": ";",
    "decimal": ",",
    "encoding": "cp1252",
    "skip_lines": 2,
    "timestamp": ["Date", "Heure"],
    "timestamp_format": "d/M/yyyy H:mm",
    "value": ["Jour €", "Nuit"],
    "meter": "Point",
    "quality": "Qualité",
    "where": {"Type": ["Électricité"]},
    "direction": {"column": "Sens", "import": ["S"], "export": ["I", "J"], "ignore": ["R"]},
}


@pytest.fixture(scope="module")
def dialect(read):
    header = "Point;Date;Heure;Jour €;Nuit;Qualité;Type;Sens\r\n"
    rows = [
        "p;1/6/2021;0:00;0,5;1,25;réel;Électricité;S",
        "p;1/6/2021;0:30;-;0,125;;Électricité;I",
        "p;1/6/2021;1:00;;-;x;Électricité;J",
        "p;1/6/2021;1:30;1.5;1;x;Électricité;S",
        "p;1/6/2021;2:00;1;2;x;Gaz;?",
        "p;1/6/2021;2:30;1;2;x;Électricité;R",
        "p;1/6/2021;3:00;1;2;x;Électricité;?",
        "p;1/6/2021;3:30;-2;3;x;Électricité;S",
        "p;01/06/2021;24:00;1;2;x;Électricité;S",
    ]
    text = '"Export\r\nétabli\r\n' + header + "\r\n".join(rows)
    of = feed("Europe/Paris", **DIALECT)
    files = {encoding: text.encode(encoding) for encoding in ("cp1252", "utf-16", "utf-8-sig")}
    return of, read(of, {f"{encoding}.csv": content for encoding, content in files.items()})


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_a_dialect_with_every_key(dialect, encoding):
    of, found = dialect
    path = f"{encoding}.csv"
    assert found.values(path, "direction", "interval_start", "consumption", "quality", "reason_code") == [
        ("import", "2021-05-31 22:00:00", "1.750000", "réel", None),
        ("export", "2021-05-31 22:30:00", "0.125000", None, None),
        ("export", "2021-05-31 23:00:00", None, "x", None),
        ("import", "2021-05-31 23:30:00", None, "x", "CONSUMPTION_INVALID"),
        (None, "2021-06-01 00:00:00", None, "x", None),
        (None, "2021-06-01 00:30:00", None, "x", None),
        (None, "2021-06-01 01:00:00", "3.000000", "x", "DIRECTION_UNKNOWN"),
        ("import", "2021-06-01 01:30:00", "-2.000000", "x", "CONSUMPTION_NEGATIVE"),
        ("import", "2021-06-01 22:00:00", "3.000000", "x", None),
    ]
    assert_same_in_python(found, of)


def test_occurrences_count_for_each_direction_and_not_for_rows_that_are_left_out(read):
    of = feed(
        direction={"column": "d", "import": ["I"], "export": ["E"], "ignore": ["R"]}, where={"t": ["e"]}, meter_id="1"
    )
    rows = [f"{AUTUMN} 01:00,{n},{d},{t}" for n, (d, t) in enumerate(["Ie", "Ee", "Re", "Ig", "Ie", "Ee"], start=1)]
    found = read(of, {"a.csv": ("timestamp,value,d,t\n" + "\n".join(rows)).encode()})
    readings = found.values("a.csv", "consumption", "interval_start", "direction")
    assert [row for row in readings if row[0]] == [
        ("1.000000", f"{AUTUMN} 00:00:00", "import"),
        ("2.000000", f"{AUTUMN} 00:00:00", "export"),
        ("5.000000", f"{AUTUMN} 01:00:00", "import"),
        ("6.000000", f"{AUTUMN} 01:00:00", "export"),
    ]
    assert set(found.values("a.csv", "meter_id")) == {"1"}
    assert_same_in_python(found, of)


def test_a_row_may_hold_both_directions(read):
    of = feed(value={"import": ["A1", "A2"], "export": ["B"]}, meter_in_path="([0-9]+)/", unit="Wh")
    rows = [
        "timestamp,A1,A2,B",
        "2021-06-01 00:00,x,1,4",
        "2021-06-01 00:10,1,1,1",
        f"{AUTUMN} 01:00,1,2,3",
        f"{AUTUMN} 01:00,1,,-",
    ]
    found = read(of, {"77/a.csv": "\n".join(rows).encode(), "8/a.csv": "\n".join(rows[:2]).encode()})
    by_position = sorted(found.judged["77/a.csv"], key=lambda row: (row["row_number"], row["position"]))
    assert [
        (r["row_number"], r["direction"], r["interval_start"][11:16], r["consumption"], r["reason_code"])
        for r in by_position
    ] == [
        (1, "import", "23:00", None, "CONSUMPTION_INVALID"),
        (1, "export", "23:00", "4.000000", None),
        (2, "import", "23:10", "2.000000", "OFF_GRID"),
        (2, "export", "23:10", "1.000000", "OFF_GRID"),
        (3, "import", "00:00", "3.000000", None),
        (3, "export", "00:00", "3.000000", None),
        (4, "import", "01:00", "1.000000", None),
        (4, "export", "01:00", None, None),
    ]
    assert by_position[0]["reason"] == "import 'x' + '1' is not a usable number"
    assert {row["meter_id"] for row in found.judged["8/a.csv"]} == {"8"}
    assert_same_in_python(found, of)


@pytest.mark.parametrize(
    ("unit", "minutes", "values", "kept"),
    [
        ("kW", 30, ["0.5", "0.000001", "1e-20", "9999999999999"], ["0.250000", "0.000001", "0.000000", None]),
        ("kW", 15, ["1", "0.1234567"], ["0.250000", "0.030864"]),
        ("W", 5, ["1", "0.000006", "0.00000599999999999"], ["0.083333", "0.000001", "0.000000"]),
        ("MWh", 30, ["0.0012345", "0.0000000005", "1e9"], ["1.234500", "0.000001", None]),
        ("Wh", 60, ["1234.5678905"], ["1234.567891"]),
    ],
)
def test_power_and_megawatt_hours_become_energy_rounded_once(read, unit, minutes, values, kept):
    of = feed("UTC", unit=unit, interval_minutes=minutes)
    text = HEADER + "".join(f"m{n},2021-06-01 00:00,{value}\n" for n, value in enumerate(values))
    found = read(of, {"a.csv": text.encode()})
    assert found.values("a.csv", "consumption") == kept
    assert_same_in_python(found, of)


def test_the_most_of_an_interval_is_in_the_feeds_unit(read):
    of = feed("UTC", unit="kW", max_consumption=Decimal("1.5"))
    found = read(of, {"a.csv": (HEADER + "m,2021-06-01 00:00,1.5\nm,2021-06-01 00:30,1.500002\n").encode()})
    assert found.codes("a.csv") == [(1, None), (2, "CONSUMPTION_IMPLAUSIBLE")]
    assert found.values("a.csv", "reason")[1] == "consumption '1.500002' is more than 1.5 kW in an interval"
    assert_same_in_python(found, of)


@pytest.mark.parametrize("label", ["start", "end"])
def test_a_day_is_as_long_as_its_local_day(read, label):
    of = feed(interval_minutes=1440, label=label)
    dates = [SPRING, AUTUMN, "2021-06-01 00:00", "2021-06-01 12:00", "2021-06-01T00:00+01:00"]
    found = read(of, {"a.csv": (HEADER + "".join(f"m,{date},24\n" for date in dates)).encode()})
    days = found.values("a.csv", "local_date", "interval_start", "interval_minutes", "reason_code")
    if label == "start":
        assert days[:2] == [(SPRING, f"{SPRING} 00:00:00", 1380, None), (AUTUMN, "2021-10-30 23:00:00", 1500, None)]
    else:
        assert days[:2] == [
            ("2021-03-27", "2021-03-27 00:00:00", 1440, None),
            ("2021-10-30", "2021-10-29 23:00:00", 1440, None),
        ]
    assert [code for *_, code in days[2:]] == [None, "OFF_GRID", None]
    assert_same_in_python(found, of)


def test_files_with_different_headers_are_read_together(read):
    of = feed(meter_id="1", delimiter=";")
    found = read(
        of,
        {
            "a.csv": b"timestamp;value;x\n2021-06-01 00:00;1;a\n",
            "b.csv": b'y;value;timestamp;z\n"a;b";2;2021-06-01 00:00;\n\n"c\nd";3;2021-06-01 00:30;w\n',
            "c.csv": b"value;timestamp\r\n4;2021-06-01 00:00\r\n",
        },
    )
    assert {path: found.values(path, "consumption") for path in found.judged} == {
        "a.csv": ["1.000000"],
        "b.csv": ["2.000000", "3.000000"],
        "c.csv": ["4.000000"],
    }
    extras = [row["extra"] and dict(row["extra"]) for path in found.bronze for row in found.bronze[path]]
    assert extras == [{"x": "a"}, {"y": "a;b", "z": ""}, {"y": "c\nd", "z": "w"}, None]
    assert_same_in_python(found, of)
