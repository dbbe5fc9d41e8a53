"""`verify`: rebuild silver and gold from bronze beside the lake, and compare them with the lake's own."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from jobs import completeness, gold, silver
from jobs.shared.differences import differences
from jobs.shared.output import cell, console, fitted
from jobs.shared.recorded import recorded
from pipeline import formats
from pipeline.deliveries.ingestion_log import logged
from pipeline.errors import UnfinishedLakeError, UnknownNameError, VerificationError
from pipeline.lake import access, lost_files, maintenance, tables
from pipeline.layers import conservation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

SPARK = "spark"
# The time a rule was applied does not depend on the delivery.
NOT_COMPARED = {"rejected_at"}


@dataclass(frozen=True)
class Check:
    """One comparison: how many rows, how many differ, and the first difference in words."""

    what: str
    rows: int
    differences: int = 0
    first: str | None = None


def run(context: Context, *, as_json: bool, wait_seconds: float = 0, engine: str | None = None) -> None:
    """Compare everything; raise VerificationError if something differs, UnfinishedLakeError if a run must end first.

    `engine` rebuilds, whatever engine the configuration has: a lake is proved by another one than wrote it.
    """
    if engine not in {None, SPARK}:
        raise UnknownNameError("unknown engine", str(engine), SPARK)
    if engine is not None:
        context = replace(context, settings=context.settings.model_copy(update={"engine": engine}))
    context.need_spark("verify", "verify --engine spark proves what another engine wrote")
    with recorded(context, "verify", wait_seconds):
        lost_files.must_be_none(context, formats.lake_tables(context.settings))
        context.expect(formats.weighed(context.settings, logged(context)))
        context.spark  # noqa: B018 - started here, sized for everything that was ever delivered
        checks = [*_deliveries(context), *_derived(context)]
        wrong = [check for check in checks if check.differences]
        _report(checks, as_json=as_json)
        if wrong:
            where = context.settings.where
            if wrong[0] not in checks[:1] and (pending := _pending(context)):
                raise UnfinishedLakeError(where, *pending)
            raise VerificationError(
                where, sum(check.differences for check in wrong), f"{wrong[0].what}: {wrong[0].first}"
            )


def _pending(context: Context) -> tuple[str, int, int] | None:
    """(table, batch that it is complete to, newest batch of the log) where a layer has yet to follow the log."""
    newest = max((each.revision for each in logged(context) if each.local_dates), default=0)
    done = ((table.full_name, access.done_to(context, table), newest) for table in (tables.READINGS, tables.METER_DAY))
    return next((each for each in done if each[1] < newest), None)


def _report(checks: list[Check], *, as_json: bool) -> None:
    if as_json:
        equal = not any(check.differences for check in checks)
        print(json.dumps({"equal": equal, "checks": [vars(check) for check in checks]}, ensure_ascii=False))
        return
    rows = [[check.what, check.rows, check.differences, check.first or "equal"] for check in checks]
    fitted(["compared", "rows", "differences", "the first"], rows)
    if not any(check.differences for check in checks):
        console().print("Silver and gold are what bronze says, and every delivery is accounted for.")


def _deliveries(context: Context) -> list[Check]:
    """Conservation: the log's counts of each delivery against its rows in bronze and its rejected rows."""
    known = logged(context)
    found = conservation.rows_of_deliveries(context)
    wrong = conservation.violations(known, found)
    return [Check("deliveries: log, bronze and rejected rows", len(known), len(wrong), next(iter(wrong), None))]


def _derived(context: Context) -> list[Check]:
    wanted = [table for table in formats.lake_tables(context.settings) if table.layer in tables.DERIVED]
    with _scratch(context) as rebuilt:
        maintenance.create_missing(rebuilt, wanted)
        silver.run(rebuilt)
        gold.run(rebuilt)
        completeness.run(rebuilt)
        return [_compare(context, rebuilt, table) for table in wanted]


@contextmanager
def _scratch(context: Context) -> Iterator[Context]:
    """A context whose silver and gold are made in a place of their own, which is removed at the end."""
    upkeep = access.lake_of(context).upkeep
    place = upkeep.scratch(f"verify_{context.run_id}")
    try:
        yield context.beside(context.settings.rebuilt_at(place))
    finally:
        upkeep.remove_scratch(place)


def _compare(context: Context, rebuilt: Context, table: Table) -> Check:
    """Compare the lake's table with the rebuilt one, by key, value by value."""
    rows = access.row_count(context, table)
    values = [name for name in table.names if name not in table.key and name not in NOT_COMPARED]
    count, first = differences(context, rebuilt, table, values)
    if first is not None:
        return Check(table.full_name, rows, count, _in_words(context, table, values, first))
    expected = access.row_count(rebuilt, table)
    if rows != expected:
        return Check(
            table.full_name, rows, abs(rows - expected), f"{rows} rows for {expected} keys: some keys are there twice"
        )
    return Check(table.full_name, rows)


def _in_words(context: Context, table: Table, values: list[str], first: dict[str, Any]) -> str:
    """A difference in words: the key, the actual and the expected value, and the delivery it comes from."""
    key = ", ".join(f"{name}={cell(first[name])}" for name in table.key)
    should, there = first["should"], first["there"]
    lineage = _lineage(context, should or there)
    if there is None:
        return f"{key} is missing{lineage}"
    if should is None:
        return f"{key} should not be there{lineage}"
    wrong = [name for name in values if should[name] != there[name]]
    said = ", ".join(f"{name} is {cell(there[name])}, should be {cell(should[name])}" for name in wrong)
    return f"{key}: {said}{lineage}"


def _lineage(context: Context, row: dict[str, Any]) -> str:
    """The file, and the row in it, that a row of silver or a cell of gold comes from."""
    file_id = row.get("file_id")
    paths = {each.file_id: each.relative_path for each in logged(context)}
    if file_id not in paths:
        return ""
    number = f", row {row['row_number']}" if row.get("row_number") else ""
    return f" (from {paths[file_id]}{number})"
