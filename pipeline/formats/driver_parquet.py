"""Interval arrays as bronze's rows, by the driver: as interval_parquet.py has them from Spark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import EngineError
from pipeline.formats import read_interval_parquet
from pipeline.formats.parquet_file import COLUMNS, LIST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import Row

# Further columns that are texts or whole numbers; Java writes others in ways of its own.
EXTRA = re.compile(r"`((?:[^`]|``)*)` (?:STRING|TINYINT|SMALLINT|INT|BIGINT)", re.DOTALL)
LEAST, MOST = 1e-3, 1e7
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?: [0-9]{2}:[0-9]{2}:[0-9]{2})?")


def rows(content: bytes, delivery: Delivery, feed: Feed) -> Iterator[Row]:
    """Rows in their order, all values as text; EngineError for a type that Spark writes in a way of its own."""
    if not delivery.columns:
        return
    kinds = dict(column.split(" ", 1) for column in delivery.columns[: len(COLUMNS)])
    if "FLOAT" in kinds[LIST]:
        raise refused(delivery, "floating-point numbers of 32 bits")
    # Spark writes the time of a local time at midnight too.
    is_local = kinds["date"] == "TIMESTAMP_NTZ"
    is_text = kinds["date"] == "STRING"
    extra = _extra(content, delivery)
    for row in read_interval_parquet.rows(content, delivery, feed):
        text = row["date"]
        if is_local and text is not None and len(text) == len("YYYY-MM-DD"):
            row["date"] = text = f"{text} 00:00:00"
        if not is_text and text is not None and not _DAY.fullmatch(text):
            raise refused(delivery, f"the time {text!r}")
        if "DOUBLE" in kinds[LIST] and not all(map(_is_written_alike, row[LIST] or ())):
            raise refused(delivery, "a floating-point number below 0.001 or from 10,000,000 on")
        yield row | {
            "extra": None if extra is None else [(name, texts[row["row_number"] - 1]) for name, texts in extra]
        }


def _is_written_alike(text: str | None) -> bool:
    """Whether Java writes a floating-point number as Python does: of these sizes by its shortest digits alone."""
    return text is None or float(text) == 0 or LEAST <= abs(float(text)) < MOST


def _extra(content: bytes, delivery: Delivery) -> list[tuple[str, list[str | None]]] | None:
    """Further columns by name as texts, None if there are none."""
    named = delivery.columns[len(COLUMNS) :]
    if not named:
        return None
    known = [EXTRA.fullmatch(column) for column in named]
    if odd := [column for column, found in zip(named, known, strict=True) if found is None]:
        raise refused(delivery, f"a further column that is no text or whole number ({odd[0]})")
    names = [found[1].replace("``", "`") for found in known if found]
    table = pq.read_table(pa.BufferReader(content))
    own = {name.lower(): name for name in table.column_names}
    return [(name, _text_of(table[own.get(name.lower(), name)])) for name in names]


def _text_of(column: pa.ChunkedArray) -> list[str | None]:
    values: list[Any] = column.to_pylist()
    return [None if value is None else str(value) for value in values]


def refused(delivery: Delivery, what: str) -> EngineError:
    """What the driver cannot write as Spark does, as an error that names the delivery."""
    return EngineError(f"{delivery.relative_path} of feed {delivery.feed} holds {what}")
