"""The Spark session: adopts a running one (a platform's, a test's) or builds one, and what is asked of either kind."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from pipeline.errors import ConfigurationError, LakeError
from pipeline.runtime import connect, jvm_names, sail
from pipeline.runtime.spark_settings import FEW_PARTITIONS, REQUIRED, WISHED

if TYPE_CHECKING:
    from pipeline.config.settings import Settings


def running() -> SparkSession | None:
    """The session that is already running: a notebook's, a platform's, a test's."""
    return SparkSession.getActiveSession()


def is_sails(session: SparkSession) -> bool:  # noqa: ARG001 - a process has one kind of session
    """Whether it is a session of Sail."""
    return sail.is_used()


def build(
    settings: Settings,
    waiting_bytes: int = 0,
    largest_bytes: int = 0,
    *,
    lock: int | None = None,
    stays: bool = False,
) -> SparkSession:
    """A new session, sized for all waiting deliveries and for the largest one.

    The settings say whether it needs a metastore. Its JVM inherits the open file `lock`; one that `stays` serves many
    runs. A server's session (Spark Connect) has the size and the settings of its server.
    """
    if settings.driver_reads:
        if connect.VARIABLE in os.environ:
            raise ConfigurationError(connect.VARIABLE, 'names a server, but engine = "sail": take one of them away')
        session = prepared(sail.opened())
    elif connect.is_used():
        session = prepared(connect.opened(settings.spark))
        connect.limit_patience(session)
    else:
        from pipeline.runtime import jvm_session  # noqa: PLC0415 - a client of Spark Connect may have no gateway to a JVM

        if is_submitted():
            session = prepared(jvm_session.of_the_submission(settings))
        else:
            session = prepared(jvm_session.local(settings, waiting_bytes, largest_bytes, lock, stays=stays))
    try:
        check_names(session, settings)
    except LakeError:
        end(session)
        raise
    return session


def check_names(session: SparkSession, settings: Settings) -> None:
    """Raise LakeError if the session's JVM cannot name the lake's folder: it would create another."""
    if settings.is_in_a_folder and not settings.root.isascii():
        objection = jvm_names.objection(file_name_encoding(session))
        if objection:
            raise LakeError(settings.root, objection)


def is_submitted() -> bool:
    """Whether a platform or spark-submit started the JVM: then the session is not ours to end."""
    return "PYSPARK_GATEWAY_PORT" in os.environ or "DATABRICKS_RUNTIME_VERSION" in os.environ


def works_here(session: SparkSession) -> bool:
    """Whether every task runs on this machine and can read its files; a client of Spark Connect does not know that."""
    context = getattr(session, "_sc", None)
    return context is not None and str(context.master).startswith("local")


def end(session: SparkSession) -> None:
    """End a session of ours, a local one with its JVM, so that the next one can differ; leave a platform's alone."""
    if sail.is_used():
        sail.end(session)
    elif connect.is_used():
        connect.end(session)
    elif not is_submitted():
        from pipeline.runtime import jvm_session  # noqa: PLC0415 - see build

        jvm_session.end(session)


def prepared(session: SparkSession) -> SparkSession:
    """The session, with the settings that results depend on."""
    # PySpark logs each SQL error with its Java stack before raising it; main.py prints it in one line.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    for name, value in REQUIRED.items():
        _require(session, name, value)
    for name, value in WISHED.items():
        try:
            session.conf.set(name, value)
        except PySparkException:
            continue
    return session


def _require(session: SparkSession, name: str, value: str) -> None:
    """A setting that is the platform's to make must have our value there."""
    try:
        session.conf.set(name, value)
    except PySparkException:
        there = session.conf.get(name)
        if str(there).lower() != value.lower():
            said = f"Spark has {name} = {there} and does not let this session change it: set it to {value} there"
            raise LakeError("session", said) from None


def has_many_tasks(session: SparkSession) -> bool:
    """Whether a shuffle leaves more tasks than this machine has cores: that would make too many small files."""
    partitions = str(session.conf.get("spark.sql.shuffle.partitions"))
    return not partitions.isdigit() or int(partitions) > FEW_PARTITIONS  # Databricks knows "auto"


def describe(session: SparkSession, text: str) -> None:
    """Name the jobs that follow in Spark's web page; does nothing without a context (Spark Connect)."""
    context = getattr(session, "_sc", None)
    if context is not None:
        context.setJobDescription(text)


def zone_data_version(session: SparkSession) -> str | None:
    """The version of the JVM's time-zone data, such as 2025b; None if it cannot be asked (Spark Connect)."""
    context = getattr(session, "_sc", None)
    if context is None:
        return None
    try:
        return str(context._jvm.java.time.zone.ZoneRulesProvider.getVersions("UTC").lastKey())  # noqa: SLF001
    except Exception:  # noqa: BLE001 - a platform may forbid it
        return None


def jobs_so_far(session: SparkSession) -> int | None:
    """How many Spark jobs this session has run; None if it cannot be asked (Spark Connect)."""
    context = getattr(session, "_sc", None)
    return None if context is None else int(context._jsc.sc().dagScheduler().numTotalJobs())  # noqa: SLF001


def tasks_at_work(session: SparkSession) -> str:
    """How far the stages at work are, such as `3 of 24 tasks`; empty if none is, or it cannot be asked."""
    context = getattr(session, "_sc", None)
    if context is None:
        return ""
    tracker = context.statusTracker()
    stages = [found for each in tracker.getActiveStageIds() if (found := tracker.getStageInfo(each)) is not None]
    tasks = sum(each.numTasks for each in stages)
    return f"{sum(each.numCompletedTasks for each in stages):,} of {tasks:,} tasks" if tasks > 1 else ""


def file_name_encoding(session: SparkSession) -> str | None:
    """The encoding of the JVM's file names; None if it cannot be asked (a platform may forbid it)."""
    jvm = getattr(session, "_jvm", None)
    if jvm is not None:
        encoding: str | None = jvm.java.lang.System.getProperty("sun.jnu.encoding")
        return encoding
    try:
        ((encoding,),) = session.sql(
            "SELECT java_method('java.lang.System', 'getProperty', 'sun.jnu.encoding')"
        ).collect()
    except PySparkException:
        return None
    return encoding


def stop_work(session: SparkSession) -> None:
    """End what the session computes at this moment; it can be used again."""
    context = getattr(session, "_sc", None)
    if context is None:
        session.interruptAll()
    else:
        context.cancelAllJobs()
