"""The columns of answers: a shape is a tuple of columns (name, SQL type, comment), like a table's.

It determines the model in the OpenAPI document, the Arrow types, and how values are written: decimals are exact text
with six digits after the point, never floats; instants are ISO 8601 with an offset; days are YYYY-MM-DD; NULL is null,
and an empty field in CSV.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema, create_model

from pipeline.lake.types import TYPES
from pipeline.serving.naming import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    import pyarrow as pa

    from pipeline.lake.tables import Column

DECIMAL = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^-?\d+\.\d{6}$", "examples": ["0.250000"]})]
MODELS: dict[str, Any] = {
    "STRING": str,
    "BIGINT": int,
    "INT": int,
    "BOOLEAN": bool,
    "DATE": date,
    "TIMESTAMP": datetime,
    "ARRAY<DATE>": list[date],
    "ARRAY<STRING>": list[str],
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def model(
    name: str, shape: Sequence[Column], sometimes: Collection[str] = (), nullable: Collection[str] = ()
) -> type[BaseModel]:
    """The model of a row, for the OpenAPI document.

    Columns named in `sometimes` may be left out, those in `nullable` may be null; all others always have a value.
    """
    fields: dict[str, Any] = {}
    for column in shape:
        kind = DECIMAL if column.type.startswith("DECIMAL") else MODELS[column.type]
        ours = NAMES.get(column.name)
        says = Field(
            None if column.name in sometimes else ...,
            description=f"{column.comment}. Deprecated: use {ours}" if ours else column.comment,
            deprecated=ours is not None,
        )
        fields[column.name] = (kind | None if column.name in nullable else kind, says)
    made: type[BaseModel] = create_model(name, **fields)
    return made


def page_model(row: type[BaseModel]) -> type[BaseModel]:
    """The model of an answer with many rows."""
    made: type[BaseModel] = create_model(
        f"{row.__name__}Page",
        data=(list[row], Field(description="The rows, in order")),  # type: ignore[valid-type]
        next=(str | None, Field(description="Address of the next page, from the same versions; null on the last")),
        total=(int | None, Field(description="How many rows all pages have together, if counted")),
        as_of=(dict[str, int], Field(description="Versions of the tables that the answer comes from")),
        time_zone=(str | None, Field(description="Zone of local times; null: each feed's own")),
        units=(
            dict[str, str],
            Field(description="Unit of each energy column, or the column with the unit if it differs by row"),
        ),
    )
    return made


@lru_cache(maxsize=200_000)
def iso(moment: int, zone: tzinfo) -> str:
    """An instant in microseconds since 1970 as text with the zone's offset."""
    return (EPOCH + timedelta(microseconds=moment)).astimezone(zone).isoformat()


@lru_cache(maxsize=200_000)
def decimal_text(micro: int) -> str:
    """Millionths as a decimal with six digits."""
    whole, part = divmod(abs(micro), 1_000_000)
    return f"{'-' if micro < 0 else ''}{whole}.{part:06d}"


def texts(rows: pa.Table, shape: Sequence[Column], zone_of: Callable[[str | None], tzinfo]) -> dict[str, list[Any]]:
    """Values of a query's answer for JSON; instants are local if the row's feed has a zone."""
    feeds = rows["feed"].to_pylist() if "feed" in rows.column_names else [None] * rows.num_rows
    return {column.name: _texts(rows[column.name], column, feeds, zone_of) for column in shape}


def _texts(
    values: pa.ChunkedArray, column: Column, feeds: list[str | None], zone_of: Callable[[str | None], tzinfo]
) -> list[Any]:
    if column.type == "TIMESTAMP":
        moments = values.cast(TYPES["TIMESTAMP"][1]).cast("int64").to_pylist()
        return [None if at is None else iso(at, zone_of(feed)) for at, feed in zip(moments, feeds, strict=True)]
    if column.type.startswith("DECIMAL"):
        return [None if value is None else f"{value.quantize(Decimal('1e-6')):f}" for value in values.to_pylist()]
    return [_plain(value) for value in values.to_pylist()]


def _plain(value: Any) -> Any:  # noqa: ANN401 - what JSON can hold
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(each) for each in value] if isinstance(value, list) else value
