"""`watch`: deliveries are loaded as they arrive, in one session that stays warm.

Between batches the lake is free for other commands. A failure of the first batch ends the watch at once; a later batch
that fails is retried with increasing delays, and after five failures in a row the watch ends, so that its supervisor
notices. On SIGTERM or SIGINT a running batch is finished first.
"""

from __future__ import annotations

import json
import signal
import time
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from jobs import bronze, maintain
from jobs import run as main_job
from jobs.shared.recorded import recorded
from pipeline.errors import BusyLakeError, MeterlakeError
from pipeline.lake import maintenance, run_lock
from pipeline.runtime import connect, error_messages, memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from pipeline.config.settings import Settings
    from pipeline.runtime.context import Context
    from pipeline.runtime.log import Log

# A file must be unchanged for at least this long, even if its feed's settle_seconds is lower: it may still be written.
SETTLE_SECONDS = 1
FAILURES = 5
LONGEST_PAUSE_SECONDS = 60.0
# How often to run even if nothing is new: the row in ops.runs shows that the watch is alive, and the run tries again
# what could not be read or was missing.
IDLE_SECONDS = 600.0
SLICE_SECONDS = 0.2


class _Stop:
    """Whether a signal asked the watch to stop."""

    asked = False

    def __init__(self) -> None:
        # Of the batch at work.
        self.log: Log | None = None

    def ask(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - what a signal handler is given
        """The first signal asks for a clean end and is answered at once; the second ends the process."""
        if self.asked:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.asked = True
        if self.log is not None:
            # In a thread, because the signal may have come while a line was being written.
            after = "the batch at work; a second signal ends it now, and the next run carries on"
            Thread(target=self.log.info, args=("stopping",), kwargs={"after": after}, daemon=True).start()

    @contextmanager
    def after(self, log: Log) -> Iterator[None]:
        """A batch is at work: a signal waits for its end, and the log says so."""
        self.log = log
        try:
            yield
        finally:
            self.log = None


def run(context: Context, *, poll_seconds: float, maintain_every: int, as_json: bool) -> None:
    """Load what is there, then what arrives, until a signal says to stop."""
    context.settings, context.stays = _settling(context.settings), True
    if run_lock.has_lock(context):
        context.lock_file = run_lock.opened(context)
    with _signals() as stop:
        watch = _Watch(context, maintain_every, as_json=as_json, stop=stop)
        context.log.info("watching", poll_seconds=poll_seconds)
        watch.batch()  # also finishes what an earlier run may have left
        while not stop.asked:
            _sleep(max(poll_seconds, watch.pause), stop)
            if not stop.asked:
                watch.look()
        # The JVM is not waited for: it ends by itself when this process has, and holds no lock.
        context.log.info("stopped", batches=watch.batches)


class _Watch:
    """What is kept from batch to batch: the context with its session, and the failures so far."""

    def __init__(self, context: Context, maintain_every: int, *, as_json: bool, stop: _Stop | None = None) -> None:
        self.context, self.maintain_every, self.as_json = context, maintain_every, as_json
        self.stop = stop or _Stop()
        self.runs = self.batches = self.failures = self.largest = 0
        # Increases with each failure.
        self.pause = 0.0
        # What the last look found: a batch that did not load it would not load it now.
        self.seen: frozenset[tuple[Any, ...]] = frozenset()
        self.last_batch = time.monotonic()

    def look(self) -> None:
        """Run a batch if something waits, or if a failed one is due to be retried."""
        self.context = self.context.next_run()
        try:
            if self._has_news():
                self.batch()
            self.failures, self.pause = 0, 0.0
        except BusyLakeError as problem:
            self.seen = frozenset()
            self.context.log.info("waiting for another run", reason=str(problem))
        except Exception as problem:  # noqa: BLE001 - whatever it is, the next try may succeed
            self._failed(problem)

    def _has_news(self) -> bool:
        waiting, largest = bronze.news(self.context)
        if not connect.is_used() and memory.session_for(largest)[0] > memory.session_for(self.largest)[0]:
            self.context.log.info("a larger session", megabytes=round(largest / memory.MB, 1))
            self.context.end_spark()
        self.largest = max(self.largest, largest)
        idle = time.monotonic() - self.last_batch > IDLE_SECONDS
        new, self.seen = waiting - self.seen, waiting
        return bool(new) or self.failures > 0 or idle

    def batch(self) -> None:
        """One run. Faults of an endpoint, the reference or a response are logged; the deliveries are loaded anyway."""
        with self.stop.after(self.context.log):
            self._batch()

    def _batch(self) -> None:
        self.last_batch = time.monotonic()
        outcome = main_job.run(self.context, command="watch", raise_at_end=False, is_one_of_many=True)
        if error := outcome.batch.error:
            self.context.log.warning("loaded, but", error=str(error))
        self.runs += 1
        if outcome.deliveries:
            self.batches += 1
            facts = outcome.facts()
            print(json.dumps(facts) if self.as_json else _line(facts), flush=True)
        if self.maintain_every and self.runs % self.maintain_every == 0:  # each leaves at least a row in ops.runs
            self._maintain()

    def _failed(self, problem: Exception) -> None:
        self.failures += 1
        self.pause = min(LONGEST_PAUSE_SECONDS, 2.0**self.failures)
        known = isinstance(problem, MeterlakeError)
        said = str(problem) if known else error_messages.in_words(problem) or error_messages.one_line(problem)
        self.context.log.warning("failed", error=said, again_in_seconds=self.pause, failures=self.failures)
        if self.failures >= FAILURES:
            raise problem
        if not known:
            self.context.end_spark()  # it may be what failed

    def _maintain(self) -> None:
        self.context = self.context.next_run()
        with recorded(self.context, "maintain"):
            facts = maintain.look_after(self.context, maintenance.SAFE_HOURS)
        compacted = sum(fact["files_compacted"] for fact in facts)
        self.context.log.info("maintained", tables=len(facts), files_compacted=compacted)


def _line(facts: dict[str, Any]) -> str:
    refused = len(facts["refused"])
    return (
        f"{facts['files']} deliveries ({refused} refused), {facts['rows_read']:,} rows read, "
        f"{facts['rows_rejected']:,} rejected, {facts['rows_merged']:,} readings merged in {facts['seconds']} s"
    )


def _settling(settings: Settings) -> Settings:
    feeds = [
        feed.model_copy(update={"settle_seconds": max(feed.settle_seconds, SETTLE_SECONDS)}) for feed in settings.feeds
    ]
    return settings.model_copy(update={"feeds": tuple(feeds)})


def _sleep(seconds: float, stop: _Stop) -> None:
    until = time.monotonic() + seconds
    while not stop.asked and (left := until - time.monotonic()) > 0:
        time.sleep(min(left, SLICE_SECONDS))


@contextmanager
def _signals() -> Iterator[_Stop]:
    stop = _Stop()
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
