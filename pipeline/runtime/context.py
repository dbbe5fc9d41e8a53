"""What a job is given: settings, the run's name and time, a log, and Spark when it is first needed."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pipeline.errors import EngineError
from pipeline.runtime.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pyspark.sql import SparkSession

    from pipeline.config.settings import Settings


# The most commits under one claim.
MOST_COMMITS = 1 << 20


@dataclass
class Claim:
    """A run's right to write (claim.py); its commits are numbered from `number * MOST_COMMITS` to `end`."""

    number: int
    run_id: str
    released: bool = False
    # Made through Spark Connect: its server may still commit when the run and its lock are gone.
    by_server: bool = False
    commits: int = 0

    @property
    def end(self) -> int:
        """A number above every commit of this claim: where the next claim's begin."""
        return (self.number + 1) * MOST_COMMITS

    def next_number(self) -> int:
        """The number of the next commit."""
        self.commits += 1
        return self.number * MOST_COMMITS + self.commits

    def facts(self) -> dict[str, Any]:
        """The claim, for the log's mark."""
        facts = {"number": self.number, "run_id": self.run_id, "released": self.released}
        return facts | ({"by_server": True} if self.by_server else {})


@dataclass
class Context:
    """One run. `spark` starts a JVM on first use; a run with nothing to do never asks for it."""

    settings: Settings
    run_id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    log: Log = field(default_factory=lambda: Log(""))
    # Size of the waiting deliveries, in total and of the largest: a session of our own is built to fit.
    waiting_bytes: int = 0
    largest_bytes: int = 0
    # Commits of this run.
    commits: int = 0
    # Cached facts about versions of tables that several steps of a run need.
    answers: dict[tuple[object, ...], Any] = field(default_factory=dict)
    # Tables of a folder that were opened for reading (pipeline/lake/gate.py).
    opened: dict[str, Any] = field(default_factory=dict)
    # The lake's open lock file, which a JVM of ours also holds.
    lock: int | None = None
    # A lock file that stays open between runs, because the JVM does.
    lock_file: int | None = None
    # Whether the lock of a lake in a folder is held: no other writer can be at work.
    is_alone: bool = False
    # The last claim on the lake when this run began, and its own (pipeline/lake/claim.py).
    claimed_before: Claim = field(default_factory=lambda: Claim(0, "", released=True))
    claim: Claim | None = None
    # Called before each commit to the lake.
    before_commit: Callable[[], None] | None = None
    # Whether the session is for many runs.
    stays: bool = False
    # Whether Python's clock changes for the feeds' zones were compared with the session's.
    zones_compared: bool = False
    # Whether the session was built by this run or an earlier one: then it is ours to end.
    owns_spark: bool = False

    def __post_init__(self) -> None:
        self.log.run_id = self.run_id

    @cached_property
    def _starting(self) -> Future[SparkSession]:
        from pipeline.runtime import session  # noqa: PLC0415 - importing PySpark takes half a second

        running = session.running()  # depends on the thread: ask here, not in the starter's
        if running is not None and session.is_sails(running) == self.settings.driver_reads:
            done: Future[SparkSession] = Future()
            session.check_names(running, self.settings)
            done.set_result(session.prepared(running))
            return done
        self.owns_spark = True
        starter = ThreadPoolExecutor(1, "spark-start")
        sizes = self.waiting_bytes, self.largest_bytes
        lock = self.lock if self.lock_file is None else self.lock_file
        future = starter.submit(session.build, self.settings, *sizes, lock=lock, stays=self.stays)
        starter.shutdown(wait=False)
        return future

    def expect(self, weighed: Iterable[tuple[int, int]]) -> None:
        """Say which sizes (formats.weighed) will be read or judged, before Spark is used."""
        known = [*weighed]
        self.waiting_bytes = sum(weight for _, weight in known)
        self.largest_bytes = max((size for size, _ in known), default=0)

    def need_spark(self, what: str, instead: str | None = None) -> None:
        """EngineError where the engine is not Spark; `what` is Spark's alone, `instead` what to do about it."""
        if self.settings.driver_reads:
            raise EngineError(what, *filter(None, [instead]))

    def start_spark(self) -> None:
        """Start Spark in the background; a session that is already running is adopted at once."""
        self._starting  # noqa: B018 - reading it starts it

    @property
    def spark(self) -> SparkSession:
        """The session, adopted if one is running, else built; waits for it."""
        starting = self._starting
        if not starting.done():
            with self.log.waiting("Starting Spark"):
                starting.result()
        self.log.line.detail = self._tasks
        return starting.result()

    def _tasks(self) -> str:
        from pipeline.runtime import session  # noqa: PLC0415 - importing PySpark takes half a second

        return session.tasks_at_work(self._starting.result())

    def compare_zones(self) -> None:
        """Once for each run, before readings are written: check that Python and Java know the same clock changes.

        Not as the session's first query, which would cost a second more.
        """
        if not self.zones_compared:
            self.zones_compared = True
            from pipeline.runtime import zone_data  # noqa: PLC0415 - imports PySpark, which is loaded by now

            zone_data.compare(self.spark, [feed.time_zone for feed in self.settings.feeds], self.log)

    def beside(self, settings: Settings) -> Context:
        """The same run with other settings, in the same session."""
        other = replace(self, settings=settings, answers={}, claim=None, before_commit=None)
        other.__dict__["_starting"] = self._starting
        return other

    def next_run(self) -> Context:
        """Another run with the same settings, in the same session if there is one."""
        log = replace(self.log, started=time.monotonic())
        run_id, now = uuid.uuid4().hex[:12], datetime.now(UTC)
        other = replace(self, run_id=run_id, now=now, log=log, waiting_bytes=0, largest_bytes=0, commits=0)
        other.claim, other.before_commit = None, None
        # A cached fact is valid as long as its table's version: the log is not read again each time.
        other.answers = dict([*self.answers.items()][-1:])
        # A session that did not start is tried again.
        failed = self.has_spark and self._starting.done() and self._starting.exception() is not None
        if self.has_spark and not failed:
            other.__dict__["_starting"] = self._starting
        return other

    def end_spark(self) -> None:
        """End the session and its JVM if it is ours; the next use starts another."""
        if self.owns_spark:
            from pipeline.runtime import session  # noqa: PLC0415 - importing PySpark takes half a second

            self.owns_spark = False
            starting: Future[SparkSession] = self.__dict__.pop("_starting")
            if starting.exception() is None:
                session.end(starting.result())

    @property
    def spark_jobs(self) -> int:
        """Jobs of the session so far, those of other runs included; does not wait for a session."""
        if not self.has_spark or not self._starting.done() or self._starting.exception():
            return 0
        from pipeline.runtime import session  # noqa: PLC0415 - importing PySpark takes half a second

        return session.jobs_so_far(self._starting.result()) or 0

    @property
    def has_spark(self) -> bool:
        """Whether this run has used a session."""
        return "_starting" in self.__dict__
