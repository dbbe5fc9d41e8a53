"""Quotients within a hair of a tie are rounded half up, whatever engine divides: exact in every digit that decides."""

from __future__ import annotations

import random
from decimal import ROUND_HALF_UP, Context, Decimal

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from pipeline.config.feeds import Feed
from pipeline.formats import row_rules, units
from pipeline.formats.row_judge import energy_of
from pipeline.layers import gold

EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
MILLIONTH = Decimal("0.000001")
CASES = 20_000


def rounded(value):
    return EXACT.quantize(value, MILLIONTH)


def half_of_an_odd_number(dice):
    return 2 * dice.randrange(10 ** dice.randrange(1, 10)) + 1


def test_an_average_near_a_tie(spark):
    dice, rows = random.Random("averages"), []
    for meters in [dice.randrange(1, 10 ** dice.randrange(1, 10)) for _ in range(CASES)]:
        total = half_of_an_odd_number(dice) * meters // 2 + dice.randrange(2)
        rows.append((Decimal(total).scaleb(-6), meters))
    totals = pa.table(
        {
            "total_kwh": pa.array([total for total, _ in rows], pa.decimal128(28, 6)),
            "meterpoint_count": pa.array([meters for _, meters in rows], pa.int64()),
        }
    )
    found = spark.createDataFrame(totals).select("total_kwh", "meterpoint_count", gold.average().alias("mean"))
    for row in found.toArrow().to_pylist():
        assert row["mean"] == rounded(EXACT.divide(row["total_kwh"], row["meterpoint_count"]))


def test_watt_hours_in_kilowatt_hours(spark):
    dice = random.Random("watt hours")
    values = [Decimal(half_of_an_odd_number(dice) * 500 + dice.randrange(-1, 2)).scaleb(-6) for _ in range(CASES)]
    readings = pa.table({"consumption": pa.array(values, pa.decimal128(18, 6)), "unit": ["Wh"] * CASES})
    for row in gold.in_kwh(spark.createDataFrame(readings)).toArrow().to_pylist():
        assert row["kwh"] == rounded(EXACT.divide(row["consumption"], 1000))


def test_numbers_of_many_digits_and_with_exponents(spark):
    """As the rules in Python have them, which the tests of rows in Python compare with Spark's."""
    dice, texts = random.Random("long"), []
    for length in range(1, 990, 7):
        digits = "".join(dice.choice("0123456789") for _ in range(length))
        texts += [
            f"0.{digits}",
            f"-7.{'9' * length}",
            f"12.123456{'4' * length}",
            f"12.123456{'5' * length}",
            f"1.{'0' * length}1",
        ]
        texts += [
            f"{'0' * length}3.25",
            f"{digits}",
            f"{digits}e-{length}",
            f".{digits}E{dice.randrange(40)}",
            f"0.{'0' * length}5e{length}",
            f"0e{length}",
        ]
    found = spark.createDataFrame(pa.table({"text": texts})).select(
        "text", row_rules.energy(F.col("text")).alias("energy")
    )
    told = found.toArrow().to_pylist()
    assert [(row["text"], row["energy"]) for row in told] == [(text, energy_of(text)) for text in texts]
    assert sum(row["energy"] is None for row in told) > 50


@pytest.mark.parametrize("minutes", [5, 10, 15, 30, 60])
def test_a_mean_power_near_a_tie(spark, minutes):
    dice, feed = (
        random.Random(f"power {minutes}"),
        Feed(name="f", format="csv", path="p", unit="kW", csv={"meter": "m", "value": "v"}),
    )
    least = Decimal(1).scaleb(-units.DECIMALS)
    texts = []
    for _ in range(CASES):
        tie = EXACT.divide(Decimal(half_of_an_odd_number(dice) * 60), Decimal(2_000_000 * minutes))
        texts.append(f"{EXACT.quantize(tie, least) + dice.randrange(-1, 2) * least:f}")
    energy = units.energy([F.col("text")], feed, minutes)
    for row in (
        spark.createDataFrame(pa.table({"text": texts})).select("text", energy.alias("energy")).toArrow().to_pylist()
    ):
        assert row["energy"] == rounded(EXACT.divide(EXACT.multiply(Decimal(row["text"]), minutes), 60))
