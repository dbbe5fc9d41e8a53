"""The ingestion log: every delivery that was ever decided, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from pipeline.deliveries.log_rows import SCHEMA, LogRows
from pipeline.lake import access
from pipeline.lake.tables import INGESTION_LOG

if TYPE_CHECKING:
    from pipeline.deliveries.delivery import Delivery
    from pipeline.runtime.context import Context

ASKED = "acknowledge"
# Digits that surely fit a BIGINT.
LONGEST_NUMBER = 18
# So many rows are named one by one when they are replaced; more are replaced together with those between them.
FEW_TO_REPLACE = 1000


def rows(context: Context) -> LogRows:
    """The log as it is now; opened once for each version."""
    question = ("logged", access.version(context, INGESTION_LOG))
    if question not in context.answers:
        context.answers[question] = LogRows(_dataset(context))
    found: LogRows = context.answers[question]
    return found


def _dataset(context: Context) -> ds.Dataset:
    """Its rows where they lie; in memory where only Spark may read them, and none where there is no log."""
    if access.version(context, INGESTION_LOG) is None:
        return ds.dataset(SCHEMA.empty_table())
    found = access.dataset(context, INGESTION_LOG)
    return ds.dataset(access.small_table(context, INGESTION_LOG)) if found is None else found[0]


def logged(context: Context) -> list[Delivery]:
    """Every delivery of the log, in the order of file_id: for what rebuilds or proves the whole lake."""
    return rows(context).deliveries()


def that_may_be(context: Context, name: str) -> list[Delivery]:
    """The deliveries that a name given by a person may mean (names.delivery_named), in the order of file_id."""
    log, texts = rows(context), {name, name.partition("/")[2]}
    number = name.removeprefix("#")
    ids = {int(number)} if name.startswith("#") and number.isdecimal() and len(number) <= LONGEST_NUMBER else set()
    for column in ("relative_path", "file_name"):
        for piece in log.pieces_with(["file_id"], column, texts):
            ids.update(piece["file_id"].to_pylist())
    return log.deliveries_with("file_id", ids)


def last_batch(context: Context) -> int:
    """The highest batch number that the log names; 0 for none."""
    return max(rows(context).greatest(name) for name in ("batch_id", "revision"))


def write(context: Context, deliveries: list[Delivery], batch_id: int) -> None:
    """Log the batch, in one commit: from then on its rows in bronze count."""
    stamp = {"received_at": context.now, "run_id": context.run_id}
    values = [
        {name: getattr(delivery, name) for name in INGESTION_LOG.names if name not in stamp}
        | {"local_dates": list(delivery.local_dates)}
        | stamp
        for delivery in deliveries
    ]
    if values:
        access.write_rows(context, INGESTION_LOG, values, {"batch_id": batch_id} | asked(context, batch_id))


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
    """Replace the deliveries' rows, in one commit; of many, the rows between are written again unchanged."""
    revised = {delivery.file_id: delivery for delivery in deliveries}
    first, last = min(revised), max(revised)
    replaced = f"file_id >= {first} AND file_id <= {last}"
    between = (pc.field("file_id") >= first) & (pc.field("file_id") <= last)
    if len(revised) <= FEW_TO_REPLACE:
        replaced += f" AND file_id IN ({', '.join(map(str, sorted(revised)))})"
        between &= pc.field("file_id").isin(pa.array(revised, pa.int64()))
    there = rows(context).table(INGESTION_LOG.names, between)
    named = pc.is_in(there["file_id"], pa.array(revised, pa.int64()))
    values = []
    for row in there.filter(named).to_pylist():
        delivery = revised[row["file_id"]]
        facts = {name: getattr(delivery, name) for name in row if name not in {"received_at", "run_id"}}
        values.append(row | facts | {"local_dates": list(delivery.local_dates)} | stamp)
    after = pa.concat_tables([pa.Table.from_pylist(values, schema=SCHEMA), there.filter(pc.invert(named))])
    access.write_rows(context, INGESTION_LOG, after, mark, replace=replaced)
