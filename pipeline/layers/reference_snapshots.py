"""The reference database as a delivery: read if it may be new, kept in bronze as received."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.deliveries.delivery import DUPLICATE, LOADED, REFERENCE, REJECTED, Delivery
from pipeline.errors import ReferenceDatabaseError
from pipeline.formats import reference_database, reference_rows
from pipeline.formats.reference_snapshot import Snapshot
from pipeline.formats.reference_sqlite import SqliteFile
from pipeline.lake import access, tables
from pipeline.lake.rows import frame_of
from pipeline.lake.types import arrow_schema

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import DataFrame

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context


Found = tuple[Delivery, Snapshot | None]


def check(context: Context) -> None:
    """ConfigurationError if the variable for the database's password holds nothing."""
    if context.settings.reference is not None:
        context.settings.reference.password()


def must_be_read(context: Context, known: list[Delivery]) -> bool:
    """Whether a run reads it: a file that changed; a server or a catalog always, since only the rows tell."""
    source = reference_database.source_of(context.settings)
    return source is not None and (not isinstance(source, SqliteFile) or bool(newer(context, known)))


def newer(context: Context, known: list[Delivery]) -> list[tuple[int, datetime]]:
    """[(size, time)] of a database file that changed since it was last read; `read` reports a missing one."""
    source = reference_database.source_of(context.settings)
    try:
        now = source.stat() if source else None
    except ReferenceDatabaseError:
        return []
    if now is None:
        return []
    read = _last(known, LOADED, DUPLICATE)  # with the time noted when it was last read
    return [] if read is not None and (read.size_bytes, read.modified_at) == now else [now]


def _last(known: list[Delivery], *statuses: str) -> Delivery | None:
    """The database's newest entry in the log, with one of these statuses if any are given."""
    fit = [each for each in known if each.feed == REFERENCE and (not statuses or each.status in statuses)]
    return fit[-1] if fit else None


def read(
    context: Context, known: list[Delivery], touched: list[Delivery]
) -> tuple[Found | None, ReferenceDatabaseError | None]:
    """The database as a delivery if something changed (new content, a new fault, the end of one), and what is wrong.

    If only its time changed, the log entry to update is added to `touched`.
    """
    source = reference_database.source_of(context.settings)
    if source is None:
        return None, None
    delivery = Delivery(REFERENCE, source.name, source.address, source.name, None, None)
    newest, loaded = _last(known), _last(known, LOADED)
    refused = newest is not None and newest.status == REJECTED
    try:
        if now := source.stat():
            if not refused and not newer(context, known):
                return None, None
            delivery = replace(delivery, size_bytes=now[0], modified_at=now[1])
        context.log.doing("Reading the reference database")
        snapshot = source.read(context.spark)
    except ReferenceDatabaseError as problem:
        fault = delivery.refused("UNREADABLE", str(problem))
        said = newest is not None and (newest.reason, newest.modified_at) == (fault.reason, fault.modified_at)
        return (None if said else (fault, None)), problem
    if loaded is not None and loaded.sha256 == snapshot.sha256:
        if refused:  # the fault is over
            reason = f"same content as file {loaded.file_id}, the last one loaded"
            return (replace(delivery, sha256=snapshot.sha256, status=DUPLICATE, reason=reason), None), None
        last = _last(known, LOADED, DUPLICATE)
        if now and last:
            touched.append(replace(last, size_bytes=now[0], modified_at=now[1]))
        return None, None
    return (replace(delivery, sha256=snapshot.sha256, status=LOADED), snapshot), None


def judged(context: Context, table: Table, rows: pa.Table) -> DataFrame:
    """A snapshot's bronze rows of one of the tables, typed, each with the reason for its refusal or NULL."""
    return reference_rows.judged(
        table.name,
        frame_of(context, rows),
        context.settings.reference_zone,
        may_repeat=reference_rows.repeats(table.name, rows),
    )


def load(context: Context, delivery: Delivery, snapshot: Snapshot | None) -> list[Delivery]:
    """Load the snapshot's rows into bronze, as received."""
    if snapshot is None:
        return [delivery]
    context.log.doing(f"Loading {snapshot.count:,} rows of the reference database into bronze")
    lineage = {"file_id": delivery.file_id, "batch_id": delivery.batch_id}
    rejected = 0
    for table in tables.SNAPSHOTS:
        rows = pa.Table.from_pylist([row | lineage for row in snapshot.rows[table.name]], arrow_schema(table))
        access.write_rows(context, table, rows, {"batch_id": delivery.batch_id})
        rejected += judged(context, table, rows).where("reason_code IS NOT NULL").toArrow().num_rows
    context.log.info("snapshot", file=delivery.file_name, rows=snapshot.count, rejected=rejected)
    accepted = snapshot.count - rejected
    return [replace(delivery, rows_read=snapshot.count, rows_rejected=rejected, rows_accepted=accepted)]
