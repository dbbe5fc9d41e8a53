"""Compare a lake with the exact totals of `expected.json`, read without Spark."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError

HALF_HOURS = 48
LAYERS = ("bronze", "silver", "gold", "ops")
OURS = ("silver/rejected_readings",)  # not checked in a peer's lake, which lacks layers
Key = tuple[str, ...]
Values = dict[Key, Decimal]


def differences(
    lake: Path, expected: Mapping[str, Any], meters: int, active_agreements: int, layers: Collection[str] = LAYERS
) -> list[str]:
    """What differs from `expected` in those layers, a line each (none: everything is right). Exact sums, in kWh."""
    days = len(expected["kwh_per_day"])
    per_day: Values = {(day,): Decimal(kwh) for day, kwh in expected["kwh_per_day"].items()}
    per_product: Values = {
        (day, product): Decimal(kwh)
        for day, products in expected["kwh_per_day_and_product"].items()
        for product, kwh in products.items()
    }
    readings, files, rows = expected["readings"], expected["files"], expected["rows"]
    facts: list[tuple[str, str, str, Values]] = [  # table, group by, aggregate, what it must be
        ("ops/ingestion_log", "", "count(*) filter (where feed = 'electricity')", {(): files}),
        ("ops/ingestion_log", "", "sum(rows_read) filter (where feed = 'electricity')", {(): rows}),
        ("bronze/electricity", "", "count(*)", {(): rows}),
        ("silver/rejected_readings", "", "count(*)", {(): Decimal(0)}),
        ("silver/readings", "", "count(*)", {(): readings}),
        ("silver/readings", "", "sum(consumption)", {(): Decimal(expected["total_kwh"])}),
        ("silver/readings", "local_date", "sum(consumption)", per_day),
        ("gold/total_consumption_half_hour", "", "count(*)", {(): Decimal(days * HALF_HOURS)}),
        ("gold/total_consumption_half_hour", "", "sum(meterpoint_count)", {(): readings}),
        ("gold/total_consumption_half_hour", "local_date", "sum(total_kwh)", per_day),
        ("gold/meter_day", "", "count(*)", {(): Decimal(meters * days)}),
        ("gold/meter_day", "", "sum(intervals_received)", {(): readings}),
        ("gold/meter_day", "local_date", "sum(consumption)", per_day),
        ("gold/consumption_per_product_per_day", "", "sum(meterpoint_count)", {(): Decimal(meters * days)}),
        ("gold/consumption_per_product_per_day", "date, product_display_name", "sum(total_kwh)", per_product),
        ("gold/avg_half_hour_by_product", "", "count(*)", {(): Decimal(len(per_product) * HALF_HOURS)}),
        ("gold/avg_half_hour_by_product", "local_date, product_display_name", "sum(total_kwh)", per_product),
        ("gold/active_agreements", "", "count(*)", {(): Decimal(active_agreements)}),
    ]
    found: list[str] = []
    for table, group_by, aggregate, wanted in facts:
        if table.partition("/")[0] not in layers or (table in OURS and len(layers) < len(LAYERS)):
            continue
        what = f"{table}: {aggregate}" + (f" per {group_by}" if group_by else "")
        try:
            values = _query(lake / table, group_by, aggregate)
        except (DeltaError, OSError) as error:
            found.append(f"{what}: cannot be read: {str(error).splitlines()[0]}")
            continue
        wrong = sorted(key for key in values.keys() | wanted.keys() if values.get(key) != wanted.get(key))
        found += [f"{what} {key}: is {values.get(key)}, must be {wanted.get(key)}" for key in wrong[:3]]
        if wrong[3:]:
            found.append(f"{what}: and {len(wrong) - 3} more")
    return found


def _query(table: Path, group_by: str, aggregate: str) -> Values:
    columns, grouped = (f"{group_by}, ", f" group by {group_by}") if group_by else ("", "")
    query = f"select {columns}{aggregate} as value from t{grouped}"  # noqa: S608 - the facts above, no input
    result = QueryBuilder().register("t", DeltaTable(table)).execute(query)
    rows = pa.table(result.read_all()).to_pylist()
    return {tuple(str(row[key]) for key in row if key != "value"): row["value"] for row in rows}
