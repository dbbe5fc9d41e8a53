"""`replay FILE…`: decide or judge deliveries again, after a rule or the configuration changed, or after a withdrawal.

A refused delivery is read again from the landing folder, if it still has the same bytes; the rows of a loaded one are
judged again from bronze. It keeps its place in the order of arrival: what came later still wins. The log is written
last, as for any batch. A dry run judges few rows in Python, so that it needs no JVM.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from jobs.shared import as_received
from jobs.shared.listing import Listing
from jobs.shared.output import must_exist
from jobs.shared.recorded import recorded
from pipeline import formats
from pipeline.deliveries import archive, decisions, ingestion_log, landing, news
from pipeline.deliveries.decisions import History
from pipeline.deliveries.delivery import CONFLICT, LOADED, REFUSED, WITHDRAWN, Delivery
from pipeline.deliveries.names import delivery_named
from pipeline.errors import ReplayError, UsageError
from pipeline.formats import trial
from pipeline.formats.judged import ALWAYS, NOTHING, counts, received_at
from pipeline.layers import lake_zones
from pipeline.serving import received

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.config.feeds import Feed
    from pipeline.runtime.context import Context

REPLAYABLE = {LOADED, WITHDRAWN} | REFUSED
SHOWN = Listing(
    columns=("file_id", "file", "was", "is", "accepted", "rejected"),
    narrow=("file_id", "file", "accepted", "rejected"),
    folds="file",
    below=("was", "is"),
    names={"file_id": "id"},
    joined=" -> ",
)


class Judge(Protocol):
    """Judges a delivery's rows, those in bronze or those of its file, by today's rules."""

    def __call__(self, context: Context, feed: Feed, delivery: Delivery, *, in_bronze: bool) -> Delivery:
        """The delivery with its new counts."""


@dataclass(frozen=True)
class Replayed:
    """A delivery as the log has it and as it is decided now."""

    before: Delivery
    after: Delivery

    def facts(self) -> dict[str, Any]:
        """The change as JSON may hold it."""
        names = ("status", "reason_code", "rows_read", "rows_accepted", "rows_rejected")
        then, now = ({name: getattr(each, name) for name in names} for each in (self.before, self.after))
        return {"file_id": self.before.file_id, "file": self.before.file_path, "before": then, "after": now}


def run(context: Context, names: Sequence[str], *, dry_run: bool, as_json: bool, wait_seconds: float = 0) -> None:
    """Decide the named deliveries again and bring silver and gold up to date; a dry run only shows the changes."""
    context.need_spark("replay")
    if dry_run:
        must_exist(context)
        lake_zones.check_zones(context)
        chosen = _chosen(context, names)
        judge = _in_python if _few_rows(chosen) else _by_spark
        _show(_decided_by_todays_rules(context, chosen, judge), {}, dry_run=True, as_json=as_json)
        return
    from jobs import archiving  # noqa: PLC0415 - a dry run imports no PySpark
    from jobs import run as main_job  # noqa: PLC0415

    with recorded(context, f"replay {' '.join(names)}", wait_seconds) as outcome:
        archiving.finish(context)
        chosen = _chosen(context, names)
        context.expect(formats.weighed(context.settings, chosen))
        context.spark  # noqa: B018 - column expressions need it
        batch_id = ingestion_log.last_batch(context) + 1
        changed = _decided_by_todays_rules(context, chosen, _by_spark)
        counting = [each.after for each in changed if each.after.status == LOADED]
        if counting:
            counting = _loaded(context, [each for each in changed if each.after.status == LOADED])
            ingestion_log.revise(context, counting, batch_id)
        outcome.batch.deliveries = counting
        main_job.derive(context, outcome)
    _show(changed, outcome.restated, dry_run=False, as_json=as_json)


def _chosen(context: Context, names: Sequence[str]) -> list[Delivery]:
    """The named deliveries, in the order of arrival."""
    meant = [delivery_named(ingestion_log.that_may_be(context, name), name, REPLAYABLE, "replay") for name in names]
    chosen = {each.file_id: each for each in meant}
    return [chosen[number] for number in sorted(chosen)]


def _few_rows(chosen: list[Delivery]) -> bool:
    """Whether Python judges them sooner than a JVM starts."""
    return sum(each.rows_read for each in chosen) <= trial.MOST_ROWS


def _decided_by_todays_rules(context: Context, chosen: list[Delivery], judge: Judge) -> list[Replayed]:
    batch_id = ingestion_log.last_batch(context) + 1
    return [_decided(context, delivery, batch_id, judge) for delivery in chosen]


def _decided(context: Context, delivery: Delivery, batch_id: int, judge: Judge) -> Replayed:
    feed = next((feed for feed in context.settings.feeds if feed.name == delivery.feed), None)
    if feed is None:
        raise UsageError(f"feed {delivery.feed!r} of file {delivery.file_id} is no longer in the configuration")
    form = formats.format_of(feed)
    by_name = form.identity_is_name
    of_its_name = news.with_names(
        ingestion_log.rows(context),
        feed.name,
        {delivery.file_name if by_name else delivery.relative_path},
        by_name=by_name,
    )
    others = [each for each in of_its_name if each.file_id != delivery.file_id]
    if delivery.reason_code:  # refused, perhaps settled since
        return Replayed(delivery, _looked_at_again(context, delivery, others, batch_id, judge))
    taken = History.of(others).loaded_by_name.get(delivery.file_name) if by_name else None
    if delivery.status == WITHDRAWN and taken is not None:
        reason = f"the name was loaded since as file {taken.file_id} ({taken.relative_path}): withdraw that one first"
        return Replayed(delivery, delivery.refused("CHANGED_AFTER_LOADING", reason, CONFLICT))
    judged = judge(context, feed, delivery, in_bronze=True)
    # Its old days too: a reading that no longer passes must be removed there.
    dates = tuple(sorted({*delivery.local_dates, *judged.local_dates}))
    return Replayed(delivery, replace(judged, local_dates=dates, status=LOADED, reason=None, revision=batch_id))


def _looked_at_again(
    context: Context, delivery: Delivery, others: list[Delivery], batch_id: int, judge: Judge
) -> Delivery:
    feed, form = context.settings.feed(delivery.feed), formats.format_of(context.settings.feed(delivery.feed))
    place, found = _where_it_lies(context, feed, delivery)
    verdict = decisions.decide([found], History.of(others), by_name=form.identity_is_name)
    if not verdict or verdict[0].status != LOADED:
        return verdict[0] if verdict else delivery
    new = replace(
        verdict[0],
        file_id=delivery.file_id,
        batch_id=batch_id,
        revision=batch_id,
        received_at=delivery.received_at,
        file_path=delivery.file_path,
    )
    return judge(context, place, new, in_bronze=False)


def _in_python(context: Context, feed: Feed, delivery: Delivery, *, in_bronze: bool) -> Delivery:
    """The counts that today's rules give, without a JVM; the days are not asked for. By Spark where Python may not."""
    if in_bronze:
        rows = as_received.rows_for_python(context, feed)
        return _by_spark(context, feed, delivery) if rows is None else received.recounted(feed, delivery, rows)
    if delivery.rows_read > trial.MOST_ROWS or not trial.can_judge(feed):
        return _by_spark(context, feed, delivery, in_bronze=False)
    return trial.tried(landing.read(delivery, feed), delivery, feed, delivery.received_at or ALWAYS).delivery


