"""The ingestion log: every delivery that was ever decided, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.deliveries.delivery import Delivery
from pipeline.lake import access
from pipeline.lake.tables import INGESTION_LOG

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.runtime.context import Context

ASKED = "acknowledge"


def logged(context: Context) -> list[Delivery]:
    """Every delivery of the log, in the order of file_id."""
    question = ("logged", access.version(context, INGESTION_LOG))
    if question not in context.answers:
        names = [name for name in INGESTION_LOG.names if name != "run_id"]
        found = [_delivery(row) for row in access.small_rows(context, INGESTION_LOG, names)]
        context.answers[question] = sorted(found, key=lambda delivery: delivery.file_id)
    return list(context.answers[question])


def _delivery(row: dict[str, Any]) -> Delivery:
    later = {"revision": row["revision"] or row["batch_id"], "rows_erased": row["rows_erased"] or 0}
    return Delivery(**row | later | {"local_dates": tuple(row["local_dates"] or ())})


def next_batch(known: Iterable[Delivery]) -> int:
    """The next batch number after all that the log knows."""
    return max((max(each.batch_id, each.revision) for each in known), default=0) + 1


def write(context: Context, deliveries: list[Delivery], batch_id: int) -> None:
    """Log the batch, in one commit: from then on its rows in bronze count."""
    stamp = {"received_at": context.now, "run_id": context.run_id}
    rows = [
        {name: getattr(delivery, name) for name in INGESTION_LOG.names if name not in stamp}
        | {"local_dates": list(delivery.local_dates)}
        | stamp
        for delivery in deliveries
    ]
    if rows:
        access.write_rows(context, INGESTION_LOG, rows, {"batch_id": batch_id} | asked(context, batch_id))


def asked(context: Context, batch_id: int) -> dict[str, dict[str, int]]:
    """For the log's mark: feed -> the first batch that was decided while the feed asked for responses.

    So a batch and the promise to answer it are one commit, and a feed that starts asking gets none for older batches.
    """
    before = access.mark(context, INGESTION_LOG).get(ASKED, {})
    asking = [feed.name for feed in context.settings.feeds if feed.acknowledge]
    return {ASKED: {name: before.get(name, batch_id) for name in asking}}


def revise(context: Context, deliveries: list[Delivery], batch_id: int) -> None:
    """Replace these deliveries in the log, by file_id; the time they were received stays."""
    _replace(context, deliveries, {"batch_id": batch_id} | asked(context, batch_id), {"run_id": context.run_id})


def note(context: Context, deliveries: list[Delivery]) -> None:
    """Note changes of deliveries that do not affect what counts: the log stays complete to the same batch."""
    if deliveries:
        _replace(context, deliveries, access.mark(context, INGESTION_LOG), {})


def _replace(context: Context, deliveries: list[Delivery], mark: dict[str, Any], stamp: dict[str, Any]) -> None:
    """Replace the deliveries' rows, in one commit; the rows between them are written again unchanged."""
    revised = {delivery.file_id: delivery for delivery in deliveries}
    first, last = min(revised), max(revised)
    rows = []
    for row in access.small_rows(context, INGESTION_LOG, INGESTION_LOG.names):
        delivery = revised.get(row["file_id"])
        if delivery is not None:
            facts = {name: getattr(delivery, name) for name in row if name not in {"received_at", "run_id"}}
            rows.append(row | facts | {"local_dates": list(delivery.local_dates)} | stamp)
        elif first < row["file_id"] < last:
            rows.append(row)
    access.write_rows(context, INGESTION_LOG, rows, mark, replace=f"file_id >= {first} AND file_id <= {last}")
