"""Every version of a meter's readings that was received, judged again from bronze in Python. No JVM.

The same as layers/reading_history.py says with Spark, for one meter: `versions` are those that passed, on some days;
`every_version` gives refused ones too, with why and with their text; `recounted` says how many rows pass.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import formats
from pipeline.deliveries.delivery import LOADED
from pipeline.errors import VersionsNeedSparkError
from pipeline.formats import trial
from pipeline.formats.judged import ALWAYS
from pipeline.formats.row_rules import BLANKS
from pipeline.lake import matching
from pipeline.lake.tables import INGESTION_LOG, READINGS
from pipeline.lake.types import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    import pyarrow.dataset as ds

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import Reading, Row, RowJudge
    from pipeline.lake.tables import Table

SCHEMA = arrow_schema(READINGS).append(pa.field("is_current", pa.bool_()))
KEY = ("interval_start", "direction")
ORDER = (*KEY, "file_id", "row_number")


def versions(feed: Feed, meter_id: str, first: date, last: date, dataset: Callable[[Table], ds.Dataset]) -> pa.Table:
    """Versions that passed, of one meter on the feed's local days from `first` to `last`: SCHEMA, by ORDER.

    `dataset` gives the rows of a table in path mode. Bronze's version must not be older than the log's, because rows
    are in bronze before the log counts them. Raises VersionsNeedSparkError for a format without a judge in Python.
    """
    judge = _judge(feed)
    deliveries = _deliveries(dataset(INGESTION_LOG), feed.name, first, last)
    if not deliveries.num_rows:
        return SCHEMA.empty_table()
    ids = {name: deliveries[name].combine_chunks().unique() for name in ("file_id", "batch_id")}
    columns = [*judge.columns(feed), "file_id", "row_number", "batch_id"]
    rows = _rows(dataset(formats.bronze_table(feed)), columns, _wanted(judge, feed, meter_id, ids))
    times = deliveries["received_at"].to_pylist()
    received = {n: at or ALWAYS for n, at in zip(deliveries["file_id"].to_pylist(), times, strict=True)}
    found = [
        (row["file_id"], row["batch_id"], reading)
        for row, reading in _judged(rows, judge, feed, received)
        if reading.reason_code is None and first <= reading.local_date <= last
    ]
    return _with_current(_table(found, feed, meter_id))


def every_version(
    feed: Feed, meter_id: str, deliveries: Sequence[Delivery], bronze: ds.Dataset
) -> Iterator[dict[str, Any]]:
    """What those deliveries of the feed say of the meter, refused ones too: a Reading's values, lineage and `raw`.

    `bronze` holds the feed's rows. Raises VersionsNeedSparkError for a format that judges no rows in Python.
    """
    judge = _judge(feed)
    ids = {name: pa.array({getattr(each, name) for each in deliveries}) for name in ("file_id", "batch_id")}
    rows = _rows(bronze, bronze.schema.names, _wanted(judge, feed, meter_id, ids))
    received = {each.file_id: each.received_at or ALWAYS for each in deliveries}
    for row, reading in _judged(rows, judge, feed, received):
        lineage = {"feed": feed.name, "meter_id": meter_id, "file_id": row["file_id"], "batch_id": row["batch_id"]}
        yield reading._asdict() | lineage | {"raw": judge.as_received(row, feed)}


def recounted(feed: Feed, delivery: Delivery, bronze: ds.Dataset) -> Delivery:
    """The delivery as loaded, with the row counts that the rules of today give; its local days stay as they were."""
    its = (pc.field("file_id") == delivery.file_id) & (pc.field("batch_id") == delivery.batch_id)
    rows = _rows(bronze, bronze.schema.names, its)
    return trial.of_rows(rows, delivery, feed, delivery.received_at or ALWAYS).delivery


def _deliveries(log: ds.Dataset, feed: str, first: date, last: date) -> pa.Table:
    """`file_id`, `batch_id`, `received_at` of deliveries that count and have a reading on one of the days."""
    counted = (pc.field("feed") == feed) & (pc.field("status") == LOADED)
    loaded = matching.table(log, ["file_id", "batch_id", "received_at", "local_dates"], counted)
    of_each = loaded["local_dates"].combine_chunks()
    days = pc.list_flatten(of_each)
    asked = pc.and_(pc.greater_equal(days, pa.scalar(first)), pc.less_equal(days, pa.scalar(last)))
    places = pc.unique(pc.list_parent_indices(of_each).filter(asked))
    return loaded.select(["file_id", "batch_id", "received_at"]).take(places)


def _judge(feed: Feed) -> RowJudge:
    judge = formats.format_of(feed).row_judge
    if judge is None:
        raise VersionsNeedSparkError(feed.name, feed.format)
    return judge


def _wanted(judge: RowJudge, feed: Feed, meter_id: str, ids: Mapping[str, pa.Array]) -> pc.Expression:
    """Bronze rows of the meter in the deliveries of those `file_id` and `batch_id`.

    All of them, not only those of some days: the meter's other rows decide which occurrence of a repeated local time a
    row is, and whether the file is newest first. Bronze has meter ids as received, with blanks around them.
    """
    meter = pc.field(judge.columns(feed)[0])
    wanted = (pc.utf8_trim(meter, BLANKS) if judge.trims_meter else meter) == pa.scalar(meter_id)
    # The batch too, as the jobs do: of a batch that died before its log, rows may lie there.
    for name, values in ids.items():
        wanted &= pc.field(name).isin(values)
    return wanted


def _rows(bronze: ds.Dataset, columns: Sequence[str], wanted: pc.Expression) -> list[Row]:
    """Rows as received, in the order of file_id and row_number."""
    found = matching.table(bronze, columns, wanted)
    in_order: list[Row] = found.sort_by([("file_id", "ascending"), ("row_number", "ascending")]).to_pylist()
    return in_order


def _judged(
    rows: list[Row], judge: RowJudge, feed: Feed, received: Mapping[int, datetime]
) -> Iterator[tuple[Row, Reading]]:
    """Each reading with its row; one delivery is of one batch."""
    for (file_id, _), group in groupby(rows, itemgetter("file_id", "batch_id")):
        of_file = list(group)
        by_number = {row["row_number"]: row for row in of_file}
        for reading in judge.judged(of_file, feed, received[file_id]):
            yield by_number[reading.row_number], reading


def _table(found: list[tuple[int, int, Reading]], feed: Feed, meter_id: str) -> pa.Table:
    """SCHEMA without `is_current`."""
    values = {"feed": feed.name, "meter_id": meter_id, "unit": feed.kept_unit}
    columns: dict[str, list[Any]] = {name: [value] * len(found) for name, value in values.items()}
    columns |= {"file_id": [each[0] for each in found], "batch_id": [each[1] for each in found]}
    own = [name for name in SCHEMA.names if name not in columns and name != "is_current"]
    columns |= {name: [getattr(reading, name) for _, _, reading in found] for name in own}
    return pa.table(
        {name: pa.array(columns[name], SCHEMA.field(name).type) for name in SCHEMA.names if name in columns}
    )


def _with_current(versions: pa.Table) -> pa.Table:
    """SCHEMA, by ORDER: the last version of each KEY, with the highest (file_id, row_number), is current."""
    ordered = versions.sort_by([(name, "ascending") for name in ORDER])
    keys = list(zip(*(ordered[name].to_pylist() for name in KEY), strict=True))
    is_last = [key != following for key, following in pairwise([*keys, None])]
    return ordered.append_column(SCHEMA.field("is_current"), pa.array(is_last, pa.bool_()))
