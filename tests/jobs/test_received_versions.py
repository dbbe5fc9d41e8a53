"""Versions of readings in Python, without Spark, equal reading_history: on the demo lake, and where rows are hostile."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from jobs import run, withdraw
from jobs.shared import ingestion
from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.config.settings import load
from pipeline.deliveries import ingestion_log
from pipeline.deliveries.delivery import LOADED, Delivery
from pipeline.formats.readings import VERSION
from pipeline.lake import access, gate, maintenance
from pipeline.layers import reading_history
from pipeline.runtime.context import Context
from pipeline.serving import received
from tests.fuzz.hostile import NUMBERS, TEXTS
from tests.jobs.conftest import ELECTRICITY, put, split_json
from tests.jobs.test_demo import config

__all__ = ["config"]
pytestmark = pytest.mark.slow
YEAR_10000 = 253_402_300_800_000_000


def as_rows(table):
    """Rows as tuples in the order of received.ORDER; instants as numbers, for what no datetime can hold."""
    at = table.schema.names.index("interval_start")
    starts = table.column(at).cast("int64")
    columns = [column.to_pylist() for column in table.set_column(at, "interval_start", starts).columns]
    order = [table.schema.names.index(name) for name in received.ORDER]
    return sorted(zip(*columns, strict=True), key=lambda row: [(row[n] is None, row[n]) for n in order])


def by_spark(context):
    """(feed, meter) -> its rows by Spark, in the order and with the columns of received.SCHEMA."""
    units = {feed.name: feed.unit for feed in context.settings.feeds}
    found = reading_history.readings(context).toArrow()
    names = [name for name in received.SCHEMA.names if name != "unit"]
    rows = defaultdict(list)
    for row in as_rows(found.select(names)):
        # Of the last day of the year 9999, west of Greenwich, Spark lets the last hours pass, which no datetime can hold.
        if row[3] >= YEAR_10000:
            continue
        values = dict(zip(names, row, strict=True)) | {"unit": units[row[0]]}
        rows[row[0], row[1]].append(tuple(values[name] for name in received.SCHEMA.names))
    return rows


def meters(context, feed):
    """Every text that bronze holds as a meter of the feed."""
    column = formats.format_of(feed).row_judge.columns(feed)[0]
    found = gate.opened(context, formats.bronze_table(feed)).to_pyarrow_table(columns=[column])[column]
    return [meter for meter in found.unique().to_pylist() if meter is not None]


def in_python(context, feed, meter, first=date.min, last=date.max):
    found = received.versions(feed, meter, first, last, lambda table: gate.opened(context, table).to_pyarrow_dataset())
    assert found.schema == received.SCHEMA
    keys = list(zip(*(found[name].to_pylist() for name in ("direction", "file_id", "row_number")), strict=True))
    starts = found["interval_start"].cast("int64").to_pylist()
    assert sorted(zip(starts, keys, strict=True)) == list(zip(starts, keys, strict=True))
    return as_rows(found)


def differences(context):
    """The first few meters of each feed on which Python and Spark differ, and how many rows were the same."""
    expected, wrong, same = by_spark(context), [], Counter()
    for feed in context.settings.feeds:
        for meter in meters(context, feed):
            true, said = expected.pop((feed.name, meter), []), in_python(context, feed, meter)
            if true == said:
                same[feed.name] += len(true)
            else:
                only = set(true).symmetric_difference(said)
                wrong.append((feed.name, meter, len(true), len(said), sorted(only, key=repr)[:4]))
    assert list(expected) == []
    return wrong[:5], same


def test_every_version_of_every_meter_of_the_demo_is_reading_historys(config):
    context = Context(load(config))
    wrong, same = differences(context)
    assert wrong == []
    assert set(same) == {"gas", "electricity", "solar", "vilnius", "berlin", "leeds"}
    assert min(same.values()) > 500


def test_a_day_asked_for_by_itself_holds_that_days_versions(config):
    context = Context(load(config))
    days = [date(2021, 3, 27) + timedelta(days=n) for n in range(-1, 4)]
    days += [date(2021, 10, 30) + timedelta(days=n) for n in range(-1, 4)]
    for name, meter in (
        ("electricity", "1400000001"),
        ("solar", "LT-PV-001"),
        ("vilnius", "VNO-0006"),
        ("leeds", "2300000000016"),
    ):
        feed = context.settings.feed(name)
        every = in_python(context, feed, meter)
        at = received.SCHEMA.names.index("local_date")
        for day in days:
            assert in_python(context, feed, meter, day, day) == [row for row in every if row[at] == day]
        assert in_python(context, feed, meter, date(2021, 4, 1), date(2021, 4, 2)) == []


def test_what_was_withdrawn_does_not_count_and_what_it_had_superseded_is_current_again(lake, electricity):
    start = "2021-06-01 00:00:00"
    put(electricity, "a.json", split_json([start, "m1", 1], ["2021-06-02 00:00:00", "m1", 2]))
    put(electricity, "b.json", split_json([start, "m1", 3]), minutes=1)
    put(electricity, "c.json", split_json(["2021-06-02 00:00:00", "m1", "n/a"], [start, "m1", 4]), minutes=2)
    context = lake(ELECTRICITY)
    run.run(context)
    feed = context.settings.feeds[0]
    assert [row[9:] for row in in_python(context, feed, "m1")] == [
        (1, 1, 1, False), (2, 1, 1, False), (3, 2, 1, True), (1, 2, 1, True),
    ]  # fmt: skip
    withdraw.run(lake(ELECTRICITY), "c.json", "a test", as_json=True)
    context = lake(ELECTRICITY)
    assert [row[9:] for row in in_python(context, feed, "m1")] == [(1, 1, 1, False), (2, 1, 1, True), (1, 2, 1, True)]
    assert differences(context)[0] == []


# --- refused ones too -----------------------------------------------------------------------------------------


def every_by_spark(context):
    """(feed, meter) -> all that was received of it on an instant and a day that Python can hold, by Spark."""
    found = reading_history.received(context, withdrawn=True).where(
        "interval_start BETWEEN '0001-01-01' AND '9999-12-31 23:59:59' AND local_date BETWEEN '0001-01-01' AND '9999-12-31'"
    )
    rows = defaultdict(list)
    for row in found.select(*VERSION).toArrow().to_pylist():
        rows[row["feed"], row["meter_id"]].append(tuple(row.values()))
    return rows


def differences_of_every_version(context):
    """Of the first few meters what only Spark and what only Python says; and how many of each code were the same."""
    expected, wrong, same = every_by_spark(context), [], Counter()
    for feed in context.settings.feeds:
        bronze = gate.opened(context, formats.bronze_table(feed)).to_pyarrow_dataset()
        deliveries = [each for each in ingestion_log.logged(context) if each.feed == feed.name and each.rows_read]
        trims = feed.format == "split_json"
        for meter in {text.strip(" \t\r\n") if trims else text for text in meters(context, feed)}:
            told = received.every_version(feed, meter, deliveries, bronze)
            said = Counter(tuple(row[name] for name in VERSION) for row in told)
            true = Counter(expected.pop((feed.name, meter), []))
            if said == true:
                same.update(row[VERSION.index("reason_code")] for row in true.elements())
            else:
                wrong.append((feed.name, meter, [*(true - said)][:2], [*(said - true)][:2]))
    assert [key for key in expected if key[1] is not None] == []
    return wrong[:5], same


def differently_counted(context):
    """The first few deliveries of which Python does not count the rows that the log has, as Spark counted them."""
    wrong = []
    for feed in context.settings.feeds:
        bronze = gate.opened(context, formats.bronze_table(feed)).to_pyarrow_dataset()
        for each in ingestion_log.logged(context):
            if each.feed == feed.name and each.status == LOADED:
                found = received.recounted(feed, each, bronze)
                counts = [(it.rows_read, it.rows_accepted, it.rows_rejected) for it in (each, found)]
                if counts[0] != counts[1]:
                    wrong.append((feed.name, each.relative_path, *counts))
    return wrong[:5]


def test_refused_versions_of_the_demo_are_told_as_by_spark(config):
    assert differently_counted(Context(load(config))) == []
    wrong, same = differences_of_every_version(Context(load(config)))
    assert wrong == []
    assert same[None] > 5000
    assert {*same} >= {"OFF_GRID", "CONSUMPTION_INVALID", "CONSUMPTION_NEGATIVE", "LOCAL_TIME_NONEXISTENT"}


# --- hostile rows ---------------------------------------------------------------------------------------------

METERS = ["1", "01", " 1", "1 ", "1.0", "1e0", "٣", "m", "", " ", "\t", "M", "é", "e\u0301", "'", "1\x00", "x" * 300]
YEARS_OF_CHANGES = [date(2021, 3, 28), date(2021, 10, 31), date(2010, 11, 7), date(2010, 3, 14), date(2011, 12, 30)]
DAYS = [*YEARS_OF_CHANGES, date(2021, 4, 4), date(2021, 10, 3), date(2019, 9, 8), date(2021, 11, 7), date(2021, 3, 14)]
DAYS += [date(2036, 10, 26), date(2090, 3, 26), date(1995, 3, 26), date(1971, 10, 31), date(2021, 6, 1)]
EDGES = ["0000-01-01", "0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31", "2021-02-29", "2021-13-01", "2020-02-29"]
FEEDS = [
    Feed(name=name, format=form, path=name, time_zone=zone, unit=unit)
    for name, form, zone, unit in (
        ("smrt_utc", "smrt", "UTC", "kWh"),
        ("smrt_vilnius", "smrt", "Europe/Vilnius", "kWh"),
        ("smrt_new_york", "smrt", "America/New_York", "kWh"),
        ("split_london", "split_json", "Europe/London", "kWh"),
        ("split_st_johns", "split_json", "America/St_Johns", "kWh"),
        ("split_lord_howe", "split_json", "Australia/Lord_Howe", "kWh"),
        ("split_offset", "split_json", "-03:30", "Wh"),
        ("obis_utc", "obis_json", "UTC", "kWh"),
        ("obis_apia", "obis_json", "Pacific/Apia", "kWh"),
        ("array_vilnius", "interval_parquet", "Europe/Vilnius", "Wh"),
        ("array_st_johns", "interval_parquet", "America/St_Johns", "Wh"),
        ("array_lord_howe", "interval_parquet", "Australia/Lord_Howe", "Wh"),
        ("array_apia", "interval_parquet", "Pacific/Apia", "Wh"),
        ("array_santiago", "interval_parquet", "America/Santiago", "Wh"),
        ("array_offset", "interval_parquet", "+05:45", "Wh"),
        ("nem12_kwh", "nem12", "+10:00", "kWh"),
        ("nem12_wh", "nem12", "+10:00", "Wh"),
        ("homes_utc", "green_button", "UTC", "Wh"),
        ("homes_new_york", "green_button", "America/New_York", "kWh"),
        ("homes_apia", "green_button", "Pacific/Apia", "Wh"),
        ("homes_offset", "green_button", "+05:45", "kWh"),
    )
]


def odd(dice, usual, others, share=0.15):
    return dice.choice(others) if dice.random() < share else usual


def number(dice):
    return odd(
        dice, f"{dice.randrange(2000)}{dice.choice(('', '.5', '.1234565', '.0000005', 'e-3'))}", [*NUMBERS, None]
    )


def day(dice):
    return odd(dice, str(dice.choice(DAYS) + timedelta(days=dice.choice((0, 0, 0, -1, 1)))), EDGES, 0.05)


def clock_time(dice):
    """Hour and minute, mostly of the night, when clocks change."""
    hour = dice.choice((0, 0, 1, 1, 2, 2, 3, 23, dice.randrange(24), dice.choice((24, 12))))
    return f"{hour:02}", odd(dice, dice.choice(("00", "30")), ["15", "45", "60", "01", "59"], 0.1)


def smrt_row(dice):
    if dice.random() < 0.05:
        return dict.fromkeys(("meter_number", "measurement_date", "measurement_time", "consumption")) | {"raw": '"'}
    hour, minute = clock_time(dice)
    minute = "00" if dice.random() < 0.7 else minute
    return {
        "meter_number": dice.choice(METERS[:2] * 6 + METERS),
        "measurement_date": odd(dice, day(dice).replace("-", ""), [*TEXTS, "2021010", "202101011", "-0210101"], 0.05),
        "measurement_time": odd(dice, hour + minute, [*TEXTS, "100", "10000", "10:0", "1a00"], 0.05),
        "consumption": number(dice) or "",
        "raw": None,
    }


def split_row(dice):
    hour, minute = clock_time(dice)
    label = f"{day(dice)} {hour}:{minute}:{odd(dice, '00', ['01', '60'], 0.02)}"
    others = [*TEXTS, None, label[:-3], f"{label}Z", f" {label}", label.replace(" ", "T"), f"{label}.0", f"1{label}"]
    return {
        "interval_start": odd(dice, label, others, 0.06),
        "meterpoint_id": dice.choice([*METERS[:4] * 8, *METERS, None]),
        "consumption_delta": number(dice),
        "extra": None,
        "raw": odd(dice, None, ["[]"], 0.04),
    }


def obis_row(dice):
    hour, minute = clock_time(dice)
    tail = dice.choice((":00Z", ":00Z", "Z", ":00.000Z", ":01Z", ":60Z", ":00", ":00z", ":00.Z", ":00.001Z"))
    codes = dice.sample(("0100011D00FF", "0100021D00FF", "0100011d00ff", "0100021D00fF"), 2)
    codes = {code.upper(): code for code in codes[: dice.choice((0, 1, 2, 2, 2))]}.values()
    return {
        "measurement": None,
        "timestamp": odd(dice, f"{day(dice)}T{hour}:{minute}{tail}", [*TEXTS, None], 0.05),
        "muid": dice.choice([*METERS[:4] * 8, *METERS, None]),
        "quality": dice.choice(("measured", "", " ", None, "é", " x ")),
        "obis": odd(dice, [(code, number(dice)) for code in codes], [None], 0.03),
        "raw": odd(dice, None, ["{}"], 0.03),
    }


def array_row(dice):
    size = odd(
        dice, dice.choice((1, 23, 24, 25, 46, 47, 48, 49, 50, 92, 94, 96, 98, 100)), [0, 2, 22, 26, 95, 300], 0.05
    )
    values = [odd(dice, str(dice.randrange(2000)), ["-1", None, "0.5", *NUMBERS], 0.05) for _ in range(size)]
    return {
        "client_id": None,
        "date": odd(dice, day(dice), [*TEXTS, None, "2021-03-28 00:00:00", "2021-03-28 01:00:00", "2021-3-28"], 0.08),
        "ext_dev_ref": dice.choice([*METERS[:4] * 8, *METERS, None]),
        "energy_consumption": odd(dice, values, [None], 0.02),
        "resolution": None,
    }


RANGES = ["400,1,2,F14,,", " 400 , 3,40,E52", "400,40,288,S14,76,", "500,S,1,,", '"400","1","9","A, b"', '400,"1,2,F15']
RANGES += ["400,x,2,F16", "400,,,", "400", "400,2,1,F17", "400,00001,9,F18", "400,5,5,"]


def nem12_row(dice):
    length = odd(dice, dice.choice(("5", "15", "30", "30")), ["", None, "030", "60", "x", "5.0", " 30"], 0.06)
    size = odd(dice, {"5": 288, "15": 96}.get(length, 48), [0, 1, 47, 49, 96, 300], 0.1)
    values = [odd(dice, str(dice.randrange(2000)), ["-1", "", " ", "0.5", *NUMBERS], 0.05) for _ in range(size)]
    return {
        **dict.fromkeys(name for name in ("nmi", "nmi_configuration", "register_id", "data_stream")),
        **dict.fromkeys(("meter_serial_number", "next_scheduled_read_date", "further")),
        "meter": dice.choice([*METERS[:4] * 8, *METERS, None]),
        "nmi_suffix": odd(dice, dice.choice(("E1", "B1", "e2")), ["", None, "X1", "é", "Q1"], 0.08),
        "uom": odd(dice, dice.choice(("kWh", "KWH", "Wh", "mwh")), ["", None, "kVArh", " kWh", "Volts"], 0.08),
        "interval_length": length,
        "interval_date": odd(dice, day(dice).replace("-", ""), [*TEXTS, None, "2021-03-28", "2021032"], 0.06),
        "interval_values": odd(dice, values, [None], 0.02),
        "quality_method": dice.choice(("A", "S14", "V", "", None)),
        "records": dice.choice((None, [], dice.choices(RANGES, k=3), dice.choices(RANGES, k=1))),
        "raw": odd(dice, None, ['300,"1'], 0.03),
    }


def green_button_row(dice):
    local = datetime.combine(dice.choice(DAYS), time.min, UTC)
    seconds = str(int((local + timedelta(minutes=15 * dice.randrange(-100, 100))).timestamp()))
    others = [
        *TEXTS,
        *NUMBERS,
        None,
        "9" * 12,
        "-62135596800",
        "-62135596801",
        "253402300799",
        "253402300800",
        f"{seconds}.0",
    ]
    return {
        **dict.fromkeys(("commodity", "kind", "cost", "tou", "consumption_tier", "cpp")),
        "usage_point": dice.choice([*METERS[:4] * 8, *METERS, None]),
        "uom": odd(dice, "72", ["", None, "29", "072", " 72"], 0.08),
        "power_of_ten_multiplier": odd(dice, dice.choice(("0", "3", "-3", None, "")), ["9", "-9", "+1", "x", "999", "1e1", "-0"], 0.1),
        "flow_direction": odd(dice, dice.choice(("1", "19", "19", None)), ["", "4", "x", "01"], 0.1),
        "accumulation_behaviour": odd(dice, dice.choice(("4", None)), ["1", "3", "12", ""], 0.1),
        "start": odd(dice, seconds, others, 0.08),
        "duration": odd(dice, dice.choice(("900", "1800", "3600", "86400", "82800", "90000")), ["0", "60", "61", "-900", "", None, "x", "2592000"], 0.1),
        "value": number(dice),
        "quality": dice.choice(("8", "8 17", "", None)),
    }  # fmt: skip


MADE_BY = {
    "nem12": nem12_row,
    "green_button": green_button_row,
    "smrt": smrt_row,
    "split_json": split_row,
    "obis_json": obis_row,
    "interval_parquet": array_row,
}
FILES, BATCHES = 4, 2
ROWS = {"smrt": 150, "split_json": 200, "obis_json": 150, "interval_parquet": 60, "nem12": 60, "green_button": 200}


def in_some_order(dice, rows):
    """As they are, or by their labels, as files are: oldest or newest first, most times twice."""
    if "interval_start" not in rows[0] or dice.random() < 0.2:
        return rows
    return sorted(rows, key=lambda row: row["interval_start"] or "", reverse=dice.random() < 0.5)


def laid_into_bronze(context):
    """Hostile rows of all FEEDS, as deliveries that were loaded; the log says of them what Spark counts."""
    maintenance.create_missing(context, formats.lake_tables(context.settings))
    deliveries, numbers = [], iter(range(1, 10_000))
    for batch in range(1, BATCHES + 1):
        of_batch = []
        for feed in context.settings.feeds:
            rows = []
            for file_id in [next(numbers) for _ in range(FILES)]:
                dice = random.Random(f"{feed.name} {file_id}")
                made = in_some_order(dice, [MADE_BY[feed.format](dice) for _ in range(ROWS[feed.format])])
                lineage = {"file_id": file_id, "batch_id": batch}
                rows += [row | lineage | {"row_number": n} for n, row in enumerate(made, start=1)]
                name = f"{file_id}.x"
                at = datetime(2021, 1, 1, tzinfo=UTC)
                of_batch.append(
                    Delivery(
                        feed.name,
                        name,
                        name,
                        name,
                        1,
                        at,
                        name,
                        LOADED,
                        file_id=file_id,
                        batch_id=batch,
                        revision=batch,
                        rows_read=len(made),
                        received_at=context.now,  # as the log will say
                    )
                )
            access.write_rows(context, formats.bronze_table(feed), rows, {"batch_id": batch})
        deliveries += [each for feed in context.settings.feeds for each in counted(context, feed, of_batch)]
    for batch in range(1, BATCHES + 1):
        ingestion_log.write(context, [each for each in deliveries if each.batch_id == batch], batch)


def counted(context, feed, deliveries):
    return ingestion.with_counts(context, feed, [each for each in deliveries if each.feed == feed.name])


def test_hostile_rows_of_all_formats_in_many_zones_are_judged_as_by_spark(lake):
    context = lake(*FEEDS)
    laid_into_bronze(context)
    wrong, same = differences(context)
    assert wrong == []
    assert min(same[feed.name] for feed in FEEDS) > 100, same


def test_hostile_rows_are_refused_in_the_same_words_as_by_spark(lake):
    context = lake(*(feed.model_copy(update={"max_consumption": Decimal(1500)}) for feed in FEEDS))
    laid_into_bronze(context)
    assert differently_counted(context) == []
    wrong, same = differences_of_every_version(context)
    assert wrong == []
    assert {*same} == {
        None,
        "FIELD_COUNT",
        "METER_ID_MISSING",
        "METER_ID_INVALID",
        "DIRECTION_UNKNOWN",
        "LOCAL_TIME_NONEXISTENT",
        "INTERVAL_OUT_OF_RANGE",
        "OFF_GRID",
        "CONSUMPTION_INVALID",
        "CONSUMPTION_NEGATIVE",
        "CONSUMPTION_IMPLAUSIBLE",
        "ARRAY_LENGTH_INVALID",
        "NONEXISTENT_POSITION",
    }
