"""The log at one version: columns as they are asked for, and objects only of the deliveries that are named."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.deliveries.delivery import LOADED, WITHDRAWN, Delivery
from pipeline.lake import columns, matching
from pipeline.lake.tables import INGESTION_LOG
from pipeline.lake.types import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    import pyarrow.dataset as ds

SCHEMA = arrow_schema(INGESTION_LOG)
# What a delivery is made of.
WHOLE = tuple(name for name in INGESTION_LOG.names if name != "run_id")
# What a delivery cannot be without; None where it was not asked for.
NEEDED = ("feed", "file_name", "file_path", "relative_path", "size_bytes", "modified_at")


class LogRows:
    """The rows of ops.ingestion_log at one version, which may be millions: nothing is read before it is asked for.

    A column that a lake of an earlier form does not have yet is empty.
    """

    def __init__(self, rows: ds.Dataset) -> None:
        self._rows = rows
        # What was found out about this version, by whoever asked.
        self.answers: dict[object, Any] = {}

    def pieces(self, names: Sequence[str], where: pc.Expression | None = None) -> Iterator[pa.Table]:
        """Those columns of the rows that `where` holds for, a piece at a time, in no order."""
        return map(_with(names), columns.pieces(self._rows, self._there(names), where))

    def in_order(self, names: Sequence[str]) -> Iterator[pa.Table]:
        """Those columns of all rows, a piece at a time, nearly in the order of file_id: file by file."""
        return map(_with(names), columns.pieces(columns.in_order(self._rows, "file_id"), self._there(names)))

    def pieces_with(
        self, names: Sequence[str], column: str, values: Iterable[Any], where: pc.Expression | None = None
    ) -> Iterator[pa.Table]:
        """The same of the rows whose `column` is one of the values."""
        return map(_with(names), columns.pieces_with(self._rows, self._there(names), column, values, where))

    def table(self, names: Sequence[str], where: pc.Expression | None = None) -> pa.Table:
        """Those columns of the rows that `where` holds for."""
        return together(names, self.pieces(names, where))

    def table_with(self, names: Sequence[str], column: str, values: Iterable[Any]) -> pa.Table:
        """Those columns of the rows whose `column` is one of the values."""
        return together(names, self.pieces_with(names, column, values))

    def deliveries(self, where: pc.Expression | None = None) -> list[Delivery]:
        """The deliveries that `where` holds for, in the order of file_id."""
        return objects(self.table(WHOLE, where))

    def deliveries_with(self, column: str, values: Iterable[Any], names: Sequence[str] = WHOLE) -> list[Delivery]:
        """The deliveries whose `column` is one of the values, in the order of file_id; only `names` are read."""
        return objects(self.table_with(names, column, values))

    def count(self, where: pc.Expression | None = None) -> int:
        """How many deliveries `where` holds for."""
        return matching.count(self._rows, where)

    def greatest(self, column: str) -> int:
        """The greatest number in the column; 0 where there is none."""
        question = ("greatest", column)
        if question not in self.answers:
            known = column in self._rows.schema.names
            self.answers[question] = (columns.greatest(self._rows, column) if known else None) or 0
        return int(self.answers[question])

    def distinct(self, column: str) -> set[Any]:
        """The values that stand in the column."""
        question = ("distinct", column)
        if question not in self.answers:
            self.answers[question] = columns.distinct(self._rows, column)
        found: set[Any] = self.answers[question]
        return found

    def newest_of_feeds(self, where: pc.Expression) -> dict[str, int]:
        """Feed -> file_id of one of its deliveries of the newest batch that has one that `where` holds for."""
        found: dict[str, tuple[int, int]] = {}
        left, last, width = self.distinct("feed"), self.greatest("batch_id"), 1
        # From the newest batch back, in ever larger steps, until every feed has one.
        while left and last > 0:
            within = (pc.field("batch_id") > last - width) & (pc.field("batch_id") <= last)
            wanted = within & pc.field("feed").isin(pa.array(sorted(left), pa.string())) & where
            for piece in self.pieces(["feed", "batch_id", "file_id"], wanted):
                for row in piece.group_by(["feed", "batch_id"]).aggregate([("file_id", "max")]).to_pylist():
                    newest = row["batch_id"], row["file_id_max"]
                    found[row["feed"]] = max(newest, found.get(row["feed"], newest))
            left, last, width = left - found.keys(), last - width, width * 8
        return {feed: number for feed, (_, number) in found.items()}

    def newest(self, where: pc.Expression | None, limit: int, before: int | None = None) -> list[int]:
        """The `limit` highest file_ids of deliveries that `where` holds for, below `before`; the highest first."""
        last = self.greatest("file_id") if before is None else before - 1
        found: list[int] = []
        width = limit
        # From the newest back, in ever larger steps: of a long log mostly the end is read.
        while last > 0 and len(found) < limit:
            within = (pc.field("file_id") > last - width) & (pc.field("file_id") <= last)
            pieces = self.pieces(["file_id"], within if where is None else within & where)
            found += sorted((number for piece in pieces for number in piece["file_id"].to_pylist()), reverse=True)
            last, width = last - width, width * 8
        return found[:limit]

    def paths(self, file_ids: Iterable[int]) -> dict[int, str]:
        """file_id -> path below the feed's folder, of those deliveries."""
        found = self.table_with(["file_id", "relative_path"], "file_id", file_ids)
        return dict(zip(found["file_id"].to_pylist(), found["relative_path"].to_pylist(), strict=True))

    def days(self) -> dict[str, set[date]]:
        """Feed -> the local days that its deliveries that count have readings on."""
        return days_in(self.pieces(["feed", "local_dates"], pc.field("status") == LOADED))

    def on_days(self, days: Mapping[str, Iterable[date]]) -> list[Delivery]:
        """Deliveries that count and have a reading on one of those local days of their feeds."""
        ids: list[int] = []
        for feed, some in days.items():
            wanted = pa.array(sorted(some), pa.date32())
            counts = (pc.field("feed") == feed) & (pc.field("status") == LOADED)
            for piece in self.pieces(["file_id", "local_dates"], counts) if len(wanted) else ():
                dates = piece["local_dates"].combine_chunks()
                hits = pc.is_in(pc.list_flatten(dates), wanted)
                places = pc.unique(pc.list_parent_indices(dates).filter(hits))
                ids += piece["file_id"].take(places).to_pylist()
        return self.deliveries_with("file_id", ids)

    def later_than(self, batch_id: int) -> pc.Expression:
        """Deliveries that came or were revised in later batches: what a table that is complete to the batch lacks."""
        came = pc.field("batch_id") > batch_id
        return came | (pc.field("revision") > batch_id) if "revision" in self._rows.schema.names else came

    def revised(self) -> pc.Expression:
        """Deliveries that are revised, as Delivery.is_revised says; row groups without any are not read."""
        was_taken_out = (pc.field("status") == WITHDRAWN) & pc.field("reason_code").is_null()
        if "revision" not in self._rows.schema.names:
            return was_taken_out
        return was_taken_out | (pc.field("revision") != pc.field("batch_id"))

    def _there(self, names: Sequence[str]) -> list[str]:
        """Names of columns that a lake of an earlier form has."""
        return [name for name in names if name in self._rows.schema.names]


