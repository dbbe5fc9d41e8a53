"""`maintain`: small files put together, files that no recent version needs removed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jobs import restatements
from jobs.audit import recorded
from jobs.show import print_table
from pipeline import formats, housekeeping, lake
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.context import Context


def run(context: Context, hours: int, *, force: bool, as_json: bool, wait_seconds: float = 0) -> None:
    """OPTIMIZE and VACUUM every table, keeping versions of the last `hours`; fewer than a week only with `force`."""
    if hours < housekeeping.SAFE_HOURS and not force:
        raise UsageError(
            f"--retention-hours {hours}: a reader or another writer at work may lose its files below "
            f"{housekeeping.SAFE_HOURS}; with nobody else on the lake, say --force"
        )
    with recorded(context, "maintain", wait_seconds):
        facts = look_after(context, hours)
    if as_json:
        print(json.dumps(facts))
        return
    done = [fact for fact in facts if fact["files_compacted"] or fact["files_removed"]]
    print_table(["table", "files put together", "files removed"], [list(fact.values()) for fact in done])
    print(f"{len(facts)} tables looked after; versions of the last {hours} hours are kept.")


def look_after(context: Context, hours: int) -> list[dict[str, Any]]:
    """The same, inside of a run; returns what was done to each table."""
    facts: list[dict[str, Any]] = []
    # Compares versions of gold, which may not be there afterwards.
    restatements.run(context)
    for table in formats.lake_tables(context.settings):
        if lake.version(context, table) in {None, 0}:
            continue
        compacted = housekeeping.compact(context, table)
        removed = housekeeping.vacuum(context, table, hours)
        facts.append({"table": table.full_name, "files_compacted": compacted, "files_removed": removed})
    # The same gold in other files is no restatement.
    restatements.accept(context)
    return facts
