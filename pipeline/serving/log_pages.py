"""Pages of the log of deliveries, newest first, however long it is: only the part that a page shows is read."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow.dataset as ds

from pipeline.deliveries import log_rows
from pipeline.deliveries.log_rows import LogRows
from pipeline.lake import columns
from pipeline.lake.tables import INGESTION_LOG
from pipeline.serving.answers import Rows
from pipeline.serving.problems import ProblemError
from pipeline.serving.shapes import texts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from pipeline.lake.snapshots import Pinned
    from pipeline.lake.tables import Column

# Versions of the log that are kept open: the newest, and those that someone is turning the pages of.
VERSIONS = 8
Counts = Counter[tuple[str, str]]


class LogPages:
    """What is remembered of the log between requests: its versions, and how many deliveries each data file holds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: dict[str, LogRows] = {}
        self._counts: dict[str, Counts] = {}

    def rows(self, pinned: Pinned) -> LogRows:
        """The log as a request sees it."""
        name = pinned.identities.get(INGESTION_LOG.full_name, "")
        with self._lock:
            if name not in self._versions:
                self._versions[name] = LogRows(_dataset(pinned))
                for oldest in list(self._versions)[:-VERSIONS]:
                    del self._versions[oldest]
            return self._versions[name]

    def count(self, pinned: Pinned, status: str | None, feed: str | None) -> int:
        """How many deliveries have that status and are of that feed, where they are given.

        A data file never changes: of a new version only the new ones are counted.
        """
        parts = list(_dataset(pinned).get_fragments())
        with self._lock:
            there = {getattr(part, "path", ""): part for part in parts}
            if "" in there:  # not from files
                return self.rows_counted(parts, status, feed)
            for path in there.keys() - self._counts.keys():
                self._counts[path] = _counted(there[path])
            if len(self._counts) > 2 * len(there):
                self._counts = {path: self._counts[path] for path in there}
            found = [self._counts[path] for path in there]
        return sum(_number(counts, status, feed) for counts in found)

    @staticmethod
    def rows_counted(parts: list[ds.Fragment], status: str | None, feed: str | None) -> int:
        """The same, counted now."""
        return sum(_number(_counted(part), status, feed) for part in parts)

    def page(  # noqa: PLR0913 - what a page is made of
        self,
        pinned: Pinned,
        shape: Sequence[Column],
        *,
        status: str | None,
        feed: str | None,
        after: Sequence[Any] | None,
        limit: int,
        zone_of: Callable[[str | None], tzinfo],
    ) -> Rows:
        """The next `limit` deliveries below the file_id of `after`."""
        if after is not None and (len(after) != 1 or not isinstance(after[0], int)):
            raise ProblemError(400, "cursor: not valid; use the address in `next` as it is", "cursor")
        log = self.rows(pinned)
        ids = log.newest(log_rows.of(status, feed), limit + 1, None if after is None else after[0])
        names = [column.name for column in shape]
        found = log.table_with(names, "file_id", ids[:limit]).sort_by([("file_id", "descending")])
        more = [ids[limit - 1]] if len(ids) > limit else None
        return Rows(texts(found, shape, zone_of), more, self.count(pinned, status, feed))


def _dataset(pinned: Pinned) -> ds.Dataset:
    rows = pinned.dataset(INGESTION_LOG)
    return rows if isinstance(rows, ds.Dataset) else ds.dataset(rows)


def _counted(part: ds.Fragment) -> Counts:
    """Deliveries of a data file by feed and status."""
    found: Counts = Counter()
    for piece in columns.pieces(part, ["feed", "status"]):
        for row in piece.group_by(["feed", "status"]).aggregate([([], "count_all")]).to_pylist():
            found[row["feed"], row["status"]] += row["count_all"]
    return found


def _number(counts: Counts, status: str | None, feed: str | None) -> int:
    return sum(number for (of, decided), number in counts.items() if feed in {None, of} and status in {None, decided})