def _by_spark(context: Context, feed: Feed, delivery: Delivery, *, in_bronze: bool = True) -> Delivery:
    """The counts and days that today's rules give to its rows in bronze, or in its file."""
    from jobs.shared import ingestion  # noqa: PLC0415 - a dry run imports no PySpark
    from pipeline.layers.judged import judged  # noqa: PLC0415

    if not context.has_spark:
        context.expect(formats.weighed(context.settings, [delivery]))
    context.spark  # noqa: B018 - column expressions need it
    form = formats.format_of(feed)
    if in_bronze:
        rows = judged(context, feed, [delivery])
    else:
        contents = landing.contents_with_file_id(context.spark, form.contents, [delivery], feed)
        rows = ingestion.rows_of(form, contents, feed, [delivery], delivery.batch_id)
        rows = form.judged(rows, feed, received_at([delivery]))
    counted = counts(rows, many_readings_per_row=form.many_readings_per_row)
    return replace(delivery, **counted.get(delivery.file_id, NOTHING))


def _where_it_lies(context: Context, feed: Feed, delivery: Delivery) -> tuple[Feed, Delivery]:
    """The feed with the folder that the file lies in as its path, the landing folder or its archive; and the file."""
    form, there = formats.format_of(feed), False
    for place in archive.lies(feed, delivery):
        found = landing.at(place, delivery.relative_path)
        (inspected,) = landing.inspect([found] if found else [], place, form.inspect, context.settings.environment)
        if inspected.sha256 == delivery.sha256:
            return place, inspected
        there = True
    if there:
        raise ReplayError(delivery.file_path, "holds other bytes than those refused: `run` loads it as a new delivery")
    raise ReplayError(delivery.file_path, "is no longer in the landing folder: deliver it again")


def _loaded(context: Context, changed: list[Replayed]) -> list[Delivery]:
    """The deliveries that count now; rows of deliveries that were refused go into bronze first."""
    from jobs.shared import ingestion  # noqa: PLC0415 - a dry run imports no PySpark

    counting = [each.after for each in changed if not each.before.reason_code]
    for feed in context.settings.feeds:
        places: dict[str, tuple[Feed, list[Delivery]]] = {}
        for each in changed:
            if each.after.feed == feed.name and each.before.reason_code:
                place, _ = _where_it_lies(context, feed, each.before)
                places.setdefault(place.path, (place, []))[1].append(each.after)
        for place, new in places.values():
            counting += [each for each in ingestion.load(context, place, new) if each.status == LOADED]
    return counting


def _show(changed: list[Replayed], restated: dict[str, int], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"dry_run": dry_run, "files": [each.facts() for each in changed], "restated": restated}))
        return
    rows = [
        {
            "file_id": each.before.file_id,
            "file": each.before.relative_path,
            "was": _verdict(each.before),
            "is": _verdict(each.after),
            "accepted": f"{each.before.rows_accepted:,} -> {each.after.rows_accepted:,}",
            "rejected": f"{each.before.rows_rejected:,} -> {each.after.rows_rejected:,}",
        }
        for each in changed
    ]
    SHOWN.print(rows, title="What a replay would change" if dry_run else "Replayed")
    statuses = Counter(each.after.status for each in changed)
    counting = f"{statuses[LOADED]} of {len(changed)} deliveries"
    if dry_run:
        print(f"{counting} would count.")
    else:
        print(f"{counting} count; {sum(restated.values()):,} published values changed.")


def _verdict(delivery: Delivery) -> str:
    return f"{delivery.status} {delivery.reason_code}" if delivery.reason_code else str(delivery.status)
