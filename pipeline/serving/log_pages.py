"""Pages of the log of deliveries, newest first, however long it is: only the files that a page shows are read."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
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


@dataclass(frozen=True)
class Part:
    """A data file of the log: how many deliveries of each feed and status it holds, and their file_ids' ends."""

    counts: Counter[tuple[str, str]]
    first: int
    last: int

    def number(self, status: str | None, feed: str | None) -> int:
        """How many of its deliveries have that status and are of that feed, where they are given."""
        return sum(n for (of, decided), n in self.counts.items() if feed in {None, of} and status in {None, decided})


@dataclass(frozen=True)
class Version:
    """The log at one version, with its files, the one with the newest delivery first."""

    rows: ds.Dataset
    parts: list[tuple[Part, ds.Fragment]]

    def of(self, fragments: list[ds.Fragment]) -> LogRows:
        """The rows of those files."""
        if not isinstance(self.rows, ds.FileSystemDataset):
            return LogRows(self.rows)
        return LogRows(ds.FileSystemDataset(fragments, self.rows.schema, self.rows.format, self.rows.filesystem))


class LogPages:
    """What is remembered of the log between requests: its versions, and what each data file holds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._versions: dict[str, Version] = {}
        self._known: dict[str, Part] = {}

    def count(self, pinned: Pinned, status: str | None, feed: str | None) -> int:
        """How many deliveries have that status and are of that feed, where they are given."""
        return sum(part.number(status, feed) for part, _ in self._version(pinned).parts)

    def newest(
        self, pinned: Pinned, status: str | None, feed: str | None, limit: int, before: int | None = None
    ) -> list[int]:
        """The `limit` highest file_ids of such deliveries, below `before`; the highest first.

        From the newest back, in steps as wide as those that are still missing are likely to need.
        """
        version = self._version(pinned)
        there = [(part, file, part.number(status, feed)) for part, file in version.parts]
        there = [each for each in there if each[2] and (before is None or each[0].first < before)]
        if not there:
            return []
        last = there[0][0].last if before is None else min(there[0][0].last, before - 1)
        # How far apart they lie; more than that where they turn out not to lie evenly.
        apart = max(1, sum(part.last - part.first + 1 for part, _, _ in there) // sum(number for _, _, number in there))
        wanted = log_rows.of(status, feed)
        found: list[int] = []
        while len(found) < limit and (near := [each for each in there if each[0].first <= last]):
            last, width = min(last, near[0][0].last), (limit - len(found)) * apart
            within = (pc.field("file_id") > last - width) & (pc.field("file_id") <= last)
            rows = version.of([file for part, file, _ in near if part.last > last - width])
            pieces = rows.pieces(["file_id"], within if wanted is None else within & wanted)
            found += sorted((number for piece in pieces for number in piece["file_id"].to_pylist()), reverse=True)
            last, apart = last - width, apart * 2
        return found[:limit]

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
        ids = self.newest(pinned, status, feed, limit + 1, None if after is None else after[0])
        found = self.table(pinned, [column.name for column in shape], ids[:limit])
        found = found.sort_by([("file_id", "descending")])
        more = [ids[limit - 1]] if len(ids) > limit else None
        return Rows(texts(found, shape, zone_of), more, self.count(pinned, status, feed))

    def table(self, pinned: Pinned, names: Sequence[str], file_ids: Sequence[int]) -> pa.Table:
        """Those columns of those deliveries."""
        version, wanted = self._version(pinned), sorted(file_ids)
        near = [
            file for part, file in version.parts if bisect_left(wanted, part.first) < bisect_right(wanted, part.last)
        ]
        return version.of(near).table_with(names, "file_id", file_ids)

    def _version(self, pinned: Pinned) -> Version:
        """The log as a request sees it. A data file never changes: of a new version only the new ones are counted."""
        name = pinned.identities.get(INGESTION_LOG.full_name, "")
        with self._lock:
            if name not in self._versions:
                rows = pinned.dataset(INGESTION_LOG)
                rows = rows if isinstance(rows, ds.Dataset) else ds.dataset(rows)
                parts = [(self._part(file), file) for file in rows.get_fragments()]
                parts.sort(key=lambda each: each[0].last, reverse=True)
                self._versions[name] = Version(rows, parts)
                for oldest in list(self._versions)[:-VERSIONS]:
                    del self._versions[oldest]
                kept = {_path(file) for version in self._versions.values() for _, file in version.parts}
                self._known = {path: part for path, part in self._known.items() if path in kept}
            return self._versions[name]

    def _part(self, file: ds.Fragment) -> Part:
        path = _path(file)
        if not path:  # not from a file
            return _counted(file)
        if path not in self._known:
            self._known[path] = _counted(file)
        return self._known[path]


def _path(file: ds.Fragment) -> str:
    return str(getattr(file, "path", ""))


def _counted(file: ds.Fragment) -> Part:
    """What a data file holds."""
    counts: Counter[tuple[str, str]] = Counter()
    ends: list[int] = []
    names = ["feed", "status", "file_id"]
    for batch in file.to_batches(schema=log_rows.SCHEMA, columns=names, batch_size=columns.PIECE, batch_readahead=2):
        piece = pa.Table.from_batches([batch])
        of = [([], "count_all"), ("file_id", "min"), ("file_id", "max")]
        for row in piece.group_by(["feed", "status"]).aggregate(of).to_pylist():
            counts[row["feed"], row["status"]] += row["count_all"]
            ends += [row["file_id_min"], row["file_id_max"]]
    return Part(counts, min(ends, default=0), max(ends, default=0))
