"""The frame of a split-JSON file: one object with `columns` and `data`. Without Spark.

Spark's reader is too lenient (it silently accepts a second document after the first, a root array, `"data": null`), so
the driver, which hashes the bytes anyway, checks the frame. Only a file that does not look simple is parsed in Python,
for an exact verdict.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.formats import json_document
from pipeline.formats.json_document import Pairs, kind

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery


def inspect(content: bytes, delivery: Delivery, feed: Feed, environment: str) -> Delivery:  # noqa: ARG001 - a return a reason
    """The delivery with its column names, refused if it is not one complete split-JSON document."""
    body = json_document.body_of(content)
    if refused := json_document.refused_at_first_sight(content, body, delivery):
        return refused
    frame = _plain_frame(body)
    looked_at = of_plain_frame(*frame, delivery, feed) if frame else None
    # A refusal is exact: which code comes first is known only after parsing everything.
    if looked_at is None or looked_at.reason_code:
        return diagnose(content, delivery, feed)
    return looked_at


def diagnose(content: bytes, delivery: Delivery, feed: Feed) -> Delivery:
    """The exact verdict on a delivery, by parsing all of it; for those that are not simple or that Spark refused."""
    root = json_document.root_of(content, delivery)
    if not isinstance(root, Pairs):
        return root
    keys = [key for key, _ in root.pairs]
    for key in ("columns", "data"):
        if keys.count(key) != 1:
            return delivery.refused("WRONG_SHAPE", f"the key {key!r} stands {keys.count(key)} times, not once")
    values = dict(root.pairs)
    columns, data = values["columns"], values["data"]
    if not isinstance(columns, list) or not all(type(name) is str for name in columns):
        return delivery.refused("WRONG_SHAPE", "columns is not an array of names")
    if not isinstance(data, list):
        return delivery.refused("WRONG_SHAPE", f"data is {kind(data)}, not an array")
    for number, row in enumerate(data, start=1):
        if row is not None and not isinstance(row, list):
            return delivery.refused("WRONG_SHAPE", f"row {number} of data is {kind(row)}, not an array")
    return _with_columns(columns, replace(delivery, rows_read=len(data)), feed)


def of_plain_frame(columns: str, rows: int, delivery: Delivery, feed: Feed) -> Delivery | None:
    """The delivery with the columns that this JSON text names; None if it is no array of texts."""
    try:
        names = json.loads(columns)
    except ValueError:
        return None
    if not all(isinstance(name, str) for name in names):
        return None
    return _with_columns(names, replace(delivery, rows_read=rows), feed)


def _plain_frame(body: bytes) -> tuple[str, int] | None:
    """(column names as JSON, rows), if the frame alone shows that the document is one object with both keys; else None.

    One opening and one closing brace, at the two ends, make one root object; Spark parses what is between. Rows are
    counted as brackets inside data, and a bracket in a text counts too: if Spark's count differs, `diagnose` decides.
    """
    plain = (
        body[:1] == b"{"
        and body[-1:] == b"}"
        and body.count(b"{") == 1
        and body.count(b"}") == 1
        and body.count(b'"columns"') == 1
        and body.count(b'"data"') == 1
        and b"\x00" not in body
        and b"\\" not in body
        and re.search(rb'"data"\s*:\s*\[', body) is not None
    )
    found = re.search(rb'"columns"\s*:\s*(\[[^\[\]]*\])', body) if plain else None
    if found is None:
        return None
    return found[1].decode(), body.count(b"[") - found[1].count(b"[") - 1


def _with_columns(columns: list[str], delivery: Delivery, feed: Feed) -> Delivery:
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        return delivery.refused("WRONG_SHAPE", f"the column {twice[0]!r} stands twice")
    wanted = (feed.columns.interval_start, feed.columns.meter_id, feed.columns.consumption)
    if missing := [name for name in wanted if name not in columns]:
        return delivery.refused("COLUMNS_MISSING", f"no column {', '.join(missing)} among {json.dumps(columns)[:200]}")
    return replace(delivery, columns=tuple(columns))
