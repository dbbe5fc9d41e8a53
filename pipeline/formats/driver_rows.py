"""Bronze rows of deliveries by the driver, for an engine that reads no files (Sail): Arrow, a piece at a time.

row_readers.py reads what is judged; here is the rest of a row too. What Spark may write differently is refused, so that
bronze is the same, byte for byte, whoever read the file (tests/spark/formats/test_driver_rows.py compares).
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.formats import bronze_table, driver_parquet, read_green_button
from pipeline.formats.json_document import Number, Pairs
from pipeline.formats.json_elements import Sources, as_text, elements
from pipeline.formats.obis_document import DIRECTION_OF
from pipeline.formats.row_judge import json_array, json_value
from pipeline.formats.row_readers import READERS
from pipeline.lake.types import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import Row

ROWS_AT_ONCE = 50_000
# Documents below it are parsed as a whole, three times as fast as row by row.
WHOLE_BYTES = 32 * 1024 * 1024
PLAIN = {str, Number, type(None)}
# What row_readers.py has for nested values.
NESTED = {"[…]", "{…}"}
NESTING = {Pairs, list}
# What Spark takes for a number in JSON, and Python does not.
INFINITY = b"INF"


def reader(feed: Feed, deliveries: list[Delivery], read: Callable[[Delivery, Feed], bytes]) -> pa.RecordBatchReader:
    """Rows of sound deliveries with bronze's columns; `read` gives the bytes of one.

    One that turns out to be no document gives no rows. EngineError for a value that Spark writes in a way of its own.
    """
    schema = arrow_schema(bronze_table(feed))
    return pa.RecordBatchReader.from_batches(schema, _batches(feed, deliveries, read, schema))


def _batches(
    feed: Feed, deliveries: list[Delivery], read: Callable[[Delivery, Feed], bytes], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    more = {name for delivery in deliveries for name in further(delivery, feed)}
    for delivery in deliveries:
        content = read(delivery, feed)
        lineage = {"file_id": delivery.file_id, "batch_id": delivery.batch_id}
        try:
            for columns in _columns(content, delivery, feed, bool(more)):
                rows = len(columns["row_number"])
                given = {name: [value] * rows for name, value in lineage.items()} | columns
                arrays = [_array(given.get(field.name), field, rows) for field in schema]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        except (ValueError, RecursionError):
            if INFINITY in content:
                raise driver_parquet.refused(delivery, "an infinity") from None
            # No document after all: a delivery without rows is looked at again.


def _array(values: list[Any] | None, field: pa.Field, rows: int) -> pa.Array:
    if values is None:
        return pa.nulls(rows, field.type)
    try:
        return pa.array(values, field.type)
    except UnicodeEncodeError:
        return pa.array([_written(value) for value in values], field.type)


def _written(value: Any) -> Any:  # noqa: ANN401 - a value of bronze
    """A value whose texts can be written: half a character (a lone surrogate) is a question mark, as in Java."""
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, (list, tuple)):
        return type(value)(_written(each) for each in value)
    return value


def further(delivery: Delivery, feed: Feed) -> list[str]:
    """Columns of the delivery that the feed does not name, of formats whose deliveries say their columns."""
    if feed.format != "split_json":
        return []
    wanted = {feed.columns.interval_start, feed.columns.meter_id, feed.columns.consumption}
    return [name for name in delivery.columns if name not in wanted]


def _columns(
    content: bytes,
    delivery: Delivery,
    feed: Feed,
    any_further: bool,  # noqa: FBT001 - of one call
) -> Iterator[dict[str, list[Any]]]:
    if feed.format == "split_json":
        return _split_json(content, delivery, feed, any_further)
    read = driver_parquet.rows if feed.format == "interval_parquet" else READERS[feed.format].rows
    rows = read(content, delivery, feed)
    if feed.format == "obis_json":
        rows = _whole_records(rows, content)
    if feed.format == "green_button":
        rows = _without_elements(rows, delivery)
    return _by_column(rows)


def _without_elements(rows: Iterable[Row], delivery: Delivery) -> Iterator[Row]:
    """Readings; one with elements inside a value, which Spark keeps as XML, is refused."""
    for row in rows:
        if any(isinstance(value, str) and read_green_button.NESTED in value for value in row.values()):
            raise driver_parquet.refused(delivery, "an element inside a value")
        yield row


def _by_column(rows: Iterable[Row]) -> Iterator[dict[str, list[Any]]]:
    left = iter(rows)
    while some := list(islice(left, ROWS_AT_ONCE)):
        yield {name: [row[name] for row in some] for name in some[0]}


def _whole_records(rows: Iterable[Row], content: bytes) -> Iterator[Row]:
    """Records with what row_readers.py leaves out: the text of nested values, and of one that holds a key twice."""
    sources = Sources(content.decode("utf-8-sig"), "data")
    for row in rows:
        nested = any(text in NESTED for text in (row["timestamp"], *(text for _, text in row["obis"] or ())))
        if row["raw"] is None and not nested:
            yield row | {"obis": _as_spark_orders(row["obis"])}
            continue
        members = [(key, as_text(value)) for key, value in sources.of(row["row_number"])]
        if row["raw"] is None:
            known = dict(members)
            obis = [(key, known[key]) for key, _ in row["obis"]]
            yield row | {"timestamp": known.get("timestamp"), "obis": _as_spark_orders(obis)}
        else:
            raw = ",".join(f"{json_value(key)}:{json_value(text)}" for key, text in members)
            yield row | {"raw": f"{{{raw}}}"}


def _as_spark_orders(obis: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """The codes of a record: the usual ones in an order of their own, others as they come."""
    usual = [*DIRECTION_OF]
    return sorted(obis, key=lambda pair: usual.index(pair[0])) if all(code in usual for code, _ in obis) else obis


def _data(content: bytes) -> Iterator[list[Any] | None]:
    """The rows of a document; ValueError before the first one, if it is none or a row of it is none."""
    text = content.decode("utf-8-sig")
    if len(content) > WHOLE_BYTES:
        _must_be_rows(elements(text, "data"))
        return elements(text, "data")
    root = json.loads(text, parse_float=Number, parse_int=Number, object_pairs_hook=Pairs)
    data = dict(root.pairs).get("data") if isinstance(root, Pairs) else None
    if not isinstance(data, list):
        raise ValueError  # noqa: TRY004 - as the parser's own
    _must_be_rows(data)
    return iter(data)


def _must_be_rows(data: Iterable[Any]) -> None:
    if not all(cells is None or isinstance(cells, list) for cells in data):
        raise ValueError


def _split_json(
    content: bytes,
    delivery: Delivery,
    feed: Feed,
    any_further: bool,  # noqa: FBT001 - of one call
) -> Iterator[dict[str, list[Any]]]:
    names = (feed.columns.interval_start, feed.columns.meter_id, feed.columns.consumption)
    places = [delivery.columns.index(name) for name in names]
    more = [(delivery.columns.index(name), name) for name in further(delivery, feed)]
    left, first, width = _data(content), 1, len(delivery.columns)
    sources: Sources | None = None
    while some := list(islice(left, ROWS_AT_ONCE)):
        if _hold_nested(some):
            sources = sources or Sources(content.decode("utf-8-sig"), "data")
            some = [
                [value for _, value in sources.of(number)] if _hold_nested([cells]) else cells
                for number, cells in enumerate(some, start=first)
            ]
        whole = [cells is not None and len(cells) == width for cells in some]
        padded: list[Any] = some if all(whole) else [[*(cells or ()), *[None] * width] for cells in some]
        found: dict[str, list[Any]] = {
            name: _texts([cells[at] for cells in padded]) for name, at in zip(names, places, strict=True)
        }
        found["row_number"] = list(range(first, first + len(some)))
        if not all(whole):
            found["raw"] = [None if is_whole else _raw(cells) for cells, is_whole in zip(some, whole, strict=True)]
        if any_further:
            columns = [(name, _texts([cells[at] for cells in padded])) for at, name in more]
            found["extra"] = [
                [(name, texts[row]) for name, texts in columns] if is_whole else None
                for row, is_whole in enumerate(whole)
            ]
        yield found
        first += len(some)


def _hold_nested(rows: list[list[Any] | None]) -> bool:
    """Whether a cell is an array or an object; column by column where they can be, which is three times as fast."""
    known = [cells for cells in rows if cells is not None]
    if len({*map(len, known)}) > 1:
        return any(type(cell) in NESTING for cells in known for cell in cells)
    return any(not NESTING.isdisjoint(map(type, column)) for column in zip(*known, strict=True))


def _raw(cells: list[Any] | None) -> str:
    return "null" if cells is None else json_array(_texts(cells))


def _texts(values: list[Any]) -> list[str | None]:
    """Cells as text."""
    return values if {*map(type, values)} <= PLAIN else [as_text(value) for value in values]
