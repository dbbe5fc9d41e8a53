"""CONSU lines: which pass, which are rejected and for what, with their digits, quotes and line numbers."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.formats.judged import summary
from tests.spark.conftest import RECEIVED

GAS = Feed(name="gas", format="smrt", path="landing")
DAY = '"20191014","1100"'
QUOTES = '""' * 100_000

# A CONSU line -> (meter, start in UTC, consumption).
GOOD = {
    f'"CONSU","000000002",{DAY},10.28': ("000000002", "2019-10-14 11:00:00", "10.280000"),
    "CONSU,000000002,20191014,1100,10.28": ("000000002", "2019-10-14 11:00:00", "10.280000"),
    ' \t"CONSU" , "1"\t,\t20191014 , 1100 , 1 ': ("1", "2019-10-14 11:00:00", "1.000000"),
    f'"CONSU","1",{DAY},"10.28"': ("1", "2019-10-14 11:00:00", "10.280000"),
    f'"CONSU","{"9" * 60}",{DAY},1': ("9" * 60, "2019-10-14 11:00:00", "1.000000"),
    '"CONSU","1","20200229","0000",1': ("1", "2020-02-29 00:00:00", "1.000000"),
    '"CONSU","1","20191231","2300",1': ("1", "2019-12-31 23:00:00", "1.000000"),
    f'"CONSU","1",{DAY},0': ("1", "2019-10-14 11:00:00", "0.000000"),
    f'"CONSU","1",{DAY},-0.0': ("1", "2019-10-14 11:00:00", "0.000000"),
    f'"CONSU","1",{DAY},.5': ("1", "2019-10-14 11:00:00", "0.500000"),
    f'"CONSU","1",{DAY},1e2': ("1", "2019-10-14 11:00:00", "100.000000"),
    f'"CONSU","1",{DAY}," 1e2 "': ("1", "2019-10-14 11:00:00", "100.000000"),
    '"CONSU","1","19700101","0000",1': ("1", "1970-01-01 00:00:00", "1.000000"),
    '"CONSU","1","20211109","0000",1': ("1", "2021-11-09 00:00:00", "1.000000"),
    f'"CONSU","1",{DAY},0.0000005': ("1", "2019-10-14 11:00:00", "0.000001"),
    f'"CONSU","1",{DAY},0.00000049999999999999999999999999999999999999': ("1", "2019-10-14 11:00:00", "0.000000"),
    f'"CONSU","1",{DAY},0.1234564999999999999999999999999999999999999': ("1", "2019-10-14 11:00:00", "0.123456"),
    f'"CONSU","1",{DAY},999999999999.9999994': ("1", "2019-10-14 11:00:00", "999999999999.999999"),
}
# A CONSU line -> the reason code.
BAD = {
    "CONSU": "FIELD_COUNT",
    '"CONSU"': "FIELD_COUNT",
    f'"CONSU","1",{DAY}': "FIELD_COUNT",
    f'"CONSU","1",{DAY},1,': "FIELD_COUNT",
    f'"CONSU","1",{DAY},1,5': "FIELD_COUNT",
    f'"CONSU","1",{DAY},"1.0': "FIELD_COUNT",
    f'"CONSU","1,{DAY},1.0': "FIELD_COUNT",
    f'"CONSU,"1",{DAY},1.0': "FIELD_COUNT",
    f'"CONSU","1"x,{DAY},1.0': "FIELD_COUNT",
    f'"CONSU","",{DAY},1': "METER_ID_MISSING",
    f'"CONSU",  ,{DAY},1': "METER_ID_MISSING",
    '"CONSU","","20191399","1100",x': "METER_ID_MISSING",
    f'"CONSU","00000000X",{DAY},1': "METER_ID_INVALID",
    f'"CONSU","-1",{DAY},1': "METER_ID_INVALID",
    f'"CONSU","1.0",{DAY},1': "METER_ID_INVALID",
    f'"CONSU","٣",{DAY},1': "METER_ID_INVALID",
    f'"CONSU","1,1",{DAY},1': "METER_ID_INVALID",
    f'"CONSU","1""1",{DAY},1': "METER_ID_INVALID",
    '"CONSU","X","20191399","1130",x': "METER_ID_INVALID",
    '"CONSU","1","20190229","1100",1': "INTERVAL_START_INVALID",
    '"CONSU","1","20191301","1100",1': "INTERVAL_START_INVALID",
    '"CONSU","1","2019-10-14","1100",1': "INTERVAL_START_INVALID",
    '"CONSU","1","00000101","1100",1': "INTERVAL_START_INVALID",
    '"CONSU","1","2019101","1100",1': "INTERVAL_START_INVALID",
    '"CONSU","1","","",1': "INTERVAL_START_INVALID",
    '"CONSU","1","20191014","2400",1': "INTERVAL_START_INVALID",
    '"CONSU","1","20191014","1060",1': "INTERVAL_START_INVALID",
    '"CONSU","1","20191014","11:00",1': "INTERVAL_START_INVALID",
    '"CONSU","1","20191014","900",1': "INTERVAL_START_INVALID",
    '"CONSU","1","20191014","2430",x': "INTERVAL_START_INVALID",
    '"CONSU","1","99991231","2300",1': "INTERVAL_OUT_OF_RANGE",
    '"CONSU","1","20990101","0030",x': "INTERVAL_OUT_OF_RANGE",
    '"CONSU","1","19691231","2300",1': "INTERVAL_OUT_OF_RANGE",
    '"CONSU","1","20211109","0100",1': "INTERVAL_OUT_OF_RANGE",
    '"CONSU","1","00010101","0000",1': "INTERVAL_OUT_OF_RANGE",
    '"CONSU","1","20191014","1130",1': "OFF_GRID",
    '"CONSU","1","20191014","1101",x': "OFF_GRID",
    f'"CONSU","1",{DAY},': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},abc': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},1\x1a': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},\x001': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},"1e2\x00"': "CONSUMPTION_INVALID",
    f'"CONSU","1\x1a",{DAY},1': "METER_ID_INVALID",
    f'"CONSU","1",{DAY},NaN': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},-Infinity': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},"1,5"': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},1 000': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},0x10': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},٣': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},1２': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},1d': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},1e30': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},-1e30': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},1e2147483647': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},1e-2147483648': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},1000000000000': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},999999999999.9999995': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},{"1" * 5000}': "CONSUMPTION_INVALID",
    f'"CONSU","1",{DAY},-1': "CONSUMPTION_NEGATIVE",
    f'"CONSU","1",{DAY},-0.01': "CONSUMPTION_NEGATIVE",
    f'"CONSU","{QUOTES}",{DAY},1': "METER_ID_INVALID",
}
LINES = [*GOOD, *BAD]


def envelope(number, *lines, end="\r\n"):
    header = f'"HEADR","SMRT","GAZ","20191016","102939","PN{number:06}"'
    return end.join([header, *lines, '"TRAIL"', ""]).encode()


@pytest.fixture(scope="module")
def files(read):
    plain = f'"CONSU","1",{DAY},1'
    many = {f"{folder}/PN{n:06}.SMRT": envelope(n, plain) for n, folder in enumerate(FOLDERS, start=100)}
    return read(
        GAS,
        {
            "PN000001.SMRT": envelope(1, *LINES),
            "PN000002.SMRT": b"\xef\xbb\xbf\n" + envelope(2, "", plain, " \t", "", plain, end="\n"),
            "PN000003.SMRT": envelope(3),
            "PN000004.SMRT": envelope(4, plain).removesuffix(b'"TRAIL"\r\n'),
            **many,
        },
    )


FOLDERS = ["a b", "100%", "%41", "a#b", "[a]", "a+b", "Zähler 电", "a?b*", "{a,b}", "a\\b", "a:b", "day=1", "_x", "a'b"]


@pytest.mark.parametrize(("line", "reading"), GOOD.items(), ids=lambda value: str(value)[:60])
def test_a_good_line_is_a_reading(files, line, reading):
    (row,) = [row for row in files.judged["PN000001.SMRT"] if row["row_number"] == LINES.index(line) + 2]
    assert (row["reason_code"], row["reason"]) == (None, None)
    assert (row["meter_id"], row["interval_start"], row["consumption"]) == reading
    assert (row["direction"], row["interval_minutes"], row["quality"]) == ("import", 60, None)
    assert row["local_date"] == reading[1][:10]


@pytest.mark.parametrize(("line", "code"), BAD.items(), ids=lambda value: str(value)[:60])
def test_a_bad_line_is_rejected_with_the_first_code_that_applies(files, line, code):
    (row,) = [row for row in files.judged["PN000001.SMRT"] if row["row_number"] == LINES.index(line) + 2]
    assert row["reason_code"] == code
    assert 0 < len(row["reason"]) < 200
    assert row["raw"]


def test_every_line_is_one_row_under_its_line_number(files):
    assert [number for number, _ in files.codes("PN000001.SMRT")] == list(range(2, len(LINES) + 2))
    assert files.deliveries["PN000001.SMRT"].rows_read == len(LINES)


def test_blank_lines_and_a_byte_order_mark_count_as_lines_and_not_as_rows(files):
    assert files.codes("PN000002.SMRT") == [(4, None), (7, None)]


def test_an_envelope_without_lines_has_no_rows_and_a_refused_one_neither(files):
    assert files.deliveries["PN000003.SMRT"].reason_code is None
    assert files.deliveries["PN000004.SMRT"].reason_code == "TRAILER_MISSING"
    assert (files.bronze["PN000003.SMRT"], files.bronze["PN000004.SMRT"]) == ([], [])


def test_bronze_keeps_the_text_and_all_digits(files):
    row = files.bronze["PN000001.SMRT"][list(GOOD).index(next(line for line in GOOD if "49999" in line))]
    assert row["consumption"] == "0.00000049999999999999999999999999999999999999"
    assert (row["meter_number"], row["measurement_date"], row["measurement_time"]) == ("1", "20191014", "1100")
    assert row["raw"] is None
    assert '1"1' in {row["meter_number"] for row in files.bronze["PN000001.SMRT"]}  # a doubled quote is one


def test_bronze_keeps_the_whole_line_where_it_does_not_have_five_fields(files):
    wrong = [line for line, code in BAD.items() if code == "FIELD_COUNT"]
    kept = [row["raw"] for row in files.bronze["PN000001.SMRT"] if row["raw"] is not None]
    assert kept == wrong
    assert [row["raw"] for row in files.judged["PN000001.SMRT"] if row["reason_code"] == "FIELD_COUNT"] == wrong


def test_a_rejected_row_names_its_meter_where_the_line_does(files):
    rows = files.judged["PN000001.SMRT"]
    assert {row["meter_id"] for row in rows if row["reason_code"] == "CONSUMPTION_NEGATIVE"} == {"1"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_file_in_a_folder_of_an_odd_name_is_read(files, folder):
    (path,) = [path for path in files.judged if path.startswith(f"{folder}/")]
    assert files.codes(path) == [(2, None)]


def test_the_last_hour_that_has_a_date_does_not_stop_a_run_in_a_zone_where_it_is_the_next_day(spark):
    vilnius = GAS.model_copy(update={"time_zone": "Europe/Vilnius"})
    row = ("1", "99991231", "2300", "1", 1, 2, None, 1)
    names = "meter_number string, measurement_date string, measurement_time string, consumption string, "
    bronze = spark.createDataFrame([row], names + "file_id bigint, row_number bigint, raw string, batch_id bigint")
    judged = formats.format_of(vilnius).judged(bronze, vilnius, F.lit(RECEIVED))
    counted = summary(judged).select("rows", F.col("local_date")).toArrow().to_pylist()
    assert sum(row["rows"] for row in counted) == 1
