"""`erase METER`: remove a meter from every table, from rejected rows, and from earlier versions of the tables.

Bronze comes first. Each commit there says how many rows of which delivery it removes, and the log is corrected by these
numbers, not by what bronze holds, so that rows lost before stay visible. The rest follows from the log as in any run.
If it is killed, the same command continues. ops.erasures says what it did, in numbers.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import completeness, gold, restatements
from jobs import silver as silver_job
from jobs.shared.output import console, must_exist
from jobs.shared.recorded import recorded
from pipeline import formats
from pipeline.deliveries import archive, erased, ingestion_log
from pipeline.deliveries.delivery import REFERENCE
from pipeline.errors import UsageError
from pipeline.formats import reference_rows
from pipeline.formats.judged import NOTHING, counts
from pipeline.lake import access, maintenance, tables
from pipeline.layers.judged import judged
from pipeline.layers.meter_rows import OF_METERPOINTS, look_for
from pipeline.layers.meter_text import is_surely_nowhere

if TYPE_CHECKING:
    import pyarrow as pa

    from jobs.shared.recorded import Outcome
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.lake.tables import Table
    from pipeline.layers.meter_rows import Found
    from pipeline.runtime.context import Context

NOWHERE = (
    "the meter is nowhere in the lake: nothing was changed; write it as the source does (all of them: "
    "`main.py sql --engine duckdb 'SELECT DISTINCT feed, meter_id FROM gold.meter_day'`)"
)


def run(context: Context, meter: str, *, as_json: bool, wait_seconds: float = 0, dry_run: bool = False) -> None:
    """Erase the meter and write the certificate; a dry run shows what would be removed."""
    context.need_spark("erase")
    if dry_run:
        must_exist(context)
        _must_be_written_somewhere(context, meter)
        _show_what_would_go(context, look_for(context, meter), as_json=as_json)
        return
    with recorded(context, "erase", wait_seconds) as outcome:
        _must_be_written_somewhere(context, meter)
        known = ingestion_log.logged(context)
        context.expect(formats.weighed(context.settings, known))
        context.spark  # noqa: B018 - column expressions need it
        found, before = look_for(context, meter), erased.unfinished(context)
        if found.is_nothing and not before:
            raise UsageError(NOWHERE)
        # If this continues an earlier try, the counts are that try's: it counted before anything was removed.
        counts = {name: max(count, before.get("counts", {}).get(name, 0)) for name, count in found.counts.items()}
        file_ids = found.file_ids | set(before.get("file_ids", ()))
        upkeep = access.lake_of(context).upkeep
        certificate = {
            "run_id": before.get("certified", context.run_id),
            "erased_at": context.now,
            "deliveries": len(file_ids),
            **counts,
            "history_removed": all(upkeep.forgets(each) for each in formats.lake_tables(context.settings)),
        }
        aim = before | {"counts": counts, "file_ids": sorted(file_ids)}
        access.write_rows(context, tables.ERASURES, [], {"run_id": context.run_id, erased.UNFINISHED: aim})
        for table in (*(formats.bronze_table(feed) for feed in context.settings.feeds), *OF_METERPOINTS):
            _from_bronze(context, table, found.keys.get(table), known)
        _recounted(context, known, meter)
        _derive(context, outcome, meter)
        _forget_restatements(context, meter)
        if "certified" not in before:
            aim |= {"certified": context.run_id}
            note = {"run_id": context.run_id, erased.UNFINISHED: aim}
            access.write_rows(context, tables.ERASURES, [certificate], note)
        for table in formats.lake_tables(context.settings):
            maintenance.forget(context, table)
        restatements.accept(context)
        access.write_rows(context, tables.ERASURES, [], {"run_id": context.run_id})  # it is finished
        files = [each for each in ingestion_log.logged(context) if each.file_id in file_ids]
    _show(certificate, [_where(context, each) for each in files], as_json=as_json)


def _must_be_written_somewhere(context: Context, meter: str) -> None:
    """Raise UsageError, without a JVM, for a name that nothing in the lake holds: it was mistyped."""
    if not erased.unfinished(context) and is_surely_nowhere(context, meter):
        raise UsageError(NOWHERE)


def _from_bronze(context: Context, table: Table, keys: pa.Table | None, known: list[Delivery]) -> None:
    if keys is not None and keys.num_rows:
        removed = Counter(keys["file_id"].to_pylist())
        note = erased.mark(erased.pending(context, table, known), removed, known)
        access.delete_matching(context, table, table.key, keys, note)


def _recounted(context: Context, known: list[Delivery], meter: str) -> None:
    """The deliveries without the removed rows and without the meter's name; one commit of the log.

    Rows that bronze lacks beyond that were lost before, and must stay visible.
    """
    gone: Counter[int] = Counter()
    for table in (*(formats.bronze_table(feed) for feed in context.settings.feeds), *OF_METERPOINTS):
        gone.update(erased.pending(context, table, known))
    batch_id = ingestion_log.last_batch(context) + 1
    changed = []
    for delivery in known:
        after = delivery
        if delivery.reason:
            after = replace(after, reason=erased.without(delivery.reason, meter))
        if rows := gone[delivery.file_id]:
            left = delivery.rows_read - rows
            after = replace(after, rows_erased=delivery.rows_erased + rows, rows_read=left, revision=batch_id)
        if after != delivery:
            changed.append(after)
    less = [each for each in changed if each.revision == batch_id]
    if not less:
        ingestion_log.note(context, changed)
        return
    counted = [each for feed in context.settings.feeds for each in _rejudged(context, feed, less)]
    counted += [_snapshot_rejudged(context, each) for each in less if each.feed == REFERENCE]
    quoted = [each for each in changed if each.revision != batch_id]
    ingestion_log.revise(context, [*counted, *quoted], batch_id)


def _rejudged(context: Context, feed: Feed, less: list[Delivery]) -> list[Delivery]:
    """With the counts of what is left; they keep their old days, because silver and gold must be rebuilt on them."""
    of_feed = [each for each in less if each.feed == feed.name]
    if not of_feed:
        return []
    rows = judged(context, feed, of_feed)
    rows = rows.where(F.col("file_id").isin(*(each.file_id for each in of_feed)))
    found = counts(rows, many_readings_per_row=formats.format_of(feed).many_readings_per_row)
    return [_counted(each, **found.get(each.file_id, NOTHING)) for each in of_feed]


def _counted(delivery: Delivery, *, rows_rejected: int, repeated_times: int, **_: object) -> Delivery:
    accepted = delivery.rows_read - rows_rejected
    return replace(delivery, rows_rejected=rows_rejected, rows_accepted=accepted, repeated_times=repeated_times)


def _snapshot_rejudged(context: Context, delivery: Delivery) -> Delivery:
    zone = context.settings.reference_zone
    refused = []
    for table in tables.SNAPSHOTS:
        rows = access.read(context, table).where(F.col("file_id") == delivery.file_id)
        judged_rows = reference_rows.judged(table.name, rows, zone)
        refused.append(judged_rows.where("reason_code IS NOT NULL").select("file_id"))
    rejected = reduce(DataFrame.unionByName, refused).count()
    return replace(delivery, rows_rejected=rejected, rows_accepted=delivery.rows_read - rejected)


def _derive(context: Context, outcome: Outcome, meter: str) -> None:
    silver_job.run(context)
    gold.run(context)
    completeness.run(context)
    outcome.restated = restatements.run(context, without_meter=meter)


def _forget_restatements(context: Context, meter: str) -> None:
    rows = access.read(context, tables.RESTATEMENTS).where(F.col("meter_id") == meter)
    key = tables.RESTATEMENTS.key
    access.delete_matching(context, tables.RESTATEMENTS, key, rows.select(*key).distinct().toArrow())
    _blank_totals(context)


def _blank_totals(context: Context) -> None:
    """Blank the restated totals of the meter's days: the old total minus the new one would be its reading."""
    days = {(each.feed, day) for each in ingestion_log.logged(context) if each.rows_erased for day in each.local_dates}
    there = access.small_rows(context, tables.RESTATEMENTS, tables.RESTATEMENTS.names)
    nothing = {"old_value": None, "new_value": None}
    blanked = [
        row | nothing if row["meter_id"] is None and (row["feed"], row["local_date"]) in days else row for row in there
    ]
    if blanked != there:
        mark = access.mark(context, tables.RESTATEMENTS)
        access.write_rows(context, tables.RESTATEMENTS, blanked, mark, replace=access.EVERYTHING)


