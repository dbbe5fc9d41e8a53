"""How a table differs from the one that it should be: by key, value by value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from pipeline.lake import access

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# Rows that the driver compares itself, in a moment: a join of Spark takes a second however few there are.
FEW = 50_000
SIDES = ("should", "there")

Difference = dict[str, Any]


def differences(
    context: Context, rebuilt: Context, table: Table, values: Sequence[str]
) -> tuple[int, Difference | None]:
    """How many keys one lake lacks or has with other values, and the first of them.

    That is the key's columns, and `should` (of the rebuilt lake) and `there`: all columns by name, None for no row.
    """
    if max(access.row_count(lake, table) for lake in (context, rebuilt)) <= FEW:
        should, there = (access.small_rows(lake, table, [*table.key, *values]) for lake in (rebuilt, context))
        found = by_key(should, there, table.key)
        return len(found), found[0] if found else None
    differing = _by_spark(access.read(rebuilt, table), access.read(context, table), table.key, values)
    count = differing.count()
    if not count:
        return 0, None
    first = differing.orderBy(*table.key).limit(1).toArrow().to_pylist()[0]
    key = {name: first[name] for name in table.key}
    sides = {name: first[name] and key | {value: first[name][value] for value in values} for name in SIDES}
    return count, key | sides


def by_key(should: list[dict[str, Any]], there: list[dict[str, Any]], key: Sequence[str]) -> list[Difference]:
    """The differences in the order of their keys; `should` has each key once."""
    wanted = {tuple(row[name] for name in key): row for row in should}
    missing = set(wanted)
    found: list[tuple[tuple[Any, ...], Difference]] = []
    for row in there:
        at = tuple(row[name] for name in key)
        missing.discard(at)
        if wanted.get(at) != row:
            found.append((at, {"should": wanted.get(at), "there": row}))
    found += [(at, {"should": wanted[at], "there": None}) for at in missing]
    found.sort(key=lambda each: [(value is not None, value) for value in each[0]])
    return [dict(zip(key, at, strict=True)) | sides for at, sides in found]


def _by_spark(should: DataFrame, there: DataFrame, key: Sequence[str], values: Sequence[str]) -> DataFrame:
    # Tells a row of NULLs from no row; nullable, because Arrow needs that inside a nullable struct.
    present = F.expr("nullif(true, false)").alias("is")
    left, right = (
        rows.select(*key, F.struct(present, *values).alias(side))
        for rows, side in zip((should, there), SIDES, strict=True)
    )
    same = [left[name].eqNullSafe(right[name]) for name in key]
    condition = same[0]
    for part in same[1:]:
        condition = condition & part
    both = left.join(right, condition, "full_outer")
    named = [F.coalesce(left[name], right[name]).alias(name) for name in key]
    return both.where(~F.col("should").eqNullSafe(F.col("there"))).select(*named, "should", "there")
