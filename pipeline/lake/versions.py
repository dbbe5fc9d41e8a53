"""The differences between two versions of a table, from the partitions that changed; in path mode without a JVM."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import DeltaError

from pipeline.errors import VersionGoneError
from pipeline.lake import access, tables
from pipeline.runtime import error_messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# So many days are compared at once: a month of a million meters fits the driver.
DAYS_AT_ONCE = 31
Days = dict[str, list["date"]]


def changed_rows(
    context: Context, table: Table, measures: tuple[str, ...], before: int, after: int
) -> Iterator[dict[str, Any]]:
    """Rows of version `before` whose measures differ in `after`, or that `after` lacks.

    Each has the key, and `old_…` and `new_…` for each measure and for `file_id`; the table is divided by feed and day.
    """
    names = [*table.key, *(name for name in table.partition_by if name not in table.key)]
    values = [*measures, "file_id"]
    days = _changed_days(context, table, before, after)
    for feed, some in sorted(days.items()):
        for first in range(0, len(some), DAYS_AT_ONCE):
            few = {feed: some[first : first + DAYS_AT_ONCE]}
            old, new = (_rows(context, table, [*names, *values], few, version) for version in (before, after))
            both = _renamed(old, values, "old_").join(_renamed(new, values, "new_"), names, join_type="left outer")
            differs = pa.array([False] * both.num_rows)
            for measure in measures:
                was, now = both[f"old_{measure}"], both[f"new_{measure}"]
                differs = pc.or_(differs, pc.fill_null(pc.not_equal(was, now), pc.is_null(now)))
            yield from both.filter(differs).to_pylist()


def returned_rows(  # noqa: PLR0913 - a comparison has two sides
    context: Context, table: Table, measures: tuple[str, ...], before: int, after: int, *, gone: pa.Table
) -> Iterator[dict[str, Any]]:
    """Rows of version `after` that `before` does not have, of the keys in `gone`; in the form of `changed_rows`.

    `gone` has the key's columns and those of the partition: values that were published once and taken back.
    """
    feed_column, day_column = table.partition_by
    names = [*table.key, *(name for name in table.partition_by if name not in table.key)]
    values = [*measures, "file_id"]
    old_files, new_files = (_files(context, table, version) for version in (before, after))
    keys = gone.select(names).group_by(names).aggregate([])
    days: Days = {}
    for row in keys.select(table.partition_by).group_by(list(table.partition_by)).aggregate([]).to_pylist():
        partition = row[feed_column], row[day_column]
        if new_files.get(partition) and new_files[partition] != old_files.get(partition):
            days.setdefault(partition[0], []).append(partition[1])
    for feed, some in sorted(days.items()):
        for first in range(0, len(some), DAYS_AT_ONCE):
            few = {feed: sorted(some)[first : first + DAYS_AT_ONCE]}
            new, old = _rows(context, table, [*names, *values], few, after), _rows(context, table, names, few, before)
            back = _renamed(new, values, "new_").join(keys.cast(new.select(names).schema), names, join_type="left semi")
            for row in back.join(old.select(names), names, join_type="left anti").to_pylist():
                yield row | {f"old_{name}": None for name in values}


def rows_without(context: Context, table: Table, column: str) -> pa.Table:
    """The rows whose `column` is NULL, which are few; read without the others."""
    return access.lake_of(context).reads.rows_without(table, column)


def _renamed(rows: pa.Table, values: list[str], prefix: str) -> pa.Table:
    return rows.rename_columns([prefix + name if name in values else name for name in rows.column_names])


def _changed_days(context: Context, table: Table, before: int, after: int) -> Days:
    """Days of feeds with rows in `before` and with other files in `after`."""
    old, new = (_files(context, table, version) for version in (before, after))
    days: Days = {}
    for (feed, day), files in sorted(old.items()):
        if new.get((feed, day)) != files:
            days.setdefault(feed, []).append(day)
    return days


def _files(context: Context, table: Table, version: int) -> dict[tuple[str, date], set[tuple[Any, ...]]]:
    """The files of each feed and day in a version."""
    with _is_there(context, table, version):
        found = access.lake_of(context).reads.files_at(table, version)
    files: dict[tuple[str, date], set[tuple[Any, ...]]] = {}
    for row in found.to_pylist():
        name, local_day, *file = row.values()
        files.setdefault((name, local_day), set()).add(tuple(file))
    return files


def _rows(context: Context, table: Table, names: list[str], days: Days, version: int) -> pa.Table:
    with _is_there(context, table, version):
        return access.lake_of(context).reads.rows_at(table, version, names, days)


@contextmanager
def _is_there(context: Context, table: Table, version: int) -> Iterator[None]:
    """Old versions disappear: their log after a month, their files by VACUUM."""
    from pyspark.errors import PySparkException  # noqa: PLC0415 - costs half a second

    try:
        yield
    except (DeltaError, OSError, PySparkException) as problem:
        where = tables.address(context.settings, table)
        raise VersionGoneError(where, version, error_messages.one_line(problem)) from None
