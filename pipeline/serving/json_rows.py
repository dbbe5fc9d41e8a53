"""Rows as a JSON array, column by column: half the time of a dict for each row, which is a fifth of a meter's month."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.lake.tables import Column

# Their texts are of our making and hold nothing that JSON escapes.
PLAIN_TEXT = ("TIMESTAMP", "DATE", "DECIMAL")
NUMBER = ("BIGINT", "INT")


def array(columns: Mapping[str, Sequence[Any]], shape: Sequence[Column]) -> bytes:
    """The rows as `[{"name":value,…},…]`; `shape` has the type of each column."""
    if not any(columns.values()):
        return b"[]"
    types = {column.name: column.type for column in shape}
    pieces, varying = [], []
    for name, values in columns.items():
        piece, texts = _texts(values, types[name])
        pieces.append(f"{_text(name)}:{piece}")
        if texts is not None:
            varying.append(texts)
    row = f"{{{','.join(pieces)}}}"
    rows = map(row.__mod__, zip(*varying, strict=True)) if varying else [row % ()] * len(values)
    return f"[{','.join(rows)}]".encode()


def _texts(values: Sequence[Any], kind: str) -> tuple[str, Sequence[Any] | None]:
    """How a column stands in the pattern of a row, and what its values fill in; None where they are all the same."""
    first = values[0]
    if values.count(first) == len(values):
        return _text(first), None
    if None not in values and kind.startswith(PLAIN_TEXT):
        return '"%s"', values
    if None not in values and kind in NUMBER:
        return "%s", values
    return "%s", [to_json(value).decode() for value in values]


def _text(value: Any) -> str:  # noqa: ANN401 - what JSON can hold
    """A value as part of the pattern."""
    return to_json(value).decode().replace("%", "%%")
