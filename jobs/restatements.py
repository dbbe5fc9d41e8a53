"""ops.restatements: which values of gold changed after they were first published, and which delivery changed them.

The version of gold that was compared last is compared with the current one. So nothing is missed after a run that was
killed between gold and this step, and nothing is recorded twice.

A first value is not a restatement. A value that comes back after it was withdrawn is: the withdrawal left a row here
without a new value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from pipeline.deliveries import ingestion_log
from pipeline.deliveries.delivery import LOADED, REFERENCE, WITHDRAWN
from pipeline.errors import VersionGoneError
from pipeline.lake import access, tables, versions
from pipeline.layers.restated_key import key_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import pyarrow as pa

    from pipeline.deliveries.delivery import Delivery
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

MEASURES = {
    tables.HALF_HOUR: ("total_kwh",),
    tables.METER_DAY: ("consumption",),
    tables.PRODUCT_DAY: ("total_kwh",),
    tables.PRODUCT_HALF_HOUR: ("total_kwh", "avg_kwh"),
}


def run(context: Context, *, without_meter: str | None = None) -> dict[str, int]:
    """Compare gold with the version compared last; returns table -> number of restated values.

    After an erasure: nothing about that meter, and no delivery as the cause, because none caused it.
    """
    written = access.mark(context, tables.RESTATEMENTS)
    compared: dict[str, int] = written.get("compared", {})
    now = {table.full_name: access.version(context, table) or 0 for table in MEASURES}
    if now == compared or not any(now.values()):
        return {}
    done, last = int(written.get("batch_id", 0)), ingestion_log.last_batch(context)
    log = ingestion_log.rows(context)
    causes = _Causes(log.deliveries(log.later_than(done)), done, last)
    rows: list[dict[str, Any]] = []
    changed = {table: measures for table, measures in MEASURES.items() if _moved(table, compared, now)}
    gone = versions.rows_without(context, tables.RESTATEMENTS, "new_value") if changed else None
    for table, measures in changed.items():
        before, after = compared.get(table.full_name, 0), now[table.full_name]
        try:
            for pair in versions.changed_rows(context, table, measures, before, after):
                rows += _restated(context, table, measures, pair, causes)
            if gone and (keys := _keys_of(table, gone)).num_rows:
                for pair in versions.returned_rows(context, table, measures, before, after, gone=keys):
                    rows += _restated(context, table, measures, pair, causes)
        except VersionGoneError as problem:
            context.log.warning("not compared", table=table.full_name, reason=str(problem))
    if without_meter is not None:
        rows = [row | {"file_id": None} for row in rows if row["meter_id"] != without_meter]
    mark = {"batch_id": last, "compared": now}
    access.write_rows(context, tables.RESTATEMENTS, rows, mark)
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["table_name"]] = counts.get(row["table_name"], 0) + 1
    if counts:
        context.log.info("restated", **counts)
    return counts


def accept(context: Context) -> None:
    """After maintenance gold has the same rows in other files: the next comparison starts from here."""
    written = access.mark(context, tables.RESTATEMENTS)
    now = {table.full_name: access.version(context, table) or 0 for table in MEASURES}
    if "compared" in written and written["compared"] != now:
        access.write_rows(context, tables.RESTATEMENTS, [], {"batch_id": written["batch_id"], "compared": now})


def _moved(table: Table, compared: dict[str, int], now: dict[str, int]) -> bool:
    return compared.get(table.full_name, 0) != now[table.full_name]


def _keys_of(table: Table, gone: pa.Table) -> pa.Table:
    """Keys of the table whose values were removed at some time, as the columns of its key."""
    of_table = gone.filter(pc.equal(gone["table_name"], table.full_name))
    day = table.partition_by[1]
    named = {name: "local_date" if name == day else name for name in (*table.key, *table.partition_by)}
    return of_table.select(list(named.values())).rename_columns(list(named))


def _restated(
    context: Context, table: Table, measures: tuple[str, ...], pair: dict[str, Any], causes: _Causes
) -> Iterator[dict[str, Any]]:
    """A row of ops.restatements for each changed measure of a changed or returned row."""
    day = pair[table.partition_by[1]]
    fixed = {
        "table_name": table.full_name,
        "key": key_text(table.key, pair),
        "feed": pair["feed"],
        "direction": pair["direction"],
        "local_date": day,
        **{name: pair.get(name) for name in ("meter_id", "interval_start", "product_display_name")},
        "batch_id": causes.batch_id,
        "file_id": causes.of(table, pair["feed"], day, pair["new_file_id"], pair["old_file_id"]),
        "restated_at": context.now,
        "run_id": context.run_id,
    }
    for measure in measures:
        old, new = pair[f"old_{measure}"], pair[f"new_{measure}"]
        if old != new:
            yield fixed | {"measure": measure, "old_value": old, "new_value": new}


class _Causes:
    """Which delivery changed a cell: one that was loaded, withdrawn or replayed since the last comparison."""

    def __init__(self, known: list[Delivery], done: int, last: int) -> None:
        self.batch_id = last
        later = [each for each in known if each.revision > done and each.status in {LOADED, WITHDRAWN}]
        self._later = {each.file_id for each in later}
        self._snapshot = max((each.file_id for each in later if each.feed == REFERENCE), default=None)
        self._by_day = {(each.feed, day): each.file_id for each in later for day in each.local_dates}

    def of(self, table: Table, feed: str, day: date, new: int | None, old: int | None) -> int | None:
        """The cell's newest delivery, else its newest one before, else the agreements', else the day's newest."""
        for file_id in (new, old):
            if file_id in self._later:
                return file_id
        if table in tables.PRODUCT_GOLD and self._snapshot is not None:
            return self._snapshot
        return self._by_day.get((feed, day))
