"""`sql --engine duckdb` on a small lake: its names, exact decimals, UTC, and errors in a line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from deltalake import DeltaTable, TableFeatures

from pipeline.config.settings import Settings
from pipeline.errors import LakeError, UsageError
from pipeline.lake import tables
from pipeline.queries.by_duckdb import DuckDBQueries
from pipeline.runtime.context import Context
from tests.small_lake import day, small_lake, write


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    return small_lake(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def session(context):
    return DuckDBQueries(context)


def rows(session, query, most=None):
    return [tuple(row.values()) for row in session.ask(query, most).to_pylist()]


def refusal(session, query, kind=UsageError):
    with pytest.raises(kind) as caught:
        session.ask(query)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def at(hour, minute=0):
    return datetime(2021, 10, 31, hour, minute, tzinfo=UTC)


def test_sums_are_exact_and_whole_numbers_are_whole(session):
    query = "SELECT sum(consumption), sum(intervals_received), count(*) FROM gold.meter_day WHERE meter_id = 'm1'"
    ((total, received, count),) = rows(session, query)
    assert (total, received, count) == (Decimal("1.800000"), 10, 2)
    assert [type(value) for value in (total, received, count)] == [Decimal, int, int]


def test_instants_are_utc(session):
    assert rows(session, "SELECT min(interval_start) FROM silver.readings") == [(at(0),)]
    assert rows(
        session, "SELECT count(*) FROM silver.readings WHERE interval_start = TIMESTAMP'2021-10-31 00:30:00Z'"
    ) == [(2,)]


def test_hours_of_the_local_clock_are_two_where_it_goes_back(session):
    query = "SELECT hour_start, total_kwh, readings FROM gold.meter_hour WHERE meter_id = 'm1' ORDER BY 1"
    assert rows(session, query) == [
        (at(0), Decimal("0.300000"), 2),
        (at(1), Decimal("0.700000"), 2),
        (at(2), Decimal("0.500000"), 1),
    ]


def test_wh_become_kwh_rounded_half_up(session):
    query = "SELECT total_kwh, readings FROM gold.meter_hour WHERE meter_id = 'w1'"
    assert rows(session, query) == [(Decimal("0.000001"), 2)]


def test_the_usual_half_hour_is_divided_exactly(session):
    query = "SELECT weekday, half_hour, days, total_kwh, avg_kwh_per_meter FROM gold.load_profile ORDER BY half_hour"
    assert rows(session, query) == [
        (7, "01:00", 1, Decimal("0.000001"), Decimal("0.000001")),  # half of a millionth
        (7, "01:30", 1, Decimal("2.000000"), Decimal("0.666667")),
        (7, "02:00", 1, Decimal("0.500000"), Decimal("0.500000")),
    ]


def test_months_and_years(session):
    query = "SELECT month_start, total_kwh FROM gold.meter_month WHERE meter_id = 'm1' ORDER BY 1"
    assert [(str(month), total) for month, total in rows(session, query)] == [
        ("2021-10-01", Decimal("1.500000")),
        ("2021-11-01", Decimal("0.300000")),
    ]
    assert rows(session, "SELECT meterpoint_count, total_kwh FROM gold.feed_year") == [(2, Decimal("1.800001"))]


def test_every_table_and_view_can_be_read(session):
    for name in session.names.every:
        if name != "reading_history":
            found = session.ask(f"SELECT * FROM {name}")
            assert found.column_names == [column.name for column in session.columns(name)]


def test_what_was_committed_meanwhile_is_seen(tmp_path):
    context = small_lake(tmp_path)
    session = DuckDBQueries(context)
    count = "SELECT count(*) FROM gold.meter_day"
    assert rows(session, count) == [(3,)]
    write(context, tables.METER_DAY, [day("m2", "1")])
    assert rows(session, count) == [(4,)]


def test_functions_with_sparks_names(session):
    query = """SELECT from_utc_timestamp(TIMESTAMP'2021-10-31 01:00:00Z', 'Europe/London'),
        to_utc_timestamp(DATE'2021-06-01', 'Europe/London'),
        from_utc_timestamp(TIMESTAMP'2026-12-01 00:00:00Z', 'America/Vancouver'),
        unix_timestamp(TIMESTAMP'1970-01-02 00:00:00Z'), datediff(DATE'2021-01-03', DATE'2021-01-01'),
        datediff('day', DATE'2021-01-01', DATE'2021-01-03'), next_day(DATE'2021-01-01', 'Friday'),
        next_day(DATE'2021-01-01', 'SAT'), date_format(TIMESTAMP'2021-01-02 03:04:05', 'yyyyMMdd HH:mm:ss'),
        from_utc_timestamp(NULL, 'Europe/London'), INTERVAL '1' MINUTE * 30"""
    (found,) = rows(session, query)
    assert [str(value) for value in found] == [
        "2021-10-31 01:00:00", "2021-05-31 23:00:00+00:00", "2026-11-30 16:00:00", "86400", "2", "2", "2021-01-08",
        "2021-01-02", "20210102 03:04:05", "None", str(timedelta(minutes=30)),
    ]  # fmt: skip


def test_no_more_rows_than_are_wanted(session):
    assert len(rows(session, "SELECT * FROM range(100000)", 7)) == 7
    assert len(rows(session, "SELECT * FROM range(7)", 100)) == 7


def test_its_own_dialect(session):
    assert rows(session, "FROM gold.meter_day SELECT count(*)") == [(3,)]
    assert rows(session, "PIVOT (SELECT meter_id FROM gold.meter_day) ON meter_id USING count(*)") == [(2, 1)]
    assert len(rows(session, "SUMMARIZE gold.meter_day")) == len(tables.METER_DAY.columns)
    tables_listed = "SELECT table_name FROM information_schema.tables WHERE table_name = 'feed_hour'"
    assert rows(session, tables_listed) == [("feed_hour",)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT consumtion FROM gold.meter_day", "no column 'consumtion' in gold.meter_day: did you mean consumption? (gold."),
        ("SELECT d.consumtion FROM gold.meter_day d JOIN silver.readings r ON true", "no column 'consumtion' in gold.meter_day"),
        ("SELECT totl_kwh FROM gold.feed_month", "no column 'totl_kwh' in gold.feed_month: did you mean total_kwh?"),
        ("SELECT * FROM gold.meter_dya", "no table 'gold.meter_dya': did you mean gold.meter_day?"),
        ("SELECT * FROM meter_day", "no table 'meter_day': did you mean gold.meter_day?"),
        ("SELECT sun(1)", "no function 'sun': did you mean sum?"),
        ("SELEC 1", "no query begins with 'SELEC': did you mean SELECT?"),
        ("SELECT feed FORM gold.meter_day", "did you mean FROM for 'FORM'?"),
        ("SELECT 'a'::INT", "the query failed: Could not convert string 'a' to INT32"),
        ("SELECT from_utc_timestamp(now(), 'Europe/Lundon')", "no time zone 'Europe/Lundon'"),
        ("DROP VIEW gold.meter_day", "'DROP' would change something: `sql` reads only"),
        ("COPY gold.meter_day TO 'here.csv'", "'COPY' would change something: `sql` reads only"),
        ("WITH a AS (SELECT 1) INSERT INTO gold.meter_day SELECT * FROM a", "`sql` reads only"),
        ("SELECT * FROM 'secrets.csv'", "only the lake's tables can be read here, no files"),
        ("SELECT * FROM read_text('/etc/hostname')", "only the lake's tables can be read here, no files"),
        ("SELECT * FROM reading_history", "is judged from bronze by Spark only: leave out --engine duckdb"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_line(session, query, said):
    assert said in refusal(session, query)


def test_a_session_goes_on_after_a_mistake(session):
    refusal(session, "SELECT consumtion FROM gold.meter_day")
    assert rows(session, "SELECT count(*) FROM gold.meter_day") == [(3,)]


def test_a_lost_data_file_is_named_with_its_table(tmp_path):
    context = small_lake(tmp_path)
    (lost,) = (tmp_path / "lake" / "gold" / "meter_day").glob("**/*2021-11-01*/*.parquet")
    lost.unlink()
    said = refusal(DuckDBQueries(context), "SELECT sum(consumption) FROM gold.meter_day", LakeError)
    assert (
        f"table gold.meter_day: its data file {lost.parent.parent.name}/{lost.parent.name}/{lost.name} is not there"
        in said
    )


def test_what_only_spark_reads_is_refused_in_a_line(tmp_path):
    context = small_lake(tmp_path)
    delta = DeltaTable(tables.address(context.settings, tables.METER_DAY))
    delta.alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)
    said = refusal(DuckDBQueries(context), "SELECT * FROM gold.feed_month", LakeError)
    assert said.endswith("which only Spark reads: leave out --engine duckdb")


def test_a_catalog_is_refused_in_a_line(context):
    settings = Settings(catalog="main", feeds=context.settings.feeds)
    with pytest.raises(LakeError, match=r"main: is in a catalog, .*: leave out --engine duckdb$"):
        DuckDBQueries(Context(settings))
