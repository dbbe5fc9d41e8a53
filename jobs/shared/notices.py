"""Tells what needs attention after a run, once until it changes. No run fails because of it.

What was told is a property of ops.runs for each channel, so it is in every kind of lake and outlives the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline import attention
from pipeline.attention import notice, sending
from pipeline.lake import access, maintenance, tables
from pipeline.runtime import error_messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.attention import Item
    from pipeline.runtime.context import Context

PROPERTY = "meterlake.told."


def tell(context: Context) -> None:
    """Send what is due by every channel; one that fails is a warning in the log, and the next run tries again."""
    wanted = context.settings.notify
    if wanted is None:
        return
    try:
        items, before = attention.found(context), access.properties(context, tables.RUNS) or {}
    except Exception as problem:  # noqa: BLE001 - the readings are in
        context.log.warning("what needs attention could not be found", error=error_messages.one_line(problem))
        return
    for channel in sending.channels(wanted):
        try:
            _tell(context, channel, items, before.get(PROPERTY + channel.name, ""))
        except Exception as problem:  # noqa: BLE001 - the readings are in, and the other channel may work
            context.log.warning("a notice could not be sent", by=channel.name, error=error_messages.one_line(problem))


def _tell(context: Context, channel: sending.Channel, items: Sequence[Item], before: str) -> None:
    due = notice.of(context.settings.where, items, before.split(",") if before else [])
    if due is not None:
        channel.send(due)
        maintenance.set_properties(context, tables.RUNS, {PROPERTY + channel.name: ",".join(due.digests)})
        context.log.info("notice sent", by=channel.name, items=len(due.items))
