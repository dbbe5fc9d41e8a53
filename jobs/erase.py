"""`erase METER`: nothing of a meter is left, in any table, in rejected rows, and in earlier versions of the tables.

Bronze comes first, then the log counts what is left of each delivery: from that the rest follows as in any run. Killed
in between, it is called again and goes on. What it did is told in ops.erasures, in numbers.
"""

from __future__ import annotations

import json
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import bronze, completeness, gold, restatements
from jobs import silver as silver_job
from jobs.audit import recorded
from jobs.show import console
from pipeline import conservation, delta, formats, housekeeping, ingestion_log, lake, reference, tables
from pipeline.ingestion_log import LOADED, REFERENCE, WITHDRAWN

if TYPE_CHECKING:
    from jobs.audit import Outcome
    from pipeline.config import Feed
    from pipeline.context import Context
    from pipeline.ingestion_log import Delivery

# Tables whose rows say nothing of a meter once the derived ones are made anew.
OF_METERPOINTS = tuple(table for table in tables.SNAPSHOTS if "meterpoint_id" in table.names)


def run(context: Context, meter: str, *, as_json: bool, wait_seconds: float = 0) -> None:
    """Erase the meter and write the certificate."""
    with recorded(context, "erase", wait_seconds) as outcome:
        known = ingestion_log.logged(context)
        context.expect(formats.weighed(context.settings, known))
        context.spark  # noqa: B018 - column expressions need it
        before = _count(context, meter)
        gone = {table.full_name: _from_bronze(context, table, rows) for table, rows in _rows(context, known, meter)}
        files = _recounted(context, known, meter)
        _derive(context, outcome, meter)
        told = delta.delete_matching(
            context,
            tables.RESTATEMENTS,
            tables.RESTATEMENTS.key,
            delta.read(context, tables.RESTATEMENTS).where(F.col("meter_id") == meter),
        )
        _blank_totals(context)
        path_mode = context.settings.catalog is None
        certificate = {
            "run_id": context.run_id,
            "erased_at": context.now,
            "deliveries": len(files),
            "bronze_rows": sum(count for name, count in gone.items() if name not in _names(OF_METERPOINTS)),
            "reference_rows": sum(gone[name] for name in _names(OF_METERPOINTS)),
            **before,
            "restatements": told,
            "history_removed": path_mode,
        }
        lake.write_rows(context, tables.ERASURES, [certificate], {"run_id": context.run_id})
        for table in formats.lake_tables(context.settings):
            if path_mode:
                housekeeping.forget(context, table)
            else:
                housekeeping.vacuum(context, table, 0)
        restatements.accept(context)
    _show(certificate, files, as_json=as_json)


def _names(some: tuple[tables.Table, ...]) -> set[str]:
    return {table.full_name for table in some}


def _count(context: Context, meter: str) -> dict[str, int]:
    wanted = {"readings": tables.READINGS, "rejected_rows": tables.REJECTED, "gold_days": tables.METER_DAY}
    its = F.col("meter_id") == meter
    return {
        name: delta.read(context, table)
        .where(its | F.col("raw").contains(meter) if name == "rejected_rows" else its)
        .count()
        for name, table in wanted.items()
    }


def _rows(context: Context, known: list[Delivery], meter: str) -> list[tuple[tables.Table, DataFrame]]:
    """Of each bronze table the rows that name the meter; a rejected row may hold it where no rule can find it."""
    found = []
    for feed in context.settings.feeds:
        kept = [each for each in known if each.feed == feed.name and each.status in {LOADED, WITHDRAWN}]
        if kept:
            judged = silver_job.judged(context, feed, kept)
            its = (F.col("meter_id") == meter) | (F.col("reason_code").isNotNull() & F.col("raw").contains(meter))
            found.append((formats.bronze_table(feed), judged.where(its)))
    found += [(table, delta.read(context, table).where(F.trim("meterpoint_id") == meter)) for table in OF_METERPOINTS]
    return found


