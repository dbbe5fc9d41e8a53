"""How an engine says what the views need: Spark, and DuckDB, whose decimals become floats when they are divided.

DuckDB has the functions that it lacks, FROM_UTC_TIMESTAMP among them, from `pipeline/queries/duckdb_functions.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Dialect:
    """Texts of SQL, and functions from texts to a text."""

    # The energy of a reading in kWh; Wh are divided by 1000 and rounded half up.
    kwh: str
    # The first day of a date's MONTH or YEAR: (column, unit).
    first_day: Callable[[str, str], str]
    # The instant at which the local hour of an instant began: (instant, local time).
    hour_start: Callable[[str, str], str]
    # 1 for Monday: (date).
    weekday: Callable[[str], str]
    # HH:mm: (local time).
    clock_time: Callable[[str], str]
    # A sum of decimals divided by a sum of counts, six digits, rounded half up: (dividend, divisor).
    quotient: Callable[[str, str], str]


SPARK = Dialect(
    kwh=(
        "CASE WHEN unit = 'Wh' THEN CAST(ROUND(CAST(consumption AS DECIMAL(28,9)) / 1000, 6) AS DECIMAL(18,6)) "
        "ELSE consumption END"
    ),
    first_day=lambda day, unit: f"CAST(TRUNC({day}, '{unit}') AS DATE)",
    hour_start=lambda at, local: f"{at} - MAKE_DT_INTERVAL(0, 0, MINUTE({local}), SECOND({local}))",
    weekday=lambda day: f"WEEKDAY({day}) + 1",
    clock_time=lambda local: f"DATE_FORMAT({local}, 'HH:mm')",
    quotient=lambda dividend, divisor: f"CAST({dividend} / {divisor} AS DECIMAL(18,6))",
)
DUCKDB = Dialect(
    kwh="CASE WHEN unit = 'Wh' THEN CAST(ROUND(consumption * 0.001, 6) AS DECIMAL(18,6)) ELSE consumption END",
    first_day=lambda day, unit: f"CAST(DATE_TRUNC('{unit}', {day}) AS DATE)",
    hour_start=lambda at, local: f"{at} - TO_SECONDS(60 * MINUTE({local}) + SECOND({local}))",
    weekday=lambda day: f"CAST(ISODOW({day}) AS INTEGER)",
    clock_time=lambda local: f"STRFTIME({local}, '%H:%M')",
    # In whole millionths: energy is never negative, so half of the divisor rounds half up.
    quotient=lambda dividend, divisor: (
        f"CAST(CAST((CAST({dividend} * 1000000 AS HUGEINT) * 2 + {divisor}) // (2 * {divisor}) AS DECIMAL(18,0)) "
        "* 0.000001 AS DECIMAL(18,6))"
    ),
)
