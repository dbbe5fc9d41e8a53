"""`withdraw FILE`: a delivery that should not have come no longer counts; what it had superseded counts again.

A refused delivery counts for nothing already: withdrawing it settles it, and it is no longer reported.

Its rows stay in bronze, as received, and its row in the log says that it was withdrawn: the rest follows from that one
commit. The days it has readings on are rebuilt in silver and gold; `replay` brings it back.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.text import Text

from jobs import run as main_job
from jobs.shared.called import to_copy
from jobs.shared.output import console, must_exist
from jobs.shared.recorded import recorded
from pipeline import formats
from pipeline.deliveries import ingestion_log
from pipeline.deliveries.delivery import LOADED, REFUSED, WITHDRAWN
from pipeline.deliveries.names import delivery_named

if TYPE_CHECKING:
    from pipeline.deliveries.delivery import Delivery
    from pipeline.runtime.context import Context


def run(  # noqa: PLR0913 - each is an option of the command
    context: Context, name: str, reason: str, *, as_json: bool, wait_seconds: float = 0, dry_run: bool = False
) -> None:
    """Withdraw the delivery called `name`; `reason` is kept in the log. A dry run shows what would change."""
    if dry_run:
        must_exist(context)
        known = ingestion_log.that_may_be(context, name)
        _show_what_would_go(delivery_named(known, name, {LOADED}, "withdraw", otherwise=REFUSED), as_json=as_json)
        return
    with recorded(context, f"withdraw {name}", wait_seconds) as outcome:
        known = ingestion_log.that_may_be(context, name)
        delivery = delivery_named(known, name, {LOADED}, "withdraw", otherwise=REFUSED)
        said = f"withdrawn by run {context.run_id}" + (f": {reason}" if reason else "")
        batch_id = ingestion_log.last_batch(context) + 1
        withdrawn = replace(delivery, status=WITHDRAWN, reason=" ".join(said.split()), revision=batch_id)
        context.log.info("withdrawn", file_id=delivery.file_id, file=delivery.relative_path)
        if delivery.status in REFUSED:
            # Nothing that counts changes, so no layer has anything to do.
            settled = replace(withdrawn, reason=f"{delivery.reason}; {withdrawn.reason}", revision=delivery.revision)
            ingestion_log.note(context, [settled])
        else:
            context.expect(formats.weighed(context.settings, [delivery]))
            context.start_spark()
            ingestion_log.revise(context, [withdrawn], batch_id)
            main_job.derive(context, outcome)
    facts = {
        "file_id": delivery.file_id,
        "file": delivery.file_path,
        "status": WITHDRAWN,
        "rows": delivery.rows_accepted,
        "days": [day.isoformat() for day in delivery.local_dates],
        "restated": outcome.restated,
    }
    if as_json:
        print(json.dumps(facts, ensure_ascii=False))
        return
    if delivery.status in REFUSED:
        console().print(f"File {delivery.file_id} ({delivery.reason_code}) is settled: it is no longer reported.")
        return
    console().print(
        f"File {delivery.file_id} is withdrawn: {_readings(delivery)} on {_days(delivery)} no longer count, "
        f"{sum(outcome.restated.values()):,} published values changed.",
        markup=False,
    )
    back = to_copy(f"main.py replay '#{delivery.file_id}'")
    console().print(Text(f"  back in: {back}"), soft_wrap=True)


def _show_what_would_go(delivery: Delivery, *, as_json: bool) -> None:
    if as_json:
        facts = {
            "dry_run": True,
            "file_id": delivery.file_id,
            "file": delivery.file_path,
            "status": delivery.status,
            "rows": delivery.rows_accepted,
            "rejected_rows": delivery.rows_rejected,
            "days": [day.isoformat() for day in delivery.local_dates],
        }
        print(json.dumps(facts, ensure_ascii=False))
        return
    if delivery.status in REFUSED:
        said = f"File {delivery.file_id} ({delivery.reason_code}) would be settled; it has no rows in the lake."
    else:
        said = (
            f"{_readings(delivery)} on {_days(delivery)}{_rejected(delivery)} would no longer count: "
            f"file {delivery.file_id}, {delivery.file_path}."
        )
    console().print(f"{said} Nothing was done.", markup=False)


def _readings(delivery: Delivery) -> str:
    return "1 reading" if delivery.rows_accepted == 1 else f"{delivery.rows_accepted:,} readings"


def _rejected(delivery: Delivery) -> str:
    rows = delivery.rows_rejected
    return "" if not rows else " and 1 rejected row" if rows == 1 else f" and {rows:,} rejected rows"


def _days(delivery: Delivery) -> str:
    return f"{len(delivery.local_dates)} days" if len(delivery.local_dates) != 1 else "one day"
