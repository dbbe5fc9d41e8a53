"""Every version of a meter's readings that was received, judged again from bronze in Python. No JVM.

The same as `main.py sql "SELECT * FROM reading_history …"` (layers/reading_history.py), for one meter and some days.
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
from pipeline.formats.judged import ALWAYS
from pipeline.formats.row_rules import BLANKS
from pipeline.lake.tables import INGESTION_LOG, READINGS
from pipeline.lake.types import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date, datetime

    import pyarrow.dataset as ds

    from pipeline.config.settings import Feed
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
    judge = formats.format_of(feed).row_judge
    if judge is None:
        raise VersionsNeedSparkError(feed.name, feed.format)
    deliveries = _deliveries(dataset(INGESTION_LOG), feed.name, first, last)
    if not deliveries.num_rows:
        return SCHEMA.empty_table()
    rows = _rows(dataset(formats.bronze_table(feed)), judge, feed, meter_id, deliveries)
    times = deliveries["received_at"].to_pylist()
    received = {n: at or ALWAYS for n, at in zip(deliveries["file_id"].to_pylist(), times, strict=True)}
    found = [
        (file_id, batch_id, reading)
        for file_id, batch_id, reading in _judged(rows, judge, feed, received)
        if first <= reading.local_date <= last
    ]
    return _with_current(_table(found, feed, meter_id))


def _deliveries(log: ds.Dataset, feed: str, first: date, last: date) -> pa.Table:
    """`file_id`, `batch_id`, `received_at` of deliveries that count and have a reading on one of the days."""
    counted = (pc.field("feed") == feed) & (pc.field("status") == LOADED)
    loaded = log.to_table(columns=["file_id", "batch_id", "received_at", "local_dates"], filter=counted)
    of_each = loaded["local_dates"].combine_chunks()
    days = pc.list_flatten(of_each)
    asked = pc.and_(pc.greater_equal(days, pa.scalar(first)), pc.less_equal(days, pa.scalar(last)))
    places = pc.unique(pc.list_parent_indices(of_each).filter(asked))
    return loaded.select(["file_id", "batch_id", "received_at"]).take(places)


def _rows(bronze: ds.Dataset, judge: RowJudge, feed: Feed, meter_id: str, deliveries: pa.Table) -> list[Row]:
    """The meter's rows of those deliveries as received, in the order of file_id and row_number.

    All of them, not only those of some days: the meter's other rows decide which occurrence of a repeated local time a
    row is, and whether the file is newest first. Bronze has meter ids as received, with blanks around them.
    """
    columns = judge.columns(feed)
    # The batch too, as in the jobs: a batch that was killed before it was logged may have left rows.
    meter = pc.field(columns[0])
    wanted = (pc.utf8_trim(meter, BLANKS) if judge.trims_meter else meter) == pa.scalar(meter_id)
    for name in ("file_id", "batch_id"):
        wanted &= pc.field(name).isin(deliveries[name].combine_chunks().unique())
    names = [*columns, "file_id", "row_number", "batch_id"]
    found = bronze.to_table(columns=names, filter=wanted)
    in_order: list[Row] = found.sort_by([("file_id", "ascending"), ("row_number", "ascending")]).to_pylist()
    return in_order


def _judged(
    rows: list[Row], judge: RowJudge, feed: Feed, received: Mapping[int, datetime]
) -> Iterator[tuple[int, int, Reading]]:
    """(file_id, batch_id, reading) of what passed; a delivery belongs to one batch."""
    for (file_id, batch_id), of_file in groupby(rows, itemgetter("file_id", "batch_id")):
        for reading in judge.readings(list(of_file), feed, received[file_id]):
            yield file_id, batch_id, reading


def _table(found: list[tuple[int, int, Reading]], feed: Feed, meter_id: str) -> pa.Table:
    """SCHEMA without `is_current`."""
    values = {"feed": feed.name, "meter_id": meter_id, "unit": feed.unit}
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
