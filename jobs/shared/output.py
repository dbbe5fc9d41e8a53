"""Output for people and programs: the outcome of a run, deliveries, rejected rows. No JVM in path mode."""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from pipeline.deliveries import ingestion_log, log_rows
from pipeline.errors import LakeError, printable
from pipeline.lake import access, schema_version, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jobs.shared.recorded import Outcome
    from pipeline.runtime.context import Context
    from pipeline.runtime.profile import Profile

STYLES = {"loaded": "green", "succeeded": "green", "rejected": "red", "failed": "red", "conflict": "red"}
# Wide enough for whole rows in a pipe; a terminal has its own width.
PIPE_WIDTH = 400
SHOWN_REFUSALS = 10


def console(*, stderr: bool = False) -> Console:
    """Standard output or error; as wide as its rows unless it is a terminal."""
    wide = None if (sys.stderr if stderr else sys.stdout).isatty() else PIPE_WIDTH
    return Console(highlight=False, width=wide, soft_wrap=False, stderr=stderr)


def cell(value: object) -> Any:  # noqa: ANN401 - what JSON can hold
    """A value for JSON: decimals as exact text, instants in UTC with their offset, days as ISO dates."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return moment.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, (date, Decimal)):
        return f"{value:f}" if isinstance(value, Decimal) else value.isoformat()
    if isinstance(value, (list, tuple)):
        return [cell(each) for each in value]
    return value


def text(value: object) -> Text:
    """A value for a terminal: nothing in it acts as markup or as a control sequence."""
    if value is None:
        return Text("NULL", style="dim")
    safe = printable(f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(cell(value)))
    return Text(safe, style=STYLES.get(safe, ""))


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], title: str | None = None, *, stderr: bool = False
) -> None:
    """Print an aligned table; numbers to the right."""
    named = Text(printable(title), style="bold") if title else None
    grid = Grid(box=SIMPLE_HEAD, title=named, title_justify="left", pad_edge=False)
    for n, name in enumerate(columns):
        numbers = any(isinstance(row[n], (int, float, Decimal)) for row in rows)
        grid.add_column(Text(printable(name)), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(text(value) for value in row))
    console(stderr=stderr).print(grid)


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
    print_table(names, rows, title="Deliveries")
    for delivery in result.refused[:SHOWN_REFUSALS]:
        out.print(text("  refused  "), text(f"{delivery.file_path}  {delivery.reason_code}: {delivery.reason}"))
    if len(result.refused) > SHOWN_REFUSALS:
        out.print(f"  … and {len(result.refused) - SHOWN_REFUSALS} more: main.py files --status rejected")
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


def files(context: Context, status: str | None, feed: str | None, limit: int, *, as_json: bool) -> None:
    """Print deliveries, newest first."""
    must_exist(context)
    log = ingestion_log.rows(context)
    where = log_rows.of(status, feed)
    found = log.table_with(tables.INGESTION_LOG.names, "file_id", log.newest(where, limit))
    rows = found.sort_by([("file_id", "descending")]).to_pylist()
    if as_json:
        print(json.dumps([{name: cell(value) for name, value in row.items()} for row in rows], ensure_ascii=False))
        return
    names = ["file_id", "feed", "relative_path", "status", "rows_read", "rows_rejected", "received_at", "reason_code"]
    print_table([*names, "reason"], [[row[name] for name in [*names, "reason"]] for row in rows])
    console().print(f"({len(rows)} of {log.count(where)} deliveries)")


def rejected(context: Context, feed: str | None, limit: int, *, as_json: bool) -> None:
    """Print rejected rows, newest delivery first."""
    must_exist(context)
    rows = access.small_rows(context, tables.REJECTED, tables.REJECTED.names, ("feed", "=", feed) if feed else None)
    rows.sort(key=lambda row: (-row["file_id"], row["row_number"]))
    paths = ingestion_log.rows(context).paths(row["file_id"] for row in rows[:limit])
    named = [{"file": paths.get(row["file_id"])} | row for row in rows[:limit]]
    if as_json:
        print(json.dumps([{name: cell(value) for name, value in row.items()} for row in named], ensure_ascii=False))
        return
    names = ["file", "row_number", "feed", "meter_id", "reason_code", "reason", "raw"]
    print_table(names, [[row[name] for name in names] for row in named])
    console().print(f"({min(limit, len(rows))} of {len(rows)} rejected rows)")
