"""`maintain`: cluster readings by meter, compact small files, remove files that no recent version needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jobs import restatements
from jobs.shared.listing import Listing
from jobs.shared.output import fitted, must_exist
from jobs.shared.recorded import recorded
from pipeline import formats
from pipeline.errors import UsageError
from pipeline.lake import access, maintenance
from pipeline.layers import changed_days

if TYPE_CHECKING:
    from pipeline.lake.tables import Table
    from pipeline.layers.changed_days import Days
    from pipeline.runtime.context import Context

DONE = {
    "files_clustered": "files clustered",
    "files_compacted": "files compacted",
    "files_removed": "files removed",
}

COLUMNS = ("table", "files", "bytes", "small files", "days to cluster", "files to remove")
REPORT = Listing(
    COLUMNS,
    COLUMNS,
    folds="table",
    names={"small files": "small", "days to cluster": "cluster", "files to remove": "remove"},
)


def run(  # noqa: PLR0913 - each is an option of the command
    context: Context, hours: int, *, force: bool, as_json: bool, wait_seconds: float = 0, dry_run: bool = False
) -> None:
    """Cluster, OPTIMIZE and VACUUM every table; versions of the last `hours` stay; less than a week only with `force`.

    A dry run shows what would be done, and does nothing.
    """
    if hours < maintenance.SAFE_HOURS and not force:
        raise UsageError(
            f"--retention-hours {hours}: below {maintenance.SAFE_HOURS} a reader or another writer at work may lose "
            "its files; if nothing else uses the lake, add --force"
        )
    if dry_run:
        must_exist(context)
        _show_report(report(context, hours), as_json=as_json)
        return
    with recorded(context, "maintain", wait_seconds):
        facts = look_after(context, hours)
    if as_json:
        print(json.dumps(facts))
        return
    done = [fact for fact in facts if any(fact[name] for name in DONE)]
    if done:
        fitted(["table", *DONE.values()], [list(fact.values()) for fact in done])
    print(f"{len(facts)} tables maintained; versions of the last {hours} hours are kept.")


def look_after(context: Context, hours: int) -> list[dict[str, Any]]:
    """The same, inside a run; returns what was done to each table."""
    facts: list[dict[str, Any]] = []
    # It compares versions of gold, which may be gone afterwards.
    restatements.run(context)
    for table in formats.lake_tables(context.settings):
        if access.version(context, table) in {None, 0}:
            continue
        clustered = _cluster(context, table)
        compacted = maintenance.compact(context, table)
        removed = maintenance.vacuum(context, table, hours)
        numbers = dict(zip(DONE, (clustered, compacted, removed), strict=True))
        facts.append({"table": table.full_name, **numbers})
    # The same rows in other files are not a restatement.
    restatements.accept(context)
    return facts


def _cluster(context: Context, table: Table) -> int:
    """Cluster the days that changed since they were last clustered: the readings of one meter then lie together."""
    days = _unordered(context, table)
    return maintenance.cluster(context, table, days, access.done_to(context, table)) if days else 0


def _unordered(context: Context, table: Table) -> Days:
    if not table.cluster_by:
        return {}
    feeds = [feed.name for feed in context.settings.feeds]
    changed = changed_days.changed_days(context, maintenance.clustered_to(context, table), feeds)
    there = changed_days.days_there_are(context, feeds)  # a withdrawal may have emptied some
    days = {feed: sorted({*some}.intersection(there.get(feed, []))) for feed, some in changed.items()}
    return {feed: some for feed, some in days.items() if some}


def report(context: Context, hours: int) -> list[dict[str, Any]]:
    """The small-file report: what each table holds, and what `maintain` would do to it."""
    facts = []
    for table in formats.lake_tables(context.settings):
        if access.version(context, table) in {None, 0}:
            continue
        facts.append(
            {
                "table": table.full_name,
                **maintenance.storage(context, table),
                "days_to_cluster": sum(map(len, _unordered(context, table).values())),
                "files_to_remove": maintenance.removable(context, table, hours),
            }
        )
    return facts


def _show_report(facts: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts))
        return
    REPORT.print([dict(zip(REPORT.columns, fact.values(), strict=True)) for fact in facts])
    print("Nothing was done. A small file is under 16 MB and shares its partition with others.")
