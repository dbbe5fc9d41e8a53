"""Which product a meter has on each day, from the current agreements. Pure."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from pipeline.clock.zones import day_texts
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from pyspark.sql import DataFrame

Row = dict[str, Any]
NO_AGREEMENT = "(no agreement)"


def products_agreed(agreements: DataFrame, products: DataFrame) -> DataFrame:
    """Agreements with their product's name and whether its price varies.

    If the product is not in the database, its id is used as its name.
    """
    named = products.select("product_id", "display_name", "is_variable")
    return agreements.join(named, "product_id", "left").select(
        "agreement_id",
        "meterpoint_id",
        "valid_from",
        "valid_to",
        F.coalesce("display_name", "product_id").alias("product_display_name"),
        "is_variable",
    )


def active_on(agreed: DataFrame, days: Iterable[date]) -> DataFrame:
    """Agreements active on each day, strict on both sides, as analysts asked."""
    as_of = F.explode(F.expr(f"array({day_texts(days)})")).alias("as_of_date")
    return (
        agreed.select(as_of, "*")
        .where("valid_from < as_of_date AND (valid_to IS NULL OR valid_to > as_of_date)")
        .drop("valid_from", "valid_to")
    )


def product_of_day(agreed: DataFrame, days: Iterable[date]) -> DataFrame:
    """The product that counts for a meterpoint on each day: `meterpoint_id, day, product_display_name`.

    valid_from <= day < valid_to; of overlapping agreements the latest valid_from, then the highest id.
    """
    day = F.explode(F.expr(f"array({day_texts(days)})")).alias("day")
    valid = agreed.select(day, "*").where("valid_from <= day AND (valid_to IS NULL OR day < valid_to)")
    winner = F.max_by("product_display_name", F.struct("valid_from", "agreement_id"))
    return valid.groupBy("meterpoint_id", "day").agg(winner.alias("product_display_name"))


def product_of_meter(agreements: Iterable[Row], products: Iterable[Row], day: date) -> str:
    """The product that counts for a meter on a day, by the same rules from rows that the driver holds.

    `agreements` are the meter's rows of silver.agreement, `products` those of silver.product.
    """
    valid = [
        row for row in agreements if row["valid_from"] <= day and (row["valid_to"] is None or day < row["valid_to"])
    ]
    if not valid:
        return NO_AGREEMENT
    product_id = str(max(valid, key=itemgetter("valid_from", "agreement_id"))["product_id"])
    name = {row["product_id"]: row["display_name"] for row in products}.get(product_id)
    return product_id if name is None else str(name)
