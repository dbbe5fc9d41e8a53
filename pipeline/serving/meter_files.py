"""Data files of silver.readings, each read once and kept in memory, sorted by meter.

A day's file holds all meters in any order, so finding one meter means reading the whole file. Files never change: what
was read stays valid until a commit removes the file from the table. A reading takes some 35 bytes; the least recently
used files are dropped.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline.lake import matching, tables
from pipeline.lake.types import arrow_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray

COLUMNS = ["meter_id", "direction", "interval_start", "interval_minutes", "consumption", "unit", "quality"]
COLUMNS += ["file_id", "row_number"]
SCHEMA = pa.schema([arrow_schema(tables.READINGS).field(name) for name in COLUMNS])
# Bytes of a reading in memory, to know whether a file fits before it is read.
ROW_BYTES = 40


class Part(NamedTuple):
    """A meter's current readings in one file, column by column, sorted by direction and start.

    `starts` in microseconds since 1970 (UTC), `micros` in millionths of the unit.
    """

    feed: str
    local_date: date
    starts: list[int]
    directions: list[str]
    minutes: list[int]
    micros: list[int]
    units: list[str]
    qualities: list[str | None]
    file_ids: list[int]
    row_numbers: list[int]

    def where(self, chosen: list[int]) -> Part:
        """Only the readings at those positions."""
        columns: list[Any] = [[column[n] for n in chosen] for column in self[2:]]
        return Part(self.feed, self.local_date, *columns)


@dataclass(frozen=True)
class MeterFile:
    """One data file: the rows of a meter are together, sorted by direction and start."""

    feed: str
    local_date: date
    where: dict[str, tuple[int, int]]
    numbers: dict[str, NDArray[np.int64]]
    words: dict[str, tuple[NDArray[np.unsignedinteger[Any]], list[str | None]]]

    @property
    def size(self) -> int:
        """Bytes in memory, approximately."""
        arrays = [*self.numbers.values(), *(codes for codes, _ in self.words.values())]
        return sum(array.nbytes for array in arrays) + 150 * len(self.where)

    def part(self, meter: str) -> Part | None:
        """The meter's readings in this file; None if it has none."""
        first, last = self.where.get(meter, (0, 0))
        if first == last:
            return None
        part = slice(first, last)
        number = {name: values[part].tolist() for name, values in self.numbers.items()}
        word: dict[str, list[Any]] = {}
        for name, (codes, names) in self.words.items():
            word[name] = [names[code] for code in codes[part].tolist()]
        return Part(
            self.feed,
            self.local_date,
            number["interval_start"],
            word["direction"],
            number["interval_minutes"],
            number["consumption"],
            word["unit"],
            word["quality"],
            number["file_id"],
            number["row_number"],
        )


def in_memory(rows: pa.Table, feed: str, local_date: date) -> MeterFile:
    """Rows of silver.readings of one feed and day, sorted by meter."""
    rows = rows.cast(SCHEMA).combine_chunks()
    meters = _codes(rows["meter_id"])
    starts = np.asarray(rows["interval_start"].cast(pa.int64()))
    direction = _codes(rows["direction"])
    order = np.lexsort((starts, direction[0], meters[0]))
    ordered = meters[0][order]
    cuts = np.flatnonzero(np.diff(ordered)) + 1
    firsts, lasts = [0, *cuts.tolist()], [*cuts.tolist(), len(ordered)]
    where = {
        sys.intern(meters[1][ordered[first]] or ""): (first, last)
        for first, last in zip(firsts, lasts, strict=True)
        if last > first
    }
    numbers = {
        "interval_start": starts[order],
        "interval_minutes": np.asarray(rows["interval_minutes"]).astype(np.int16)[order],
        "consumption": _unscaled(rows["consumption"])[order],
        "file_id": np.asarray(rows["file_id"])[order],
        "row_number": np.asarray(rows["row_number"])[order],
    }
    words = {
        name: (codes[order].astype(np.min_scalar_type(len(names))), names)
        for name, (codes, names) in {
            "direction": direction,
            "unit": _codes(rows["unit"]),
            "quality": _codes(rows["quality"]),
        }.items()
    }
    return MeterFile(feed, local_date, where, numbers, words)


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int32], list[str | None]]:
    """Text as positions in the sorted list of distinct values; NULL comes last."""
    encoded = pc.dictionary_encode(column, null_encoding="encode").combine_chunks()
    values = encoded.dictionary
    order = pc.sort_indices(values)
    rank = np.empty(len(values), np.int32)
    rank[np.asarray(order)] = np.arange(len(values), dtype=np.int32)
    return rank[np.asarray(encoded.indices)], values.take(order).to_pylist()


def _unscaled(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """DECIMAL(18,6) in millionths: the lower half of its 16 bytes, because 18 digits fit into 8."""
    whole = column.combine_chunks()
    halves = np.frombuffer(whole.buffers()[1], np.int64).reshape(-1, 2)
    return halves[whole.offset : whole.offset + len(whole), 0]


def _read(fragment: ds.Fragment, where: pc.Expression | None = None) -> pa.Table:
    # With the table's schema: a file's own depends on its writer (Spark's instants are nanoseconds, text types differ).
    return matching.table(matching.of_file(fragment, arrow_schema(tables.READINGS)), COLUMNS, where)


class MeterFiles:
    """The files of silver.readings, in memory up to `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, MeterFile] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._reading: dict[str, threading.Lock] = {}

    def parts(self, fragments: Iterable[ds.Fragment], meter: str, *, keep: bool) -> list[Part]:
        """The meter's readings in those files; `keep` them in memory if they belong to the newest version."""
        found = (self._file(fragment, meter, keep=keep).part(meter) for fragment in fragments)
        return [part for part in found if part is not None]

    def warm(self, fragments: Sequence[ds.Fragment], stop: threading.Event) -> None:
        """Read those files now, until memory is full or `stop` is set; others make room where they must."""
        for fragment in fragments:
            if not self._fits(fragment):
                self.keep_only(fragments)
            if stop.is_set() or not self._fits(fragment):
                return
            self._file(fragment, "", keep=True)

    def _fits(self, fragment: ds.Fragment) -> bool:
        return fragment.path in self._kept or self._size + fragment.count_rows() * ROW_BYTES <= self._limit

    def keep_only(self, fragments: Iterable[ds.Fragment]) -> None:
        """Drop all other files."""
        paths = {fragment.path for fragment in fragments}
        with self._lock:
            for path in [path for path in self._kept if path not in paths]:
                self._size -= self._kept.pop(path).size

    def _file(self, fragment: ds.Fragment, meter: str, *, keep: bool) -> MeterFile:
        path = fragment.path
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
            one_reads = self._reading.setdefault(path, threading.Lock())
        partition = ds.get_partition_keys(fragment.partition_expression)
        feed, day = partition["feed"], partition["local_date"]
        if not keep or fragment.count_rows() * ROW_BYTES > self._limit // 4:
            return in_memory(_read(fragment, pc.field("meter_id") == meter), feed, day)
        with one_reads:
            with self._lock:
                if path in self._kept:
                    return self._kept[path]
            read = in_memory(_read(fragment), feed, day)
            with self._lock:
                self._kept[path] = read
                self._size += read.size
                while self._size > self._limit and len(self._kept) > 1:
                    self._size -= self._kept.popitem(last=False)[1].size
                self._reading.pop(path, None)
            return read
