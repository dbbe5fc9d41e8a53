"""Completeness: gold.missing_intervals for the days that new readings or agreements may have changed."""

from __future__ import annotations

from datetime import date, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline.attention.yesterday import days_present
from pipeline.lake import access, tables
from pipeline.lake.days import days_text, on_days
from pipeline.layers import agreements, changed_days, completeness

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed
    from pipeline.layers.changed_days import Days
    from pipeline.runtime.context import Context


def run(context: Context, rebuild: Days | None = None) -> None:
    """Bring gold.missing_intervals up to gold.meter_day; the days in `rebuild` are checked in any case."""
    written = access.mark(context, tables.MISSING)
    batch_id = access.done_to(context, tables.METER_DAY)
    snapshot = int(access.mark(context, tables.METERPOINT).get("file_id", 0))
    feeds = [feed.name for feed in context.settings.feeds]
    present = days_present(context)
    last_days = {feed: max(some) for feed, some in present.items()}
    by_agreement = list(context.settings.reference_feeds)
    mark = {
        "batch_id": batch_id,
        "snapshot": snapshot,
        "by_agreement": by_agreement,
        "last_days": {feed: day.isoformat() for feed, day in last_days.items()},
    }
    done, done_snapshot = int(written.get("batch_id", 0)), int(written.get("snapshot", 0))
    before = list(written.get("by_agreement", by_agreement))
    if not (last_days or written) or (
        not rebuild and (done, done_snapshot, before) == (batch_id, snapshot, by_agreement)
    ):
        return
    days: Days = dict(rebuild or {})
    if batch_id > done:
        days = changed_days.joined(days, changed_days.changed_days(context, done, feeds))
    if before != by_agreement:
        every_day = changed_days.days_there_are(context, sorted({*before, *by_agreement}))
        days = changed_days.joined(days, every_day)
    elif snapshot > done_snapshot:
        days = changed_days.joined(days, changed_days.days_of_changed_agreements(context, done_snapshot, snapshot))
    # The feed's last day may have moved: forward with new readings, back with a withdrawal. The days between the old
    # and the new last day begin to count, or no longer count.
    until_now = {feed: date.fromisoformat(day) for feed, day in written.get("last_days", {}).items() if feed in days}
    earlier = {feed: [min(day, last_days.get(feed, day))] for feed, day in until_now.items()}
    ends = {feed: max(last_days.get(feed, date.min), until_now.get(feed, date.min)) for feed in days}
    days = _with_the_week_after(changed_days.joined(days, earlier), ends)
    days = {feed: some for feed, some in days.items() if some and feed in feeds}
    context.log.doing(f"Looking for missing intervals on {sum(map(len, days.values())):,} days")
    rows = _write(context, days, _that_count(days, present), mark)
    context.log.info("gold", table=tables.MISSING.full_name, days=sum(map(len, days.values())), rows=rows)


def _with_the_week_after(days: Days, last_days: dict[str, date]) -> Days:
    """The days and the week after each, up to the feed's last day: a reading makes others expected for a week."""
    week = [timedelta(days=n) for n in range(completeness.REMEMBERED_DAYS + 1)]
    return {
        feed: sorted({day + after for day in some for after in week if last_days[feed] - day >= after})
        for feed, some in days.items()
        if feed in last_days
    }


def _that_count(days: Days, present: dict[str, set[date]]) -> Days:
    """The days on which something may be missing: in the week after a reading, up to the last day."""
    week = [timedelta(days=n) for n in range(completeness.REMEMBERED_DAYS + 1)]
    counting: Days = {}
    for feed, some in days.items():
        there = present.get(feed, set())
        live = [
            day
            for day in some
            if there and day <= max(there) and any(day - n in there for n in week if day - date.min >= n)
        ]
        if live:
            counting[feed] = live
    return counting


def _write(context: Context, days: Days, counting: Days, mark: dict[str, Any]) -> int:
    """Replace the rows of `days` with the gaps of `counting`; silver is read only for days that have some."""
    incomplete = {feed: _incomplete(context, context.settings.feed(feed), some) for feed, some in counting.items()}
    with_gaps: Days = {}
    missing = 0
    if incomplete:
        by_day = reduce(DataFrame.unionByName, incomplete.values()).groupBy("feed", "local_date")
        for row in by_day.agg(F.sum("missing").alias("missing")).toArrow().to_pylist():
            with_gaps.setdefault(row["feed"], []).append(row["local_date"])
            missing += row["missing"]
    if not with_gaps:
        return access.write_rows(context, tables.MISSING, [], mark, days_text(days) if days else None)
    gaps = [
        completeness.missing_intervals(
            incomplete[feed], access.read_days(context, tables.READINGS, {feed: some}), context.settings.feed(feed)
        )
        for feed, some in with_gaps.items()
    ]
    # Readings longer or shorter than the rest of their day hide gaps from the count: at most as many as were counted.
    return access.replace_days(
        context, tables.MISSING, reduce(DataFrame.unionByName, gaps), days, mark, at_most=2 * missing
    )


def _incomplete(context: Context, feed: Feed, days: list[date]) -> DataFrame:
    """Meter-days of the feed that are expected on those days and not complete."""
    week = [timedelta(days=n) for n in range(completeness.REMEMBERED_DAYS + 1)]
    before = sorted({day - earlier for day in days for earlier in week if day - date.min >= earlier})
    meter_days = access.read_days(context, tables.METER_DAY, {feed.name: before})
    expected = [completeness.expected_by_history(meter_days, feed)]
    if feed.name in context.settings.reference_feeds:
        products = agreements.product_of_day(changed_days.agreed(context), days)
        expected.append(completeness.expected_by_agreement(products, feed))
    wanted = on_days({feed.name: days})
    return completeness.incomplete([part.where(wanted) for part in expected], meter_days, feed)
