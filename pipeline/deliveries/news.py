"""What in the landing folders is not as the log last had it: compared as columns, for the log may know millions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.deliveries import log_rows
from pipeline.deliveries.decisions import History
from pipeline.deliveries.local_files import moment
from pipeline.deliveries.log_rows import together
from pipeline.runtime import memory

if TYPE_CHECKING:
    from array import array
    from datetime import date

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.deliveries.landing import Listing
    from pipeline.deliveries.log_rows import LogRows

STATE = ("relative_path", "size_bytes", "modified_at")
KNOWN = ("file_id", *STATE, "reason_code")
INSTANT = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class News:
    """Files of a feed that must be looked at, in the order of their paths, and what the log says of their names."""

    found: list[Delivery]
    history: History


@dataclass
class _Asked:
    """What the log says of the names that were asked for so far."""

    names: set[str]
    rows: pa.Table


def since(feed: Feed, log: LogRows) -> date | None:
    """The first day whose folders are looked at; None: all are.

    It is counted from the feed's newest delivery: what came while no run took it is found, however long that was.
    """
    newest = [] if feed.keep_days is None else log.newest(log_rows.of(None, feed.name), 1)
    came = log.table_with(["received_at"], "file_id", newest)["received_at"].to_pylist()
    return came[0].date() - timedelta(days=feed.keep_days or 0) if came and came[0] else None


def of(log: LogRows, listing: Listing, *, by_name: bool) -> News:
    """Files that are new or changed, or that could not be read before; `by_name`: a name is loaded once.

    A file with the size and time of its last decision is as it was (History.is_unchanged). Nearly all are, and of these
    no object is made.
    """
    names = [path.rpartition("/")[2] for path in listing.paths] if by_name else listing.paths
    column = "file_name" if by_name else "relative_path"
    rows = _asked(log, listing.feed.name, names, column)
    places = _not_as_before(listing, rows)
    of_them = rows.filter(pc.is_in(rows[column], pa.array({names[place] for place in places}, pa.string())))
    history = History.of(log.deliveries_with("file_id", of_them["file_id"].to_pylist()))
    found = [listing.delivery(place) for place in places]
    return News([each for each in found if not history.is_unchanged(each, by_name=by_name)], history)


def decided(log: LogRows, listing: Listing, *, by_name: bool) -> list[Delivery]:
    """Entries of the log whose files lie in the folder as they were when their bytes were decided."""
    new = {each.relative_path for each in of(log, listing, by_name=by_name).found}
    column = "file_name" if by_name else "relative_path"
    names = [path.rpartition("/")[2] for path in listing.paths] if by_name else listing.paths
    rows = _asked(log, listing.feed.name, names, column)
    places = {path: place for place, path in enumerate(listing.paths)}
    found: dict[str, Delivery] = {}
    wanted = rows.filter(pc.is_in(rows["relative_path"], pa.array(places.keys() - new, pa.string())))
    for each in log.deliveries_with("file_id", wanted["file_id"].to_pylist()):
        seen = listing.entries.seen(places[each.relative_path])
        # Without a hash it could not be read, and is tried again.
        if each.sha256 and (each.size_bytes, moment(each.modified_at)) == (seen.size, seen.moment):
            found[each.relative_path] = each
    return list(found.values())


def with_names(log: LogRows, feed: str, names: set[str], *, by_name: bool) -> list[Delivery]:
    """The feed's deliveries of those names (paths, unless `by_name`), in the order of file_id."""
    found = log.pieces_with(["file_id"], "file_name" if by_name else "relative_path", names, pc.field("feed") == feed)
    return log.deliveries_with("file_id", (number for piece in found for number in piece["file_id"].to_pylist()))


def _asked(log: LogRows, feed: str, names: list[str], column: str) -> pa.Table:
    """The log's rows of the names, and of others; a watch looks again and again, and asks only for what is new."""
    columns = tuple(dict.fromkeys((column, *KNOWN)))
    asked = log.answers.setdefault(("names", feed), _Asked(set(), together(columns, ())))
    new = [name for name in names if name not in asked.names]
    if new:
        found = log.pieces_with(columns, column, new, pc.field("feed") == feed)
        asked.rows = pa.concat_tables([asked.rows, *found])
        asked.names.update(new)
    rows: pa.Table = asked.rows
    return rows


def _not_as_before(listing: Listing, rows: pa.Table) -> list[int]:
    """Places in the listing of files that are not certainly as they were: these must be looked at one by one."""
    newest_first = rows.sort_by([("file_id", "descending")]).combine_chunks()
    # The first row of a path is its last decision.
    last = newest_first.take(pc.index_in(pa.array(listing.paths, pa.string()), newest_first["relative_path"]))
    sizes, times = _numbers(listing.entries.sizes), _numbers(listing.entries.moments).cast(INSTANT)
    is_equal = pc.and_(pc.equal(last["size_bytes"], sizes), pc.equal(last["modified_at"], times))
    as_before = pc.fill_null(pc.and_(is_equal, pc.is_null(last["reason_code"])), fill_value=False)
    changed = pc.indices_nonzero(pc.invert(as_before)).to_pylist()
    too_large = pc.indices_nonzero(pc.greater(sizes, memory.largest_delivery())).to_pylist()
    return sorted({*changed, *too_large, *listing.entries.odd})


def _numbers(column: array[int]) -> pa.Array:
    """The column as Arrow sees it, not copied."""
    return pa.Array.from_buffers(pa.int64(), len(column), [None, pa.py_buffer(column)])
