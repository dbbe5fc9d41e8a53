"""`status`: a lake at a glance, and what to look at first. No JVM in path mode."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from rich.text import Text

from jobs.shared import yesterday
from jobs.shared.output import cell, console, must_exist, print_table, text
from pipeline import formats
from pipeline.deliveries import ingestion_log, open_issues, tally
from pipeline.errors import LOST_FILE_SECTION
from pipeline.lake import access, lost_files, maintenance, tables

if TYPE_CHECKING:
    from pipeline.deliveries.tally import Tally
    from pipeline.runtime.context import Context

COUNTS = ("loaded", "duplicate", "rejected", "conflict", "rows_read", "rows_rejected")
SHOWN_GAPS = 10
# Layers that are derived from bronze and the log.
FOLLOWING = ("silver.", "gold.")
HOUR, DAY = 3600, 86400


def run(context: Context, *, as_json: bool) -> None:
    """Print the facts, for people or for programs."""
    must_exist(context)
    facts = found(context)
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        _print(facts)


def found(context: Context) -> dict[str, Any]:
    """The last run, what needs attention, deliveries by feed, completeness of yesterday, and the tables."""
    runs = sorted(access.small_rows(context, tables.RUNS, tables.RUNS.names), key=lambda row: row["started_at"])
    log = ingestion_log.rows(context)
    counted = tally.of(log, tally.FOR_MEASURES)
    days = yesterday.completeness(context)
    return {
        "lake": context.settings.where,
        "last_run": {name: cell(value) for name, value in runs[-1].items()} if runs else None,
        "gold": _gold(context, counted),
        "late": _late(days, counted),
        "refused": open_issues.standing_refusals(open_issues.refused_in(log)),
        "missing_generations": open_issues.missing_from(log, context.settings.never_sent),
        "lost_files": _lost(context),
        "overlapping_agreements": _overlaps(context),
        "deliveries": _by_feed(counted),
        "completeness": days,
        "disk_bytes": maintenance.bytes_on_disk(context),
        "tables": [
            {
                "table": table.full_name,
                "rows": access.row_count(context, table),
                "version": access.version(context, table),
                **maintenance.storage(context, table),
            }
            for table in formats.lake_tables(context.settings)
        ],
    }


def _lost(context: Context) -> list[dict[str, Any]]:
    """Tables with missing data files."""
    found = [(table.full_name, lost_files.of_table(context, table)) for table in formats.lake_tables(context.settings)]
    return [{"table": name, "files": len(lost), "first": lost[0]} for name, lost in found if lost]


def _gold(context: Context, counted: list[Tally]) -> dict[str, Any]:
    """How far gold.meter_day is behind the log: the newest delivery in it, and how many wait."""
    done = access.done_to(context, tables.METER_DAY)
    newest = tally.newest_in(counted, done)
    return {
        "newest_delivery_at": cell(newest),
        "age_seconds": int((context.now - newest).total_seconds()) if newest else None,
        "waiting_deliveries": tally.waiting(counted, done),
    }


def _late(days: list[dict[str, Any]], counted: list[Tally]) -> list[dict[str, Any]]:
    """Feeds without a reading of yesterday or later: their last day, and when their last delivery came."""
    last_delivery: dict[str, Any] = {}
    for each in sorted(counted, key=lambda tally: tally.file_id):
        last_delivery[each.feed] = each.received_at
    return [
        {
            "feed": feed["feed"],
            "last_day": feed["last_day"],
            "last_delivery_at": cell(last_delivery.get(feed["feed"])),
        }
        for feed in days
        if feed["last_day"] is None or feed["last_day"] < feed["yesterday"]
    ]


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
    out.print(Text(f"Lake {facts['lake']}"))
    if last := facts["last_run"]:
        out.print(Text(f"Last run: {last['command']},"), text(last["status"]), Text(f"at {last['finished_at']}"))
        if last["error"]:
            out.print(text(f"  {last['error']}"))
    out.print(text(f"Gold: {_gold_in_words(facts['gold'])}"))
    if notes := _notes(facts):
        out.print(Text("To look at", style="bold"))
        for note in notes:
            out.print(text(f"  {note}"))
    else:
        out.print("Nothing to look at.")
    print_table(["feed", *COUNTS], [list(each.values()) for each in facts["deliveries"]], title="Deliveries")
    print_table(list(facts["tables"][0]), [list(each.values()) for each in facts["tables"]], title="Tables")
    files, size = (sum(each[name] for each in facts["tables"]) for name in ("files", "bytes"))
    whole = "" if facts["disk_bytes"] is None else f"; {_megabytes(facts['disk_bytes'])} on disk with earlier versions"
    out.print(f"{_megabytes(size)} in {files:,} files{whole}.")
    _print_yesterday(facts["completeness"])


def _gold_in_words(gold: dict[str, Any]) -> str:
    if gold["newest_delivery_at"] is None:
        return "empty"
    waiting = gold["waiting_deliveries"]
    wait = f"{waiting:,} later deliveries wait: main.py run" if waiting else "none is waiting"
    return f"its newest delivery came at {gold['newest_delivery_at']} ({_ago(gold['age_seconds'])} ago); {wait}"


def _notes(facts: dict[str, Any]) -> list[str]:
    """What needs attention, one line each, with where to look."""
    notes = [
        f"{each['table']}: {each['files']:,} data files are missing, such as {each['first']}: see {LOST_FILE_SECTION}"
        for each in facts["lost_files"]
    ]
    for late in facts["late"]:
        last = f"its last day is {late['last_day']}" if late["last_day"] else "it has no readings"
        came = (
            f"its last delivery came at {late['last_delivery_at']}" if late["last_delivery_at"] else "no delivery yet"
        )
        notes.append(f"{late['feed']}: no readings for yesterday; {last}, {came}")
    notes += [
        f"{each['feed']}: {each['files']:,} refused, {each['reason_code']}, not replaced since: main.py files"
        for each in facts["refused"]
    ]
    notes += [
        f"{name} is missing: "
        + ("main.py run rebuilds it" if name.startswith(FOLLOWING) else "main.py verify says what is lost")
        for name in (each["table"] for each in facts["tables"] if each["version"] is None)
    ]
    gaps = facts["missing_generations"]
    for gap in gaps[:SHOWN_GAPS]:
        numbers = gap["first"] if gap["count"] == 1 else f"{gap['first']} to {gap['last']} ({gap['count']:,})"
        notes.append(f"{gap['feed']}: numbers never loaded: {numbers}")
    if len(gaps) > SHOWN_GAPS:
        notes.append(f"and {len(gaps) - SHOWN_GAPS:,} more gaps in numbers: main.py status --json")
    if facts["overlapping_agreements"]:
        count = facts["overlapping_agreements"]
        notes.append(f"reference: meterpoints with overlapping agreements (the latest one counts): {count:,}")
    if small := sum(each["small_files"] or 0 for each in facts["tables"]):
        notes.append(f"{small:,} small files that share a partition with others: main.py maintain")
    return notes


def _ago(seconds: int) -> str:
    if seconds < HOUR:
        return f"{seconds // 60} min"
    return f"{seconds // HOUR} h" if seconds < 2 * DAY else f"{seconds // DAY:,} days"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _print_yesterday(feeds: list[dict[str, Any]]) -> None:
    """Print how complete yesterday is; for a feed without readings of yesterday, its last day."""
    rows = []
    for feed in feeds:
        received, missing = feed["intervals_received"], feed["intervals_missing"]
        if missing is None:
            said = f"nothing yet; the last day is {feed['last_day']}" if feed["last_day"] else "nothing yet"
        else:
            share = 100 * received / (received + missing) if received + missing else 100
            said = f"{math.floor(share * 100) / 100:.2f} %"  # never rounded up to 100 %
        rows.append([feed["feed"], feed["yesterday"], feed["meters"], received, missing, said])
    names = ["feed", "yesterday", "meters", "intervals", "missing", "complete"]
    print_table(names, rows, title="Completeness of yesterday (each feed's local day)")


def _overlaps(context: Context) -> int:
    """Meterpoints with two agreements that are valid on the same day."""
    rows = access.small_rows(context, tables.AGREEMENT, ["meterpoint_id", "valid_from", "valid_to"])
    by_meter: dict[str, list[tuple[date, date]]] = {}
    for row in rows:
        end = row["valid_to"] or date.max
        if row["valid_from"] < end:
            by_meter.setdefault(row["meterpoint_id"], []).append((row["valid_from"], end))
    overlapping = 0
    for spans in by_meter.values():
        spans.sort()
        overlapping += any(later[0] < earlier[1] for earlier, later in pairwise(spans))
    return overlapping
