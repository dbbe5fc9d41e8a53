"""Output for people and programs: the outcome of a run, deliveries, rejected rows. No JVM in path mode."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.text import Text

from jobs.shared import filters
from jobs.shared.called import to_copy
from jobs.shared.listing import INDENT, Listing, fitted, hanging
from jobs.shared.terminal import STYLES, cell, console, of_them, print_table, text
from pipeline.attention import items
from pipeline.deliveries import ingestion_log, log_rows, open_issues, rejected_rows
from pipeline.deliveries.delivery import STATUSES
from pipeline.errors import LakeError
from pipeline.formats.row_rules import ROW_CODES
from pipeline.lake import schema_version, tables

if TYPE_CHECKING:
    from jobs.shared.recorded import Outcome
    from pipeline.runtime.context import Context
    from pipeline.runtime.profile import Profile

# What others use of `terminal` and `listing` as part of this module.
__all__ = ["cell", "console", "fitted", "print_table", "text"]

SHOWN_REFUSALS = 10
COUNTS = ("rows_read", "rows_rejected")
FILES = Listing(
    columns=("file_id", "feed", "relative_path", "status", *COUNTS, "received_at", "reason_code", "reason"),
    narrow=("file_id", "feed", "relative_path", "status", *COUNTS, "received_at"),
    folds="relative_path",
    below=("reason_code", "reason"),
    names={"file_id": "id", "relative_path": "file", "rows_read": "rows", "rows_rejected": "rejected"}
    | {"received_at": "received"},
)

REJECTED = Listing(
    columns=("file", "row_number", "feed", "meter_id", "reason_code", "reason", "raw"),
    narrow=("file", "row_number", "feed", "meter_id"),
    folds="file",
    below=("reason_code", "reason"),
    names={"row_number": "row", "meter_id": "meter"},
    apart=("raw",),
)
# What to do about a refused delivery that is not replaced.
DECIDE = (
    ("If the configuration was wrong and is corrected:", "main.py replay '#{id}' --dry-run"),
    ("If it is not needed:", "main.py withdraw '#{id}' --reason WHY"),
)
# A row as received may be a day of a hundred values: more of it than this is for programs.
SHOWN_OF_A_ROW = 160


def profile(found: Profile) -> None:
    """Print where a run spent its time, on standard error, so that answers are not mixed with it."""
    rows = [[step.name, step.seconds, step.spark_jobs, step.commits] for step in found.steps]
    total = ["total", round(sum(step.seconds for step in found.steps), 2)]
    rows.append([*total, sum(step.spark_jobs for step in found.steps), sum(step.commits for step in found.steps)])
    print_table(["until", "seconds", "Spark jobs", "commits"], rows, "Where the time went", stderr=True)


def outcome(result: Outcome, *, as_json: bool, days_rebuilt: bool = False) -> None:
    """Print the summary of a run: what was loaded, refused (and why) and changed; or that days were rebuilt."""
    facts = result.facts()
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    _in_words(result, facts, days_rebuilt=days_rebuilt)
    for item in items.of_checks(result.checks):
        console().print(text(f"{item.text}: {to_copy(item.command or '')}"), soft_wrap=True)


def _in_words(result: Outcome, facts: dict[str, Any], *, days_rebuilt: bool) -> None:
    out = console()
    if days_rebuilt:
        out.print(Text(f"The days were rebuilt ({facts['seconds']} s)."))
        return
    if not result.deliveries and not result.rows_merged:
        waiting = f"; {facts['waiting']} files are still being written" if facts["waiting"] else ""
        out.print(Text(f"Nothing new: every delivery is known and unchanged{waiting} ({facts['seconds']} s)."))
        return
    by_feed: dict[str, list[Any]] = {}
    for delivery in result.deliveries:
        by_feed.setdefault(delivery.feed, []).append(delivery)
    rows = []
    for feed, deliveries in by_feed.items():
        counts = Counter(delivery.status for delivery in deliveries)
        sums = [sum(getattr(each, name) for each in deliveries) for name in ("rows_read", "rows_rejected")]
        rows.append([feed, *(counts[name] for name in ("loaded", "duplicate", "rejected", "conflict")), *sums])
    names = ["feed", "loaded", "duplicate", "rejected", "conflict", "rows read", "rows rejected"]
    fitted(names, rows, title="Deliveries")
    for delivery in result.refused[:SHOWN_REFUSALS]:
        out.print(Text("refused  ", style=STYLES["rejected"]), text(delivery.file_path), soft_wrap=True)
        for line in hanging(text(f"{delivery.reason_code}: {delivery.reason}"), out, " " * INDENT):
            out.print(line)
    if len(result.refused) > SHOWN_REFUSALS:
        out.print(f"  … and {len(result.refused) - SHOWN_REFUSALS} more: {to_copy('main.py files --open')}")
    waiting = f", {facts['waiting']} files still being written" if facts["waiting"] else ""
    out.print(f"{facts['rows_merged']:,} readings inserted or updated in silver, {facts['seconds']} s{waiting}.")
    if result.restated:
        by_table = ", ".join(f"{count:,} in {table}" for table, count in sorted(result.restated.items()))
        out.print(f"{sum(result.restated.values()):,} published values changed: {by_table}.")
        out.print("  ops.restatements lists them, with the delivery that changed each.")


def must_exist(context: Context) -> None:
    """Raise LakeError if nothing was ever loaded, or if the lake has a newer form than this program can read."""
    if schema_version.check(context) is None:
        raise LakeError(context.settings.where, "has no tables yet: run `main.py run` or `main.py demo` first")


def files(  # noqa: PLR0913 - each is an option
    context: Context, status: str | None, feed: str | None, limit: int, *, as_json: bool, only_open: bool = False
) -> None:
    """Print deliveries, newest first; `only_open`: refused ones that nothing has replaced or settled since."""
    filters.check("no status", status, STATUSES)
    must_exist(context)
    log = ingestion_log.rows(context)
    filters.check_feed(context, log, feed)
    where = log_rows.of(status, feed)
    if only_open:
        where = log_rows.numbered([each.file_id for each in open_issues.standing(open_issues.refused_in(log))], where)
    found = log.table_with(tables.INGESTION_LOG.names, "file_id", log.newest(where, limit))
    rows = found.sort_by([("file_id", "descending")]).to_pylist()
    if as_json:
        print(json.dumps([{name: cell(value) for name, value in row.items()} for row in rows], ensure_ascii=False))
        return
    if rows:
        FILES.print(rows)
    out = console()
    out.print(of_them(len(rows), log.count(where), "delivery", "deliveries"))
    if rows and only_open and out.is_terminal:
        for when, command in DECIDE:
            out.print(Text(f"{when} {to_copy(command.format(id=rows[0]['file_id']))}"), soft_wrap=True)


def rejected(context: Context, wanted: filters.OfRejected, limit: int, *, as_json: bool) -> None:
    """Print rejected rows, newest delivery first."""
    filters.check("no reason code", wanted.reason, ROW_CODES)
    must_exist(context)
    log = ingestion_log.rows(context)
    filters.check_feed(context, log, wanted.feed)
    rows, count = rejected_rows.newest(context, wanted.where(log), limit)
    paths = log.paths(row["file_id"] for row in rows)
    named = [{"file": paths.get(row["file_id"])} | row for row in rows]
    if as_json:
        print(json.dumps([{name: cell(value) for name, value in row.items()} for row in named], ensure_ascii=False))
        return
    out = console()
    if out.is_terminal:
        named = [row | {"raw": cut(row["raw"])} for row in named]
    if named:
        REJECTED.print(named)
    out.print(of_them(len(named), count, "rejected row", "rejected rows"))


def cut(raw: str | None) -> str | None:
    """The beginning of a row as received, with what shows the whole."""
    return raw if raw is None or len(raw) <= SHOWN_OF_A_ROW else f"{raw[:SHOWN_OF_A_ROW]}… (whole with --json)"
