"""`status`: a lake at a glance, and what to look at first. No JVM in path mode."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from rich.text import Text

from jobs.shared.called import to_copy
from jobs.shared.listing import Listing, hanging
from jobs.shared.output import cell, console, must_exist, text
from pipeline import formats
from pipeline.attention import facts as attention_facts
from pipeline.attention import items, runs
from pipeline.deliveries import ingestion_log, open_issues, tally
from pipeline.errors import printable
from pipeline.lake import access, maintenance, tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from pipeline.deliveries.tally import Tally
    from pipeline.runtime.context import Context

STATUSES = ("loaded", "duplicate", "rejected", "conflict", "withdrawn")
COUNTS = (*STATUSES, "rows_read", "rows_rejected")
FEED_COLUMNS = ("feed", "deliveries", "refused", "rows", "rejected", "last day", "yesterday")
FEEDS = Listing(FEED_COLUMNS, FEED_COLUMNS, folds="feed")
TABLE_COLUMNS = ("table", "rows", "version", "files", "bytes", "small_files")
TABLES = Listing(TABLE_COLUMNS, TABLE_COLUMNS, folds="table", names={"small_files": "small"})
# Whose an item is that is a matter of no feed.
WHOLE = "lake"
HOUR, DAY = 3600, 86400


def run(context: Context, *, as_json: bool, with_tables: bool = False) -> None:
    """Print the facts, for people or for programs; the inventory of tables for people only `with_tables`."""
    must_exist(context)
    facts = found(context, with_tables=as_json or with_tables)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
    elif with_tables:
        _print_tables(facts)
    else:
        _print(facts)


def found(context: Context, *, with_tables: bool = True) -> dict[str, Any]:
    """The last run, what needs attention, deliveries by feed, completeness of yesterday, and the tables.

    Without the tables, whose rows take a look into each log, and the disk, it takes less time.
    """
    every = sorted(access.small_rows(context, tables.RUNS, tables.RUNS.names), key=lambda row: row["finished_at"])
    main = runs.last_main(every)
    facts, counted = attention_facts.found(context), tally.of(ingestion_log.rows(context), tally.FOR_STATUS)
    stored = {each["table"]: each for each in facts.tables}
    return {
        "lake": context.settings.where,
        "last_run": _run(main),
        "later_command": _run(every[-1]) if every and every[-1] is not main else None,
        "attention": [{name: cell(value) for name, value in vars(item).items()} for item in items.of(facts)],
        "gold": _gold(context, counted),
        "late": [
            {
                "feed": late.feed,
                "last_day": cell(late.last_day),
                "last_delivery_at": cell(late.last_delivery_at),
            }
            for late in facts.late
        ],
        "refused": open_issues.by_reason(facts.refused),
        "missing_generations": list(facts.missing_generations),
        "lost_files": [
            {"table": name, "files": len(files), "first": files[0]} for name, files in facts.lost_files.items()
        ],
        "overlapping_agreements": len(facts.overlapping),
        "checks": [each.facts() for each in facts.checks],
        "deliveries": _by_feed(counted),
        "completeness": list(facts.completeness),
        "disk_bytes": maintenance.bytes_on_disk(context) if with_tables else None,
        "tables": [
            {"table": table.full_name, "rows": access.row_count(context, table), **stored[table.full_name]}
            for table in (formats.lake_tables(context.settings) if with_tables else ())
        ],
    }


def _run(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return {name: cell(value) for name, value in row.items()} if row else None


def _gold(context: Context, counted: list[Tally]) -> dict[str, Any]:
    """How far gold.meter_day is behind the log: the newest delivery in it, and how many wait."""
    done = access.done_to(context, tables.METER_DAY)
    newest = tally.newest_in(counted, done)
    return {
        "newest_delivery_at": cell(newest),
        "age_seconds": int((context.now - newest).total_seconds()) if newest else None,
        "waiting_deliveries": tally.waiting(counted, done),
    }


def _by_feed(counted: list[Tally]) -> list[dict[str, Any]]:
    by_feed: dict[str, Counter[str]] = {}
    for each in counted:
        feed = by_feed.setdefault(each.feed, Counter())
        feed[each.status] += each.deliveries
        feed["rows_read"] += each.rows_read
        feed["rows_rejected"] += each.rows_rejected
    return [{"feed": feed} | {name: counts[name] for name in COUNTS} for feed, counts in sorted(by_feed.items())]


def _print(facts: dict[str, Any]) -> None:
    out = console()
    _print_attention(facts["attention"], out)
    out.print()
    for name, words in _in_words(facts):
        for n, line in enumerate(hanging(words, out, " " * len(f"{name:<10}"))):
            out.print(Text(f"{name:<10}", style="bold").append_text(line[10:]) if n == 0 else line)
    out.print()
    FEEDS.print(_feeds(facts))
    for what, command in (("Each delivery", "main.py files"), ("Each table", "main.py status --tables")):
        out.print(Text(f"{what + ':':<15}{to_copy(command)}"), soft_wrap=True)


def _print_attention(items: Sequence[Mapping[str, Any]], out: Console) -> None:
    """One item after the other: whose it is, what is the matter, and below it the command that shows exactly it."""
    if not items:
        out.print(Text("Nothing needs attention.", style="bold"))
        return
    out.print(Text("Needs attention", style="bold"))
    width = max(len(item["feed"] or WHOLE) for item in items)
    for item in items:
        for line in hanging(text(item["text"]), out, f"  {item['feed'] or WHOLE:<{width}}  "):
            out.print(line)
        if item["command"]:  # not folded: it is there to be copied
            out.print(Text(" " * (width + 4) + printable(to_copy(item["command"])), style="cyan"), soft_wrap=True)


def _in_words(facts: Mapping[str, Any]) -> Iterator[tuple[str, Text]]:
    yield "Lake", text(facts["lake"])
    yield "Last run", _run_in_words(facts["last_run"]) if facts["last_run"] else Text("none")
    if other := facts["later_command"]:
        yield "After it", _run_in_words(other)
    yield "Gold", text(_gold_in_words(facts["gold"]))


def _run_in_words(run: Mapping[str, Any]) -> Text:
    return Text.assemble(printable(run["command"]), ", ", text(run["status"]), f" at {run['finished_at']}")


def _gold_in_words(gold: Mapping[str, Any]) -> str:
    if gold["newest_delivery_at"] is None:
        return "empty"
    waiting = gold["waiting_deliveries"]
    wait = f"{waiting:,} later {'one waits' if waiting == 1 else 'ones wait'}: {to_copy('main.py run')}"
    wait = wait if waiting else "none is waiting"
    return f"newest delivery of {gold['newest_delivery_at']} ({_ago(gold['age_seconds'])} ago); {wait}"


def _ago(seconds: int) -> str:
    if seconds < HOUR:
        return f"{seconds // 60} min"
    return f"{seconds // HOUR} h" if seconds < 2 * DAY else f"{seconds // DAY:,} days"


def _feeds(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a feed: of the log, of the configuration, or of both."""
    logs = {each["feed"]: each for each in facts["deliveries"]}
    days = {each["feed"]: each for each in facts["completeness"]}
    rows = []
    for feed in sorted({*logs, *days}):
        log, day = Counter(logs.get(feed, {})), days.get(feed)
        deliveries, refused = sum(log[name] for name in STATUSES), log["rejected"] + log["conflict"]
        last_day, yesterday = (day["last_day"] or "none", _complete(day)) if day else ("", "")
        values = (feed, deliveries, refused, log["rows_read"], log["rows_rejected"], last_day, yesterday)
        rows.append(dict(zip(FEED_COLUMNS, values, strict=True)))
    return rows


def _complete(day: Mapping[str, Any]) -> str:
    """How complete yesterday is, never rounded up to 100 %."""
    received, missing = day["intervals_received"], day["intervals_missing"]
    if missing is None:
        return "nothing"
    share = 100 * received / (received + missing) if received + missing else 100
    return f"{math.floor(share * 100) / 100:.2f} %"


def _print_tables(facts: Mapping[str, Any]) -> None:
    """The inventory: rows, version, files and bytes of each table."""
    TABLES.print(facts["tables"])
    files, size = (sum(each[name] or 0 for each in facts["tables"]) for name in ("files", "bytes"))
    whole = "" if facts["disk_bytes"] is None else f"; {_megabytes(facts['disk_bytes'])} on disk with earlier versions"
    console().print(f"{_megabytes(size)} in {files:,} files{whole}.")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
