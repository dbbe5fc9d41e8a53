"""Every table has the columns, order, types and key of the contract (section 4), and says what they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline import formats
from pipeline.config.feeds import Columns, Feed
from pipeline.config.reference import Reference
from pipeline.config.settings import Settings
from pipeline.formats import data_dictionary
from pipeline.lake import tables, views
from pipeline.lake.types import arrow_schema

GAS = Feed(name="gas", format="smrt", path="in/gas")
POWER = Feed(
    name="power",
    format="split_json",
    path="in/power",
    columns=Columns(meter_id="who", interval_start="when", consumption="kwh"),
)
SETTINGS = Settings(lake="/lake", feeds=(GAS, POWER), reference=Reference(url="jdbc:sqlite:r.db", feeds=("power",)))

CONTRACT = {
    "bronze.gas": (
        "meter_number STRING, measurement_date STRING, measurement_time STRING, consumption STRING, "
        "file_id BIGINT, row_number BIGINT, batch_id BIGINT"
    ),
    "bronze.power": "when STRING, who STRING, kwh STRING, file_id BIGINT, row_number BIGINT, batch_id BIGINT",
    "bronze.agreement": (
        "agreement_id STRING, agreement_valid_from STRING, agreement_valid_to STRING, product_id STRING, "
        "meterpoint_id STRING, account_id STRING, file_id BIGINT, row_number BIGINT, batch_id BIGINT"
    ),
    "bronze.product": (
        "display_name STRING, is_variable STRING, id STRING, product_id STRING, "
        "file_id BIGINT, row_number BIGINT, batch_id BIGINT"
    ),
    "bronze.meterpoint": "region STRING, meterpoint_id STRING, file_id BIGINT, row_number BIGINT, batch_id BIGINT",
    "silver.readings": (
        "feed STRING, meter_id STRING, direction STRING, interval_start TIMESTAMP, interval_minutes INT, "
        "local_date DATE, consumption DECIMAL(18,6), unit STRING, quality STRING, file_id BIGINT, row_number BIGINT, "
        "batch_id BIGINT"
    ),
    "silver.rejected_readings": (
        "feed STRING, meter_id STRING, reason_code STRING, reason STRING, raw STRING, file_id BIGINT, "
        "row_number BIGINT, batch_id BIGINT, rejected_at TIMESTAMP"
    ),
    "silver.agreement": "agreement_id BIGINT, valid_from DATE, valid_to DATE",
    "silver.product": "product_id STRING, display_name STRING, is_variable BOOLEAN",
    "silver.meterpoint": "meterpoint_id STRING, region STRING",
    "gold.active_agreements": (
        "as_of_date DATE, agreement_id BIGINT, meterpoint_id STRING, product_display_name STRING, is_variable BOOLEAN"
    ),
    "gold.total_consumption_half_hour": (
        "feed STRING, direction STRING, interval_start TIMESTAMP, local_date DATE, meterpoint_count BIGINT, "
        "total_kwh DECIMAL(28,6)"
    ),
    "gold.consumption_per_product_per_day": (
        "feed STRING, direction STRING, date DATE, product_display_name STRING, meterpoint_count BIGINT, "
        "total_kwh DECIMAL(28,6)"
    ),
    "gold.avg_half_hour_by_product": (
        "feed STRING, direction STRING, interval_start TIMESTAMP, local_date DATE, product_display_name STRING, "
        "meterpoint_count BIGINT, total_kwh DECIMAL(28,6), avg_kwh DECIMAL(18,6)"
    ),
    "gold.meter_day": (
        "feed STRING, meter_id STRING, direction STRING, local_date DATE, consumption DECIMAL(28,6), unit STRING, "
        "intervals_received INT, intervals_expected INT, first_interval TIMESTAMP, last_interval TIMESTAMP"
    ),
    "gold.missing_intervals": (
        "feed STRING, meter_id STRING, direction STRING, interval_start TIMESTAMP, interval_minutes INT, "
        "local_date DATE, expected_by STRING"
    ),
    "ops.ingestion_log": (
        "file_id BIGINT, feed STRING, file_name STRING, file_path STRING, size_bytes BIGINT, modified_at TIMESTAMP, "
        "sha256 STRING, status STRING, reason_code STRING, reason STRING, rows_read BIGINT, rows_accepted BIGINT, "
        "rows_rejected BIGINT, created_at TIMESTAMP, generation STRING, received_at TIMESTAMP, batch_id BIGINT, "
        "run_id STRING"
    ),
    "ops.acknowledgements": (
        "file_id BIGINT, feed STRING, status STRING, response_path STRING, written_at TIMESTAMP, batch_id BIGINT, "
        "run_id STRING"
    ),
    "ops.runs": (
        "run_id STRING, command STRING, started_at TIMESTAMP, finished_at TIMESTAMP, status STRING, files BIGINT, "
        "rows_read BIGINT, rows_merged BIGINT, error STRING"
    ),
}
KEYS = {
    "bronze.gas": "file_id row_number",
    "bronze.power": "file_id row_number",
    "silver.readings": "feed meter_id direction interval_start",
    "silver.rejected_readings": "file_id row_number reason_code",
    "silver.agreement": "agreement_id",
    "silver.product": "product_id",
    "silver.meterpoint": "meterpoint_id",
    "gold.active_agreements": "as_of_date agreement_id",
    "gold.total_consumption_half_hour": "feed direction interval_start",
    "gold.consumption_per_product_per_day": "feed direction date product_display_name",
    "gold.avg_half_hour_by_product": "feed direction interval_start product_display_name",
    "gold.meter_day": "feed meter_id direction local_date",
    "ops.ingestion_log": "file_id",
    "ops.acknowledgements": "file_id batch_id",
    "ops.runs": "run_id",
}
TABLES = {table.full_name: table for table in formats.lake_tables(SETTINGS)}


# What the operations of the lake leave behind; each is described where it is written.
BESIDE = {"ops.restatements", "ops.erasures"}


def test_the_lake_has_the_tables_of_the_contract_and_what_its_operations_need():
    assert set(TABLES) == set(CONTRACT) | BESIDE


@pytest.mark.parametrize(("name", "wanted"), CONTRACT.items())
def test_a_table_begins_with_the_columns_of_the_contract_in_order_and_type(name, wanted):
    columns = re.split(r", (?=[a-z])", TABLES[name].schema)
    expected = re.split(r", (?=[a-z])", wanted)
    assert columns[: len(expected)] == expected


@pytest.mark.parametrize(("name", "key"), KEYS.items())
def test_a_table_has_the_key_of_the_contract(name, key):
    assert TABLES[name].key == tuple(key.split())


@pytest.mark.parametrize("name", CONTRACT)
def test_a_table_and_each_of_its_columns_has_a_comment_and_a_name_of_its_own(name):
    table = TABLES[name]
    assert len(table.comment) > 10
    assert all(len(column.comment) > 2 for column in table.columns)
    assert len({column.name.lower() for column in table.columns}) == len(table.columns)


@pytest.mark.parametrize("name", CONTRACT)
def test_no_column_is_a_float_and_every_type_is_one_that_the_driver_can_write(name):
    table = TABLES[name]
    assert not [column for column in table.columns if column.type in {"FLOAT", "DOUBLE"}]
    assert arrow_schema(table).names == table.names


@pytest.mark.parametrize("name", CONTRACT)
def test_partitions_and_statistics_are_of_columns_that_there_are_and_not_the_same(name):
    table = TABLES[name]
    assert {*table.partition_by, *table.stats} <= set(table.names)
    assert not set(table.partition_by) & set(table.stats)


def test_a_table_has_one_address_in_path_mode_and_one_in_catalog_mode():
    in_catalog = Settings(catalog="main", feeds=(GAS,))
    in_cloud = Settings(lake="gs://bucket/lake/", feeds=(GAS,))
    assert tables.address(SETTINGS, tables.READINGS) == "/lake/silver/readings"
    assert tables.address(in_cloud, tables.READINGS) == "gs://bucket/lake/silver/readings"
    assert tables.address(in_catalog, tables.READINGS) == "main.silver.readings"
    assert tables.address(SETTINGS, formats.bronze_table(GAS)) == "/lake/bronze/gas"


def test_dashboards_find_the_half_hours_under_the_name_they_use():
    (view,) = [each for each in views.all_views(SETTINGS) if each.name == "gold.aggregate_per_half_hour"]
    assert view.query == "SELECT * FROM gold.total_consumption_half_hour"


def test_views_are_made_of_tables_and_of_views_before_them():
    known = {table.full_name for table in formats.lake_tables(SETTINGS)}
    for view in views.all_views(SETTINGS):
        assert set(view.uses) <= known, view.name
        assert view.comment
        known.add(view.name)


def test_the_data_dictionary_is_that_of_the_tables():
    page = Path(__file__).parents[3] / "docs" / "data-dictionary.md"
    assert page.read_text(encoding="utf-8") == data_dictionary.text(), "run: python -m pipeline.formats.data_dictionary"


def test_the_name_in_sql_of_a_path_with_backticks_ends_where_the_path_ends():
    assert (
        tables.sql_name(Settings(lake="/o`brien", feeds=(GAS,)), tables.READINGS) == "delta.`/o``brien/silver/readings`"
    )
    assert tables.sql_name(Settings(catalog="main", feeds=(GAS,)), tables.READINGS) == "main.silver.readings"
