"""One word for one thing in every answer: what the API calls columns that the tables call otherwise.

The tables keep their names, and answers keep these beside the API's for one version, deprecated in the document.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.lake.tables import Column

NAMES = {
    "total_kwh": "energy_kwh",
    "meterpoint_count": "meters",
    "meterpoint_id": "meter_id",
    "product_display_name": "product",
    "date": "local_date",
}
Value = TypeVar("Value")


def with_ours(shape: Sequence[Column]) -> tuple[Column, ...]:
    """The columns, followed by those that have another name here."""
    return (*shape, *(replace(column, name=NAMES[column.name]) for column in shape if column.name in NAMES))


def named(values: Mapping[str, Value]) -> dict[str, Value]:
    """What is kept by column name, by the API's names too."""
    return {**values, **{NAMES[name]: value for name, value in values.items() if name in NAMES}}
