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

if TYPE_CHECKING:
    from pipeline.config.settings import Settings

CORES = memory.CORES
# SQL settings that results depend on; set on every session, adopted ones too.
REQUIRED = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
}
# Settings for speed; a platform that does not allow them works too.
WISHED = {
    # With more explicit paths than this, Spark starts a job with one task for each path.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
    # Many small deliveries: by default Spark counts each as at least 4 MB, and 10,000 of them became 313 tasks and
    # files of bronze (39 seconds); with this setting they are 5, in 18 seconds.
    "spark.sql.files.openCostInBytes": "65536",
    # Partitioned writes without a sort, up to this many open files in a task.
    "spark.sql.maxConcurrentOutputFileWriters": "100",
    # Commits without rows are needed: their mark says how far the table is complete.
    "spark.databricks.delta.skipRecordingEmptyCommits": "false",
    "spark.sql.parquet.compression.codec": "zstd",
    # pandas writes its dates as timestamps of nanoseconds, which Spark reads as numbers or not at all.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    "spark.sql.codegen.aggregate.map.twolevel.enabled": "false",
}
EXTENSIONS = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
# One machine: few partitions, no web page, no progress bars between the lines of the log.
LOCAL = {
    "spark.app.name": "meterlake",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # The default is a thousand, which a long-lived session would keep in memory for nothing.
    "spark.ui.retainedJobs": "50",
    "spark.ui.retainedStages": "50",
    "spark.ui.retainedTasks": "500",
    "spark.sql.ui.retainedExecutions": "20",
    # PySpark records the Python line of every column expression, which takes half the time of building a plan.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    "spark.databricks.delta.snapshotPartitions": "2",
}
# Standard output is for answers: the JVM's own messages, even of a crash, go to standard error.
JAVA_OPTIONS = "-XX:+DisplayVMOutputToStderr -XX:+UseParallelGC -XX:ReservedCodeCacheSize=256m"
# A run of a minute is mostly cold code: the optimising compiler costs more than it saves (measured with 66 MB of
# deliveries: 154 CPU seconds with it, 118 without).
FEW_BYTES = 128 * 1024 * 1024
FEW_JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 " + JAVA_OPTIONS
# Adaptive execution runs each shuffle stage as a job of its own, which only pays for a backfill.
SMALL_BYTES = 256 * 1024 * 1024
BEFORE_MERGED_WRITE = "spark.databricks.delta.merge.repartitionBeforeWrite.enabled"
# One task for each core; each task writes a file into every partition that it has rows for.
FEW_PARTITIONS = max(2, CORES)
# Bytes of deliveries: some five million readings, whose hash map fits into half a usual heap.
BYTES_A_PARTITION = 256 * 1024 * 1024
SECONDS_TO_END = 20
# Settings of the configuration that are appended to ours instead of replacing them.
ADDED_TO = ("spark.driver.extraJavaOptions", "spark.driver.extraClassPath")
SMALL = {"spark.sql.adaptive.enabled": "false"}


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
    """Raise LakeError if the session's JVM cannot name the lake's folder."""
    if not settings.catalog:
        jvm_names.check_lake(session, settings.root)


def is_submitted() -> bool:
    """Whether a platform or spark-submit started the JVM: then the session is not ours to end."""
    return "PYSPARK_GATEWAY_PORT" in os.environ or "DATABRICKS_RUNTIME_VERSION" in os.environ


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
    conf.set("spark.sql.warehouse.dir", _warehouse(settings))
    if settings.catalog:
        conf.set("spark.sql.catalogImplementation", "hive")
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


def _warehouse(settings: Settings) -> str:
    """Where catalog mode keeps its tables; path mode has none, but Spark needs a path, which it never creates."""
    if settings.catalog:
        return str(Path("spark-warehouse").absolute())
    return str(Path(tempfile.gettempdir()) / "meterlake-no-warehouse")


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
