"""Rows by what a feed says is plausible: its first day, how far ahead it may tell, and the most of an interval."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest

from pipeline.config.feeds import Feed
from tests.jobs.conftest import smrt, split_json
from tests.spark.interval_arrays import AUTUMN, NORMAL, VILNIUS, parquet

KEYS = {"earliest": date(2021, 1, 1), "latest_days_ahead": 0, "max_consumption": Decimal(100)}
ERROR = "4294967.295"  # what a smart meter says when it knows nothing


def obis(*records):
    code = "0100011D00FF"
    rows = [{"measurement": "energy", "timestamp": at, "tags": {"muid": "m"}, code: value} for at, value in records]
    return json.dumps({"data": rows}).encode()


FILES = {
    "smrt": (
        smrt(
            "PN000001",
            '"1","20201231","2300",1',
            '"1","20210101","0000",100',
            f'"1","20210101","0100",{ERROR}',
            '"1","20210101","0200",100.0000004',
            '"1","20210101","0300",100.0000005',
            '"1","20211102","0000",1',
            '"1","20211102","0100",1',
        ),
        "PN000001.SMRT",
    ),
    "split_json": (
        split_json(
            ["2020-12-31 23:30:00", "m", 1],
            ["2021-01-01 00:00:00", "m", 100],
            ["2021-01-01 00:30:00", "m", float(ERROR)],
            ["2021-01-01 01:00:00", "m", "100.0000004"],
            ["2021-01-01 01:30:00", "m", "100.0000005"],
            ["2021-11-02 00:00:00", "m", 1],
            ["2021-11-02 00:30:00", "m", 1],
        ),
        "a.json",
    ),
    "obis_json": (
        obis(
            ("2020-12-31T23:45:00Z", 1),
            ("2021-01-01T00:00:00Z", 100),
            ("2021-01-01T00:15:00Z", float(ERROR)),
            ("2021-01-01T00:30:00Z", "100.0000004"),
            ("2021-01-01T00:45:00Z", "100.0000005"),
            ("2021-11-02T00:00:00Z", 1),
            ("2021-11-02T00:15:00Z", 1),
        ),
        "a.json",
    ),
}
CODES = [
    "INTERVAL_OUT_OF_RANGE",
    None,
    "CONSUMPTION_IMPLAUSIBLE",
    None,
    "CONSUMPTION_IMPLAUSIBLE",
    None,
    "INTERVAL_OUT_OF_RANGE",
]


@pytest.mark.parametrize("name", FILES)
def test_rows_of_every_format_are_held_to_what_its_feed_says(read, name):
    content, path = FILES[name]
    found = read(Feed(name="power", format=name, path="unused", **KEYS), {path: content})
    assert [code for _, code in found.codes(path)] == CODES
    reasons = [reason for reason in found.values(path, "reason") if reason]
    assert reasons[0].endswith("is out of range: before 2021-01-01")
    assert reasons[1].endswith(f"'{ERROR}' is more than 100 kWh in an interval")
    assert reasons[-1].endswith("is out of range: more than 0 days after its delivery came")


def test_of_an_array_each_interval_is_held_to_it(read):
    autumn = [1, 1, 1, 201, *[1] * 20]  # a position that comes twice holds the sum of both
    spring = [1, 1, 1, 200, *[1] * 20]
    feed = VILNIUS.model_copy(update=KEYS)
    found = read(
        feed, {"a.parquet": parquet((NORMAL, "a", [100] * 23 + [101]), (AUTUMN, "b", autumn), (AUTUMN, "c", spring))}
    )
    refused = [
        (row["row_number"], row["position"], row["reason_code"])
        for row in found.judged["a.parquet"]
        if row["reason_code"]
    ]
    assert refused == [(1, 23, "CONSUMPTION_IMPLAUSIBLE"), (2, 3, "CONSUMPTION_IMPLAUSIBLE")]
    reasons = [reason for reason in found.values("a.parquet", "reason") if reason]
    assert reasons[0] == "element 24: '101' is more than 100 Wh in an interval"
