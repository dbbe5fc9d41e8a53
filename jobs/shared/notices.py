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
    from pipeline.runtime.context import Context

PROPERTY = "meterlake.told."
LONGEST = 300


def tell(context: Context) -> None:
    """Send what is due by every channel; one that fails is a warning in the log, and the next run tries again."""
    wanted = context.settings.notify
    if wanted is None:
        return
    try:
        items, before = attention.found(context), access.properties(context, tables.RUNS) or {}
        for channel in sending.channels(wanted):
            told = before.get(PROPERTY + channel.name, "")
            due = notice.of(context.settings.where, items, told.split(",") if told else [])
            if due is not None and _is_sent(context, channel, due):
                maintenance.set_properties(context, tables.RUNS, {PROPERTY + channel.name: ",".join(due.digests)})
    except Exception as problem:  # noqa: BLE001 - the readings are in
        context.log.warning("what needs attention could not be told", error=error_messages.one_line(problem))


def _is_sent(context: Context, channel: sending.Channel, due: notice.Notice) -> bool:
    try:
        channel.send(due)
    except Exception as problem:  # noqa: BLE001 - the readings are in, and the other channel may work
        said = " ".join(f"{type(problem).__name__}: {problem}".split())[:LONGEST]
        context.log.warning("a notice could not be sent", by=channel.name, error=said)
        return False
    context.log.info("notice sent", by=channel.name, items=len(due.items))
    return True
