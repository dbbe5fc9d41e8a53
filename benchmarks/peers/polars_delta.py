"""The same silver and gold with polars and delta-rs, one machine, all in memory.

python benchmarks/peers/polars_delta.py benchmarks/data/S /tmp/lake
"""

import json
import sqlite3
import sys
from pathlib import Path

import polars as pl
from deltalake import write_deltalake
from landing import arguments, as_of, remember, replace_days, silver_of

KEY = ["meter_id", "interval_start"]


def read(path: Path, file_id: int) -> pl.DataFrame:
    """Readings of one file: local labels to UTC, values as decimals."""
    document = json.loads(path.read_bytes(), parse_float=str)
    start, meter, energy = zip(*document["data"], strict=True)
    rows = pl.DataFrame({"label": start, "meter_id": meter, "text": [str(value) for value in energy]})
    local = pl.col("label").str.to_datetime("%Y-%m-%d %H:%M:%S")
    zoned = local.dt.replace_time_zone("Europe/London", ambiguous="earliest", non_existent="null")
    return rows.select(
        "meter_id",
        zoned.dt.convert_time_zone("UTC").alias("interval_start"),
        local.dt.date().alias("local_date"),
        pl.col("text").cast(pl.Decimal(18, 6)).alias("consumption"),
        pl.lit(file_id, pl.Int64).alias("file_id"),
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row_number"),
    )


def products(database: Path, days: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Agreements with their product, and which product counts for a meter on a day."""
    query = """select agreement_id, meterpoint_id meter_id, date(agreement_valid_from) valid_from,
        date(agreement_valid_to) valid_to, display_name product_display_name
        from agreement left join product using (product_id)"""
    with sqlite3.connect(database) as connection:
        found = connection.execute(query).fetchall()
    names = ["agreement_id", "meter_id", "valid_from", "valid_to", "product_display_name"]
    agreed = pl.DataFrame(found, schema=names, orient="row", infer_schema_length=None)
    agreed = agreed.with_columns(pl.col("valid_from", "valid_to").cast(pl.String).str.to_date())
    day, start, end = pl.col("local_date"), pl.col("valid_from"), pl.col("valid_to")
    valid = agreed.join(days.to_frame("local_date"), how="cross").filter((start <= day) & (end.is_null() | (day < end)))
    latest = valid.sort("valid_from", "agreement_id").unique(["meter_id", "local_date"], keep="last")
    return agreed, latest.select("meter_id", "local_date", "product_display_name")


def main() -> None:
    """Read what is new, rebuild the days that it touches."""
    lake, files, first_id = arguments()
    data = Path(sys.argv[1])
    new = pl.concat([read(path, first_id + n) for n, path in enumerate(files)])
    days = new["local_date"].unique().sort()
    before = silver_of(lake, days.to_list())
    rows = new if before is None else pl.concat([pl.DataFrame(before).select(new.columns), new], how="vertical_relaxed")
    silver = rows.sort("file_id", "row_number").unique(KEY, keep="last", maintain_order=False)
    agreed, of_day = products(data / "reference.db", days)
    named = silver.join(of_day, ["meter_id", "local_date"], how="left").with_columns(
        pl.col("product_display_name").fill_null("(no agreement)")
    )
    total, count = pl.sum("consumption").alias("total_kwh"), pl.len().cast(pl.Int64).alias("meterpoint_count")
    halves = silver.group_by("interval_start", "local_date").agg(count, total)
    by_product = named.group_by("interval_start", "local_date", "product_display_name").agg(count, total)
    by_product = by_product.with_columns((pl.col("total_kwh") / pl.col("meterpoint_count")).alias("avg_kwh"))
    meter_day = named.group_by("meter_id", "local_date").agg(
        pl.sum("consumption"),
        pl.len().cast(pl.Int64).alias("intervals_received"),
        pl.min("interval_start").alias("first_interval"),
        pl.max("interval_start").alias("last_interval"),
        pl.first("product_display_name"),
    )
    per_day = meter_day.group_by(pl.col("local_date").alias("date"), "product_display_name").agg(count, total)
    listed = days.to_list()
    replace_days(lake, "silver", "readings", silver.to_arrow(), listed)
    replace_days(lake, "gold", "total_consumption_half_hour", halves.to_arrow(), listed)
    replace_days(lake, "gold", "avg_half_hour_by_product", by_product.to_arrow(), listed)
    replace_days(lake, "gold", "meter_day", meter_day.drop("product_display_name").to_arrow(), listed)
    replace_days(lake, "gold", "consumption_per_product_per_day", per_day.to_arrow(), listed)
    day = pl.lit(as_of(data)).str.to_date()
    active = agreed.filter((pl.col("valid_from") < day) & (pl.col("valid_to").is_null() | (pl.col("valid_to") > day)))
    write_deltalake(str(lake / "gold" / "active_agreements"), active.to_arrow(), mode="overwrite")
    remember(lake, files)


if __name__ == "__main__":
    main()
