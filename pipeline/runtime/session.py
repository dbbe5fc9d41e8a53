"""The Spark session: adopts a running one (a platform's, a test's) or builds one. The only user of sparkContext."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from pipeline.errors import LakeError, MissingJarError
from pipeline.runtime import class_archive, fetch_jars, jvm_names, jvm_output, memory
from pipeline.runtime.spark_settings import (
    ADDED_TO,
    BEFORE_MERGED_WRITE,
    BYTES_A_PARTITION,
    EXTENSIONS,
    FEW_BYTES,
    FEW_JAVA_OPTIONS,
    FEW_PARTITIONS,
    JAVA_OPTIONS,
    LOCAL,
    REQUIRED,
    SMALL,
    SMALL_BYTES,
    WISHED,
)

if TYPE_CHECKING:
    from pipeline.config.settings import Settings

SECONDS_TO_END = 20


def running() -> SparkSession | None:
    """The session that is already running: a notebook's, a platform's, a test's."""
    return SparkSession.getActiveSession()


def build(
    settings: Settings,
    waiting_bytes: int = 0,
    largest_bytes: int = 0,
    *,
    lock: int | None = None,
    stays: bool = False,
) -> SparkSession:
    """A new session, sized for all waiting deliveries and for the largest one.

    The settings say whether it needs a metastore. Its JVM inherits the open file `lock`. For a session that `stays` for
    many runs the optimising compiler pays off, however small they are.
    """
    if is_submitted():
        session = prepared(_of_the_submission(settings))
    else:
        few = waiting_bytes < FEW_BYTES and not stays
        session = prepared(_local(settings, waiting_bytes, largest_bytes, lock, few=few))
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
    """End a session of ours with its JVM, so that the next one can differ; leave a platform's session alone."""
    context = session.sparkContext
    process = getattr(context._gateway, "proc", None)  # noqa: SLF001 - PySpark has no other name for it
    if is_submitted() or process is None:
        return
    with contextlib.suppress(Exception):  # the JVM may already be dead
        session.stop()
    with contextlib.suppress(Exception):
        context._gateway.shutdown()  # type: ignore[union-attr]  # noqa: SLF001
    _end_process(process)
    _forget()


def _end_process(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()  # PySpark's JVM ends when this does
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()


def _forget() -> None:
    """Forget a JVM that is gone: PySpark would keep it for the life of the process."""
    SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None  # noqa: SLF001
    SparkSession._instantiatedSession = None  # noqa: SLF001


def prepared(session: SparkSession) -> SparkSession:
    """The session, with the settings that results depend on."""
    # PySpark logs each SQL error with its Java stack before raising it; main.py prints it in one line.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    for name, value in REQUIRED.items():
        session.conf.set(name, value)
    for name, value in WISHED.items():
        try:
            session.conf.set(name, value)
        except PySparkException:
            continue
    return session


def _of_the_submission(settings: Settings) -> SparkSession:
    """Under spark-submit its command line sets master, memory and JARs; we only add the Delta extensions."""
    builder = SparkSession.builder.appName("meterlake")
    for name, value in (settings.spark | EXTENSIONS).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _local(settings: Settings, waiting_bytes: int, largest_bytes: int, lock: int | None, *, few: bool) -> SparkSession:
    folder = fetch_jars.jar_folder()
    if missing := fetch_jars.missing_jars(folder):
        raise MissingJarError(missing[0].coordinate, str(folder))
    java = fetch_jars.java_banner()
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    jvm_names.give_a_locale()
    conf = SparkConf()
    small = waiting_bytes < SMALL_BYTES
    partitions = max(FEW_PARTITIONS, waiting_bytes // BYTES_A_PARTITION)
    conf.setIfMissing("spark.sql.shuffle.partitions", str(partitions))
    # With as few tasks as cores a MERGE writes few files anyway, and a shuffle before the write only costs time
    # (silver's step of a next day: 31 -> 26 s).
    conf.setIfMissing(BEFORE_MERGED_WRITE, str(partitions > FEW_PARTITIONS).lower())
    for name, value in settings.spark.items():
        if name not in ADDED_TO:
            conf.set(name, value)
    heap, at_once = memory.session_for(largest_bytes)
    conf.setIfMissing("spark.driver.memory", f"{heap // 1024**2}m")
    conf.setIfMissing("spark.master", f"local[{at_once}]")
    for name, value in (LOCAL | EXTENSIONS | REQUIRED | (SMALL if small else {})).items():
        conf.setIfMissing(name, value)
    options = FEW_JAVA_OPTIONS if few else JAVA_OPTIONS
    given = [settings.spark.get(name, "") for name in ADDED_TO]
    # Only a run that loads something uses the classes that the next one needs; classes of listeners do not belong in
    # the archive.
    archive = ""
    if not class_archive.has_agent(given[0], conf.get("spark.driver.defaultJavaOptions", "")):
        archive = class_archive.java_options(folder.absolute(), java, record=waiting_bytes > 0 and not settings.spark)
    conf.setIfMissing(ADDED_TO[0], " ".join(filter(None, (options, archive, given[0]))))
    jars = [str(folder / jar.file) for jar in fetch_jars.expected_jars()]
    conf.set(ADDED_TO[1], os.pathsep.join(filter(None, (*jars, given[1]))))
    if settings.catalog:
        conf.set("spark.sql.catalogImplementation", "hive")
        conf.set("spark.sql.warehouse.dir", str(Path("spark-warehouse").absolute()))
    else:  # no tables of its own, but Spark needs a path, which it never creates
        conf.set("spark.sql.warehouse.dir", str(Path(tempfile.gettempdir()) / "meterlake-no-warehouse"))
    # The JVM's own output goes to a file that is only used if it does not start.
    gateway = None
    with tempfile.TemporaryFile() as chatter:
        try:
            gateway = launch_gateway(conf, {"stderr": chatter, "pass_fds": () if lock is None else (lock,)})  # type: ignore[no-untyped-call]
            context = SparkContext(conf=conf, gateway=gateway)
            class_archive.started(gateway.proc, context.stop)
        except Exception as problem:
            if gateway is not None:
                _end_process(gateway.proc)
            _forget()  # otherwise the next try would use this JVM
            chatter.seek(0)
            said = chatter.read().decode(errors="replace")
            problem.add_note(said)  # for --debug
            raise LakeError("session", f"Spark did not start: {jvm_output.why_not_started(said, problem)}") from problem
    context.setLogLevel("OFF")
    return SparkSession(context)


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


def file_name_encoding(session: SparkSession) -> str | None:
    """The encoding of the JVM's file names; None if it cannot be asked (Spark Connect)."""
    jvm = getattr(session, "_jvm", None)
    return None if jvm is None else jvm.java.lang.System.getProperty("sun.jnu.encoding")
