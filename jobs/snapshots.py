"""The reference database as a delivery: read when it may be new, kept in bronze as received."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline import lake, reference, tables
from pipeline.errors import ReferenceDatabaseError
from pipeline.ingestion_log import LOADED, REFERENCE, Delivery

if TYPE_CHECKING:
    from pipeline.context import Context

Found = tuple[Delivery, reference.Snapshot | None]


def may_be_new(context: Context, known: list[Delivery]) -> bool:
    """Whether the database's size or time differs from the last snapshot's; a missing one is looked at later."""
    settings = context.settings.reference
    if settings is None:
        return False
    try:
        now = reference.stat(settings.url)
    except ReferenceDatabaseError:
        return False
    last = _last(known)
    return last is None or (last.size_bytes, last.modified_at) != now


def _last(known: list[Delivery]) -> Delivery | None:
    loaded = [delivery for delivery in known if delivery.feed == REFERENCE and delivery.status == LOADED]
    return loaded[-1] if loaded else None


def read(context: Context, known: list[Delivery]) -> tuple[Found | None, ReferenceDatabaseError | None]:
    """The database as a delivery, where it has something to say: new content, or a new fault; and what is wrong."""
    settings = context.settings.reference
    if settings is None:
        return None, None
    path = reference.path_of(settings.url)
    delivery = Delivery(REFERENCE, path.name, str(path), path.name, None, None)
    last = _last(known)
    try:
        if not may_be_new(context, known) and reference.stat(settings.url):
            return None, None
        size, modified = reference.stat(settings.url)
        delivery = replace(delivery, size_bytes=size, modified_at=modified)
        snapshot = reference.read(context.spark, settings.url)
    except ReferenceDatabaseError as problem:
        refused = delivery.refused("UNREADABLE", str(problem))
        newest = next((each for each in reversed(known) if each.feed == REFERENCE), None)
        said = newest is not None and (newest.reason, newest.modified_at) == (refused.reason, refused.modified_at)
        return (None if said else (refused, None)), problem
    if last is not None and last.sha256 == snapshot.sha256:
        return None, None
    return (replace(delivery, sha256=snapshot.sha256, status=LOADED), snapshot), None


def load(context: Context, delivery: Delivery, snapshot: reference.Snapshot | None) -> list[Delivery]:
    """The snapshot's rows into bronze, as received."""
    if snapshot is None:
        return [delivery]
    lineage = {"file_id": delivery.file_id, "batch_id": delivery.batch_id}
    rejected = 0
    for table in tables.SNAPSHOTS:
        rows = pa.Table.from_pylist([row | lineage for row in snapshot.rows[table.name]], lake.arrow_schema(table))
        lake.write_rows(context, table, rows, {"batch_id": delivery.batch_id})
        judged = reference.JUDGES[table.name](context.spark.createDataFrame(rows))
        rejected += judged.where("reason_code IS NOT NULL").toArrow().num_rows
    context.log.info("snapshot", file=delivery.file_name, rows=snapshot.count, rejected=rejected)
    accepted = snapshot.count - rejected
    return [replace(delivery, rows_read=snapshot.count, rows_rejected=rejected, rows_accepted=accepted)]