def _show_what_would_go(context: Context, found: Found, *, as_json: bool) -> None:
    if found.is_nothing and not erased.unfinished(context):
        raise UsageError(NOWHERE)
    files = [_where(context, each) for each in ingestion_log.logged(context) if each.file_id in found.file_ids]
    if as_json:
        facts = {"dry_run": True, "deliveries": len(files), **found.counts, "still_in": files}
        print(json.dumps(facts, ensure_ascii=False))
        return
    out = console()
    for name, value in {"deliveries": len(files), **found.counts}.items():
        out.print(f"{name.replace('_', ' '):<18} {value:,}")
    out.print("This would be erased, with every earlier version of every table. Nothing was done.")
    if files:
        out.print("Its rows came with (the files themselves stay):")
    for path in files:
        out.print(f"  {path}", markup=False, soft_wrap=True)


def _where(context: Context, delivery: Delivery) -> str:
    """The path that the delivery's file has now: it may be in its feed's archive."""
    feed = next((feed for feed in context.settings.feeds if feed.name == delivery.feed), None)
    return archive.where(feed, delivery) if feed and feed.archive else delivery.file_path


def _show(certificate: dict[str, Any], landed: list[str], *, as_json: bool) -> None:
    counts = {name: value for name, value in certificate.items() if name not in {"run_id", "erased_at"}}
    if as_json:
        print(json.dumps({"run_id": certificate["run_id"], **counts, "still_in": landed}, ensure_ascii=False))
        return
    out = console()
    for name, value in counts.items():
        out.print(
            f"{name.replace('_', ' '):<18} {value:,}"
            if value not in {True, False}
            else f"{name.replace('_', ' '):<18} {value}"
        )
    out.print(f"Certificate: ops.erasures, run {certificate['run_id']}.")
    if landed:
        out.print("Meterlake does not remove the delivered files; the meter is still in:", markup=False)
        for path in landed:
            out.print(f"  {path}", markup=False, soft_wrap=True)
