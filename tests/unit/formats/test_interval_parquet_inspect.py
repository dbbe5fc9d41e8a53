"""Interval arrays on the driver: what is a delivery of this shape, and how the others are refused."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats.parquet_file import inspect

VILNIUS = Feed(name="vilnius", format="interval_parquet", path="landing", time_zone="Europe/Vilnius", unit="Wh")
ZONED = "date BIGINT COMMENT 'Europe/Vilnius'"
COLUMNS = {
    "client_id": pa.array(["c1"]),
    "date": pa.array([date(2021, 3, 27)]),
    "ext_dev_ref": pa.array(["m1"]),
    "energy_consumption": pa.array([[1] * 24], pa.list_(pa.int64())),
    "resolution": pa.array(["PT60M"]),
}


def parquet(columns=None, **options):
    out = io.BytesIO()
    pq.write_table(pa.table({**COLUMNS, **(columns or {})}), out, **options)
    return out.getvalue()


def looked_at(content, name="2021-03-27.parquet"):
    found = Delivery("vilnius", name, f"landing/{name}", name, len(content), datetime(2021, 3, 28, tzinfo=UTC))
    return inspect(content, found, VILNIUS, "production")


def verdict(content, name="2021-03-27.parquet"):
    delivery = looked_at(content, name)
    return delivery.reason_code, delivery.reason


def test_a_sound_file_passes_with_its_types_and_number_of_rows():
    delivery = looked_at(parquet())
    assert delivery.reason_code is None
    assert delivery.rows_read == 1
    assert delivery.columns == (
        "client_id STRING",
        "date DATE",
        "ext_dev_ref STRING",
        "energy_consumption ARRAY<BIGINT>",
        "resolution STRING",
    )


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("client_id", pa.array([7], pa.int32()), "client_id INT"),
        ("client_id", pa.array(["c"]).dictionary_encode(), "client_id STRING"),
        ("ext_dev_ref", pa.array(["m"], pa.large_string()), "ext_dev_ref STRING"),
        ("resolution", pa.array([60], pa.uint8()), "resolution SMALLINT"),
        ("date", pa.array(["2021-03-27"]), "date STRING"),
        ("date", pa.array([datetime(2021, 3, 27)], pa.timestamp("ns")), "date BIGINT"),  # noqa: DTZ001 - a local day
        ("date", pa.array([datetime(2021, 3, 27)], pa.timestamp("ms")), "date TIMESTAMP_NTZ"),  # noqa: DTZ001
        (
            "date",
            pa.array([datetime(2021, 3, 27, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "date TIMESTAMP COMMENT 'UTC'",
        ),
        ("date", pa.array([datetime(2021, 3, 26, 22, tzinfo=UTC)], pa.timestamp("ns", "Europe/Vilnius")), ZONED),
        ("date", pa.array([datetime(2021, 3, 26, 22, tzinfo=UTC)], pa.timestamp("ns", "UTC")), ZONED),
        ("energy_consumption", pa.array([[1.5]]), "energy_consumption ARRAY<DOUBLE>"),
        ("energy_consumption", pa.array([[1.5]], pa.list_(pa.float32())), "energy_consumption ARRAY<FLOAT>"),
        (
            "energy_consumption",
            pa.array([[1]], pa.list_(pa.decimal128(9, 2))),
            "energy_consumption ARRAY<DECIMAL(9,2)>",
        ),
        ("__index_level_0__", pa.array([0]), "`__index_level_0__` BIGINT"),
        ("a`b c", pa.array([[1]]).cast(pa.list_(pa.int8())).flatten(), "`a``b c` TINYINT"),
        ("energy_consumption", pa.array([[1]], pa.list_(pa.int8())), "energy_consumption ARRAY<TINYINT>"),
        ("energy_consumption", pa.array([[1]], pa.large_list(pa.uint32())), "energy_consumption ARRAY<BIGINT>"),
        ("energy_consumption", pa.array([[1, 2]], pa.list_(pa.int16(), 2)), "energy_consumption ARRAY<SMALLINT>"),
    ],
)
def test_other_widths_and_encodings_are_fine(name, values, kind):
    delivery = looked_at(parquet({name: values}))
    assert delivery.reason is None
    assert kind in delivery.columns


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("energy_consumption", pa.array([1]), "energy_consumption is int64, not a list of numbers"),
        ("energy_consumption", pa.array([[True]]), "energy_consumption is list<element: bool>, not a list of numbers"),
        (
            "energy_consumption",
            pa.array([["1"]]),
            "energy_consumption is list<element: string>, not a list of numbers",
        ),
        ("date", pa.array([20210327]), "date is int64, not a date"),
        ("ext_dev_ref", pa.array([1.0]), "ext_dev_ref is double, not text or an integer"),
    ],
)
def test_other_columns_and_types_are_of_a_wrong_shape(name, values, said):
    assert verdict(parquet({name: values})) == ("WRONG_SHAPE", said)


def test_columns_are_found_in_any_case_and_none_is_repeated():
    out = io.BytesIO()
    upper = pa.table({name.upper(): values for name, values in COLUMNS.items()})
    pq.write_table(upper, out)
    assert looked_at(out.getvalue()).columns == looked_at(parquet()).columns
    assert verdict(parquet({"DATE": pa.array([1])})) == ("WRONG_SHAPE", "the column 'date' stands twice")


def test_a_missing_column_is_reported_before_a_wrong_type():
    out = io.BytesIO()
    pq.write_table(pa.table({"date": pa.array([1]), "client_id": pa.array([1.5])}), out)
    assert verdict(out.getvalue()) == ("COLUMNS_MISSING", "no column ext_dev_ref, energy_consumption, resolution")


def test_of_a_file_without_rows_the_types_say_nothing():
    nothing = {name: pa.nulls(0) for name in COLUMNS}
    assert (looked_at(parquet(nothing)).reason, looked_at(parquet(nothing)).rows_read) == (None, 0)
    assert verdict(parquet({name: pa.nulls(1) for name in COLUMNS}))[0] == "WRONG_SHAPE"


def test_a_missing_column_is_named():
    out = io.BytesIO()
    pq.write_table(pa.table({name: COLUMNS[name] for name in COLUMNS if name != "ext_dev_ref"}), out)
    assert verdict(out.getvalue()) == ("COLUMNS_MISSING", "no column ext_dev_ref")


def test_a_file_without_its_footer_is_unreadable():
    code, reason = verdict(parquet()[:-20])
    assert code == "UNREADABLE"
    assert reason.startswith("not a whole parquet file: ")


def test_a_broken_page_under_a_sound_footer_is_unreadable():
    content = bytearray(parquet({"client_id": pa.array(["c" * 2000])}, compression="zstd", use_dictionary=False))
    content[8:40] = bytes(32)
    assert verdict(bytes(content))[0] == "UNREADABLE"


def test_a_compression_that_spark_lacks_is_unreadable():
    assert verdict(parquet(compression="brotli")) == (
        "UNREADABLE",
        "compressed with BROTLI, which Spark cannot read",
    )


def test_a_wrong_shape_is_reported_before_a_compression_that_spark_lacks():
    assert verdict(parquet({"date": pa.array([1])}, compression="brotli"))[0] == "WRONG_SHAPE"


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "a.parquet", "EMPTY_FILE"),
        (b"PAR1", "a.csv", "BAD_FILE_NAME"),
        (b"PAR1", "_a.parquet", "BAD_FILE_NAME"),
        (b"PAR1", "a:b.parquet", "BAD_FILE_NAME"),
        (b"meter,date\n", "a.parquet", "UNREADABLE"),
    ],
)
def test_what_is_no_parquet_file_is_refused(content, name, code):
    assert verdict(content, name)[0] == code


SOUND = parquet()


@given(st.integers(0, len(SOUND) - 1))
def test_a_file_cut_anywhere_is_refused(length):
    assert verdict(SOUND[:length])[0] in {"EMPTY_FILE", "UNREADABLE"}


@given(st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), max_size=4))
def test_no_damage_to_the_bytes_ends_in_an_error(damage):
    content = bytearray(SOUND)
    for position, value in damage:
        content[position] = value
    assert verdict(bytes(content))[0] in {None, "UNREADABLE", "WRONG_SHAPE", "COLUMNS_MISSING"}