def _with(names: Sequence[str]) -> Callable[[pa.Table], pa.Table]:
    """Gives a piece all of those columns, in the table's types."""
    schema = schema_of(names)

    def whole(piece: pa.Table) -> pa.Table:
        there = piece.column_names
        arrays = [piece[own.name] if own.name in there else pa.nulls(piece.num_rows, own.type) for own in schema]
        return pa.table(arrays, names=schema.names).cast(schema)

    return whole


def schema_of(names: Sequence[str]) -> pa.Schema:
    """Those columns of the log."""
    return pa.schema([SCHEMA.field(name) for name in names])


def together(names: Sequence[str], pieces: Iterable[pa.Table]) -> pa.Table:
    """The pieces as one table with those columns."""
    return pa.concat_tables([schema_of(names).empty_table(), *pieces])


def of(status: str | None, feed: str | None) -> pc.Expression | None:
    """Deliveries with that status and of that feed, where they are given."""
    wanted = [pc.field(name) == value for name, value in (("status", status), ("feed", feed)) if value is not None]
    return reduce(and_, wanted) if wanted else None


def numbered(file_ids: Iterable[int], where: pc.Expression | None = None) -> pc.Expression:
    """Those deliveries, of which `where` holds."""
    named = pc.field("file_id").isin(pa.array(file_ids, pa.int64()))
    return named if where is None else named & where


def revision_of(rows: pa.Table) -> pa.ChunkedArray:
    """The revision of each row; of rows that an earlier version wrote, their batch."""
    return pc.coalesce(rows["revision"], rows["batch_id"])


def has_days(rows: pa.Table) -> pa.ChunkedArray:
    """Of each row whether it has readings on some local day."""
    return pc.fill_null(pc.greater(pc.list_value_length(rows["local_dates"]), 0), fill_value=False)


def days_in(pieces: Iterable[pa.Table]) -> dict[str, set[date]]:
    """Feed -> its local days in the rows."""
    found: dict[str, set[date]] = {}
    for piece in pieces:
        for feed in pc.unique(piece["feed"]).to_pylist():
            dates = piece.filter(pc.equal(piece["feed"], feed))["local_dates"].combine_chunks()
            found.setdefault(feed, set()).update(pc.unique(pc.list_flatten(dates)).to_pylist())
    return found


def objects(rows: pa.Table) -> list[Delivery]:
    """Rows of the log as deliveries, in the order of file_id; what a row does not have is as if nothing were known."""
    return [_delivery(row) for row in rows.sort_by("file_id").to_pylist()]


def _delivery(row: dict[str, Any]) -> Delivery:
    later = {"revision": row.get("revision") or row.get("batch_id") or 0, "rows_erased": row.get("rows_erased") or 0}
    dates = {"local_dates": tuple(row.get("local_dates") or ())}
    return Delivery(**dict.fromkeys(NEEDED) | row | later | dates)
