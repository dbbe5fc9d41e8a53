"""The list of what needs attention, in sentences, from the facts. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.attention.item import Item
from pipeline.deliveries.delivery import REFERENCE
from pipeline.errors import LOST_FILE_SECTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.attention.checked import Checked
    from pipeline.attention.facts import Facts, Late
    from pipeline.deliveries.delivery import Delivery

# Layers that are derived from bronze and the log.
FOLLOWING = ("silver.", "gold.")
# So many things are named; of more their number is told.
NAMED = 3
# What needs no quoting in SQL within a shell's double quotes.
PLAIN = re.compile(r"[\w .:-]+", re.ASCII)


def of(facts: Facts) -> list[Item]:
    """What needs attention, the most urgent first."""
    return [
        *_failed_run(facts.last_run),
        *_lost_files(facts.lost_files),
        *_missing_tables(facts.missing_tables),
        *of_checks(each for each in facts.checks if each.severity == "error"),
        *(_late(each) for each in facts.late),
        *_refused(facts),
        *_gaps(facts.missing_generations),
        *of_checks(each for each in facts.checks if each.severity != "error"),
        *_overlapping(facts.overlapping),
        *_small_files(facts.tables),
    ]


def _failed_run(run: Mapping[str, Any] | None) -> Iterator[Item]:
    if run and run["status"] == "failed":
        yield Item(
            "failed_run", None, f"The last run failed: {run['error']}", "main.py run", run["finished_at"], urgent=True
        )


def _lost_files(by_table: Mapping[str, Sequence[str]]) -> Iterator[Item]:
    for table, files in by_table.items():
        lost = "1 data file is" if len(files) == 1 else f"{len(files):,} data files are"
        text = f"{table}: {lost} missing, such as {files[0]}: see {LOST_FILE_SECTION}"
        yield Item("lost_files", None, text, "main.py verify", urgent=True)


def _missing_tables(missing: Sequence[str]) -> Iterator[Item]:
    for name in missing:
        if name.startswith(FOLLOWING):
            yield Item(
                "missing_table", None, f"{name} is missing; the next run rebuilds it", "main.py run", urgent=True
            )
        else:
            yield Item(
                "missing_table", None, f"{name} is missing; verify says what is lost", "main.py verify", urgent=True
            )


def of_checks(checks: Iterable[Checked]) -> Iterator[Item]:
    """Checks of the configuration that found rows, or whose SQL failed."""
    for each in checks:
        if each.says_something:
            rows = "1 row" if each.rows == 1 else f"{each.rows or 0:,} rows"
            text = f"Check {each.name} cannot be run: {each.error}" if each.error else f"Check {each.name} found {rows}"
            command, urgent = f"main.py sql --check {each.name}", each.severity == "error"
            yield Item("check", None, text, command, each.since, urgent=urgent)


def _late(late: Late) -> Item:
    if late.last_delivery_at is None:
        text = "No delivery yet"
    else:
        readings = f"No readings after {late.last_day}" if late.last_day else "No readings"
        expected = f", expected by {late.expected_by}" if late.expected_by else ""
        text = f"{readings}{expected}; last delivery {late.last_delivery_at:%Y-%m-%d %H:%M}Z"
    return Item("late", late.feed, text, f"main.py files --feed {late.feed}", late.since, urgent=True)


def _refused(facts: Facts) -> Iterator[Item]:
    by_feed: dict[str, list[Delivery]] = {}
    for each in facts.refused:
        by_feed.setdefault(each.feed, []).append(each)
    for feed, refused in sorted(by_feed.items()):
        if len(refused) == 1:
            text = f"{refused[0].relative_path} was refused ({refused[0].reason_code}) and is not replaced"
        else:
            codes = Counter(each.reason_code or "" for each in refused)
            reasons = ", ".join(f"{code} ({n:,})" if n > 1 else code for code, n in sorted(codes.items()))
            text = f"{len(refused):,} deliveries were refused and are not replaced: {reasons}"
        since = min((each.received_at for each in refused if each.received_at), default=None)
        yield Item("refused", feed, text, f"main.py files --open --feed {feed}", since, urgent=True)


def _gaps(gaps: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    by_feed: dict[str, list[Mapping[str, Any]]] = {}
    for gap in gaps:
        by_feed.setdefault(gap["feed"], []).append(gap)
    for feed, some in sorted(by_feed.items()):
        named = ", ".join(
            gap["first"] if gap["count"] == 1 else f"{gap['first']} to {gap['last']} ({gap['count']:,})"
            for gap in some[:NAMED]
        )
        more = f", and {len(some) - NAMED:,} more gaps" if len(some) > NAMED else ""
        yield Item("gap_in_numbers", feed, f"Numbers never loaded: {named}{more}", "main.py status --json")


def _overlapping(meters: Sequence[str]) -> Iterator[Item]:
    if not meters:
        return
    have = "1 meterpoint has" if len(meters) == 1 else f"{len(meters):,} meterpoints have"
    text = f"{have} overlapping agreements; the latest counts"
    shown = [meter for meter in meters if PLAIN.fullmatch(meter)][:NAMED]
    command = None
    if shown:
        which = ", ".join(f"'{meter}'" for meter in shown)
        command = f'main.py sql "SELECT * FROM silver.agreement WHERE meterpoint_id IN ({which})"'  # noqa: S608 - a text to show
    yield Item("overlapping_agreements", REFERENCE, text, command)


def _small_files(tables: Sequence[Mapping[str, Any]]) -> Iterator[Item]:
    if small := sum(each["small_files"] or 0 for each in tables):
        text = f"{small:,} small files share a partition with others"
        yield Item("small_files", None, text, "main.py maintain --dry-run")