def _from_bronze(context: Context, table: tables.Table, rows: DataFrame) -> int:
    return delta.delete_matching(context, table, table.key, rows)


def _recounted(context: Context, known: list[Delivery], meter: str) -> list[Delivery]:
    """Deliveries of which bronze holds fewer rows than the log says, counted anew and logged; one commit."""
    found = conservation.rows_of_deliveries(context)
    batch_id = ingestion_log.next_batch(known)
    changed = []
    for delivery in known:
        rows = found.get(delivery.file_id, conservation.NONE)[0]
        after = delivery
        if delivery.reason and meter in delivery.reason:
            after = replace(after, reason=delivery.reason.replace(meter, "(erased)"))
        if delivery.status in {LOADED, WITHDRAWN} and rows < delivery.rows_read:
            erased = delivery.rows_erased + delivery.rows_read - rows
            after = replace(after, rows_erased=erased, rows_read=rows, revision=batch_id)
        if after != delivery:
            changed.append(after)
    changed = [each for feed in context.settings.feeds for each in _judged_anew(context, feed, changed)] + [
        _snapshot_anew(context, each) for each in changed if each.feed == REFERENCE
    ]
    if changed:
        ingestion_log.revise(context, changed, batch_id)
    return sorted([each for each in changed if each.revision == batch_id], key=lambda each: each.file_id)


def _judged_anew(context: Context, feed: Feed, changed: list[Delivery]) -> list[Delivery]:
    of_feed = [each for each in changed if each.feed == feed.name]
    counted = [each for each in of_feed if each.rows_erased]
    if not counted:
        return of_feed
    rows = silver_job.judged(context, feed, counted)
    rows = rows.where(F.col("file_id").isin(*(each.file_id for each in counted)))
    found = bronze.counts(rows, several=formats.format_of(feed).several)
    # Its old days stay its days: silver and gold have to be made anew on them.
    return [
        replace(each, **found.get(each.file_id, bronze.NOTHING) | {"local_dates": each.local_dates})
        if each in counted
        else each
        for each in of_feed
    ]


def _snapshot_anew(context: Context, delivery: Delivery) -> Delivery:
    refused = [
        reference.JUDGES[table.name](delta.read(context, table).where(F.col("file_id") == delivery.file_id))
        .where("reason_code IS NOT NULL")
        .select("file_id")
        for table in tables.SNAPSHOTS
    ]
    rejected = reduce(DataFrame.unionByName, refused).count()
    return replace(delivery, rows_rejected=rejected, rows_accepted=delivery.rows_read - rejected)


def _derive(context: Context, outcome: Outcome, meter: str) -> None:
    silver_job.run(context)
    gold.run(context)
    completeness.run(context)
    outcome.restated = restatements.run(context, without_meter=meter)


def _blank_totals(context: Context) -> None:
    """Restated totals of days of erased meters lose their values: what one was, less what it is now, is a reading."""
    erased = {
        (each.feed, day) for each in ingestion_log.logged(context) if each.rows_erased for day in each.local_dates
    }
    there = lake.small_rows(context, tables.RESTATEMENTS, tables.RESTATEMENTS.names)
    nothing = {"old_value": None, "new_value": None}
    blanked = [
        row | nothing if row["meter_id"] is None and (row["feed"], row["local_date"]) in erased else row
        for row in there
    ]
    if blanked != there:
        mark = lake.mark(context, tables.RESTATEMENTS)
        lake.write_rows(context, tables.RESTATEMENTS, blanked, mark, replace=lake.EVERYTHING)


def _show(certificate: dict[str, Any], files: list[Delivery], *, as_json: bool) -> None:
    counts = {name: value for name, value in certificate.items() if name not in {"run_id", "erased_at"}}
    landed = [each.file_path for each in files]
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
        out.print("The deliveries themselves are not Meterlake's to remove; the meter is still in:", markup=False)
        for path in landed:
            out.print(f"  {path}", markup=False)
