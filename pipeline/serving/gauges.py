"""Metrics of a lake for Prometheus. Pure: facts of the lake in, a registry out.

Every metric is a gauge of what the lake holds, so a restart, a second server or a killed run does not change a number.
Times are given as instants, not as ages: an age would stand still between two runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Gauge

from pipeline.clock.zones import zone_info
from pipeline.deliveries.delivery import LOADED, REFERENCE, WITHDRAWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.config.metrics import Metrics
    from pipeline.deliveries.delivery import Delivery
    from pipeline.deliveries.tally import Tally

LAYERS = ("bronze", "silver", "gold")
# Commands that bring gold up to date.
MAIN_JOB = {"run", "watch", "demo"}


@dataclass(frozen=True)
class Facts:
    """What is measured, as in `status` and the tables."""

    runs: Sequence[Mapping[str, Any]] = ()
    # One by one, or counted: then each stands for many, with the file_id of the newest.
    deliveries: Sequence[Delivery | Tally] = ()
    # file_id -> instant
    received: Mapping[int, datetime] = field(default_factory=dict)
    waiting: int = 0
    standing_refusals: Sequence[Mapping[str, Any]] = ()
    missing_generations: Sequence[Mapping[str, Any]] = ()
    yesterday: Sequence[Mapping[str, Any]] = ()
    # Feed -> end of its last local day with readings.
    last_day_ends: Mapping[str, datetime] = field(default_factory=dict)
    # Table -> rows; files, bytes, small_files and version of each.
    tables: Sequence[Mapping[str, Any]] = ()
    disk_bytes: int | None = None


def registry(facts: Facts, wanted: Metrics) -> CollectorRegistry:
    """All metrics of those facts."""
    into = CollectorRegistry()
    _runs(into, facts.runs, wanted)
    _deliveries(into, facts)
    _days(into, facts)
    _tables(into, facts)
    return into


def _gauge(into: CollectorRegistry, name: str, help_text: str, labels: Sequence[str] = ()) -> Gauge:
    return Gauge(f"meterlake_{name}", help_text, labels, registry=into)


def _runs(into: CollectorRegistry, runs: Iterable[Mapping[str, Any]], wanted: Metrics) -> None:
    """The newest main job and the newest that succeeded; the newest `verify`."""
    ended = sorted(runs, key=lambda run: run["finished_at"])
    main = [run for run in ended if run["command"].split(" --")[0] in MAIN_JOB]
    if main:
        last = main[-1]
        _gauge(into, "last_run_timestamp_seconds", "End of the last main job").set(last["finished_at"].timestamp())
        _gauge(into, "last_run_success", "1 if the last main job succeeded, else 0").set(_succeeded(last))
        seconds = (last["finished_at"] - last["started_at"]).total_seconds()
        _gauge(into, "last_run_duration_seconds", "How long the last main job took").set(seconds)
        layers = _gauge(into, "layer_duration_seconds", "The last main job, by layer", ["layer"])
        for layer in LAYERS:
            if (took := last.get(f"{layer}_milliseconds")) is not None:
                layers.labels(layer).set(took / 1000)
        good = [run for run in main if _succeeded(run)]
        due = next_due(good[-1]["finished_at"], wanted) if good else first_due(main[0]["finished_at"], wanted)
        _gauge(into, "next_success_due_timestamp_seconds", "When a later main job must have succeeded").set(
            due.timestamp()
        )
        if good:
            _gauge(into, "last_success_timestamp_seconds", "End of the last main job that succeeded").set(
                good[-1]["finished_at"].timestamp()
            )
    checks = [run for run in ended if run["command"] == "verify"]
    if checks:
        _gauge(into, "last_verify_timestamp_seconds", "End of the last verify").set(
            checks[-1]["finished_at"].timestamp()
        )
        _gauge(into, "last_verify_success", "1 if silver and gold were what bronze says, else 0").set(
            _succeeded(checks[-1])
        )


def _succeeded(run: Mapping[str, Any]) -> bool:
    return bool(run["status"] == "succeeded")


def next_due(success: datetime, wanted: Metrics) -> datetime:
    """A success counts for its own local day: the next one is due at the due time of the day after."""
    local = success.astimezone(zone_info(wanted.time_zone))
    return _at(local.date() + timedelta(days=1), wanted)


def first_due(first: datetime, wanted: Metrics) -> datetime:
    """If nothing ever succeeded: the due time on the day of the first try."""
    return _at(first.astimezone(zone_info(wanted.time_zone)).date(), wanted)


def _at(day: Any, wanted: Metrics) -> datetime:  # noqa: ANN401 - a date
    return datetime.combine(day, time.fromisoformat(wanted.due), zone_info(wanted.time_zone)).astimezone(UTC)


def _deliveries(into: CollectorRegistry, facts: Facts) -> None:
    files = _gauge(into, "files", "Deliveries in the log", ["feed", "status"])
    rows = _gauge(into, "rows", "Source rows of loaded deliveries", ["feed", "outcome"])
    ratio = _gauge(into, "rejected_ratio", "Share of rows rejected in the feed's newest batch with rows", ["feed"])
    arrived = _gauge(into, "feed_last_delivery_timestamp_seconds", "When the last loaded delivery came", ["feed"])
    for each in sorted(facts.deliveries, key=lambda delivery: delivery.file_id):
        files.labels(each.feed, each.status or "").inc(each.deliveries)
        if each.status != LOADED:
            continue
        rows.labels(each.feed, "accepted").inc(each.rows_accepted)
        rows.labels(each.feed, "rejected").inc(each.rows_rejected)
        arrived.labels(each.feed).set(facts.received[each.file_id].timestamp())
    for feed, (rejected, read) in _newest_with_rows(facts.deliveries).items():
        ratio.labels(feed).set(rejected / read)
    _gauge(into, "waiting_deliveries", "Loaded deliveries that gold does not have yet").set(facts.waiting)
    standing = _gauge(
        into, "standing_refusals", "Refused deliveries that no sound delivery has replaced", ["feed", "reason_code"]
    )
    for refusal in facts.standing_refusals:
        standing.labels(refusal["feed"], refusal["reason_code"]).set(refusal["files"])
    gaps = _gauge(into, "sequence_gaps", "Sender numbers that were never loaded", ["feed"])
    for feed in {each.feed for each in facts.deliveries if each.numbered}:
        gaps.labels(feed).set(0)
    for gap in facts.missing_generations:
        gaps.labels(gap["feed"]).inc(gap["count"])


def _newest_with_rows(deliveries: Iterable[Delivery | Tally]) -> dict[str, tuple[int, int]]:
    """Feed -> rows rejected and rows read of its newest batch with rows."""
    batches: dict[str, dict[int, tuple[int, int]]] = {}
    for each in deliveries:
        if each.status == LOADED and each.rows_read:
            of_feed = batches.setdefault(each.feed, {})
            rejected, read = of_feed.get(each.batch_id, (0, 0))
            of_feed[each.batch_id] = rejected + each.rows_rejected, read + each.rows_read
    return {feed: of_feed[max(of_feed)] for feed, of_feed in batches.items()}


def _days(into: CollectorRegistry, facts: Facts) -> None:
    complete = _gauge(into, "completeness_ratio", "Share of yesterday's expected intervals that are there", ["feed"])
    for day in facts.yesterday:
        received, missing = day["intervals_received"], day["intervals_missing"]
        if missing is not None and received + missing:
            complete.labels(day["feed"]).set(received / (received + missing))
    ends = _gauge(into, "feed_last_day_end_timestamp_seconds", "End of the last local day with readings", ["feed"])
    for feed, end in facts.last_day_ends.items():
        ends.labels(feed).set(end.timestamp())


def _tables(into: CollectorRegistry, facts: Facts) -> None:
    sizes = {
        "rows": _gauge(into, "table_rows", "Rows of the newest version", ["table"]),
        "bytes": _gauge(into, "table_bytes", "Bytes of the newest version's files", ["table"]),
        "files": _gauge(into, "table_files", "Files of the newest version", ["table"]),
        "small_files": _gauge(into, "table_small_files", "Files that maintain would compact", ["table"]),
        "version": _gauge(into, "table_version", "The newest version", ["table"]),
    }
    for table in facts.tables:
        for name, gauge in sizes.items():
            if table[name] is not None:
                gauge.labels(table["table"]).set(table[name])
    rows = {table["table"]: table["rows"] for table in facts.tables}
    if "ops.restatements" in rows:
        _gauge(into, "restatements", "Published values that changed afterwards").set(rows["ops.restatements"])
    broken = _gauge(into, "conservation_broken", "Rows that a table has more or fewer than the log says", ["table"])
    for table_name, expected in rows_by_the_log(facts.deliveries).items():
        if table_name in rows:
            broken.labels(table_name).set(abs(rows[table_name] - expected))
    broken.labels("ops.ingestion_log").set(unaccounted(facts.deliveries))
    if facts.disk_bytes is not None:
        _gauge(into, "disk_bytes", "The lake's folder, earlier versions included").set(facts.disk_bytes)


def rows_by_the_log(deliveries: Iterable[Delivery | Tally]) -> dict[str, int]:
    """Bronze table of each feed -> the rows that it must hold according to the log.

    The reference's three tables share one delivery, and a source row may give several rejected rows: both are left to
    `verify`, which counts by delivery and row.
    """
    expected: dict[str, int] = {}
    for each in deliveries:
        if each.status in {LOADED, WITHDRAWN} and each.feed != REFERENCE:
            expected[f"bronze.{each.feed}"] = expected.get(f"bronze.{each.feed}", 0) + each.rows_read
    return expected


def unaccounted(deliveries: Iterable[Delivery | Tally]) -> int:
    """Rows of loaded deliveries that are counted as neither accepted nor rejected, or as both."""
    return sum(each.unaccounted for each in deliveries if each.status == LOADED)
