"""Sessions with a JVM beside this process: one that we start, or spark-submit's. The only user of sparkContext."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from pipeline.errors import LakeError, MissingJarError
from pipeline.runtime import class_archive, fetch_jars, google_connector, jvm_names, jvm_output, memory
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
    SESSION_CATALOG,
    SMALL,
    SMALL_BYTES,
)

if TYPE_CHECKING:
    from pipeline.config.settings import Settings

SECONDS_TO_END = 20


def of_the_submission(settings: Settings) -> SparkSession:
    """Under spark-submit its command line sets master, memory and JARs; we only add the Delta extensions."""
    builder = SparkSession.builder.appName("meterlake")
    needed: dict[str, str] = {}
    if SparkContext._active_spark_context is None:  # noqa: SLF001 - a running one has its settings
        SparkContext._ensure_initialized()  # noqa: SLF001 - connects to the submission's JVM
        conf = SparkConf().setAll(list(settings.spark.items()))
        needed = _for_google(settings, conf, SparkContext._jvm)  # noqa: SLF001
    for name, value in (settings.spark | needed | EXTENSIONS).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _for_google(settings: Settings, conf: SparkConf, jvm: Any) -> dict[str, str]:  # noqa: ANN401 - a view of a JVM
    """What Google's connector needs where a folder or a setting is on gs://; only the JVM knows Hadoop's defaults."""
    if google_connector.SCHEME not in settings.model_dump_json() + conf.toDebugString():
        return {}
    return google_connector.settings(conf.get, jvm.org.apache.hadoop.conf.Configuration().get)


def local(settings: Settings, waiting_bytes: int, largest_bytes: int, lock: int | None, *, stays: bool) -> SparkSession:
    """A session with a JVM of its own, sized for the deliveries; few of them do without the optimising compiler.

    For a session that `stays` for many runs that compiler pays off, however small they are.
    """
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
    options = FEW_JAVA_OPTIONS if waiting_bytes < FEW_BYTES and not stays else JAVA_OPTIONS
    given = [settings.spark.get(name, "") for name in ADDED_TO]
    # Only a run that loads something uses the classes that the next one needs; classes of listeners do not belong in
    # the archive; and a session that stays is ended by a signal, which does not wait.
    archive = ""
    if not class_archive.has_agent(given[0], conf.get("spark.driver.defaultJavaOptions", "")):
        record = waiting_bytes > 0 and not settings.spark and not stays
        archive = class_archive.java_options(folder.absolute(), java, record=record)
    conf.setIfMissing(ADDED_TO[0], " ".join(filter(None, (options, archive, given[0]))))
    jars = [str(folder / jar.file) for jar in fetch_jars.expected_jars()]
    conf.set(ADDED_TO[1], os.pathsep.join(filter(None, (*jars, given[1]))))
    if settings.where == SESSION_CATALOG:  # the catalog of Spark itself, which needs a metastore
        conf.set("spark.sql.catalogImplementation", "hive")
        conf.set("spark.sql.warehouse.dir", str(Path("spark-warehouse").absolute()))
    else:  # no tables of its own, but Spark needs a path, which it never creates
        conf.set("spark.sql.warehouse.dir", str(Path(tempfile.gettempdir()) / "meterlake-no-warehouse"))
    # The JVM's own output goes to a file that is only used if it does not start.
    gateway = None
    with tempfile.TemporaryFile() as chatter:
        try:
            gateway = launch_gateway(conf, {"stderr": chatter, "pass_fds": () if lock is None else (lock,)})  # type: ignore[no-untyped-call]
            conf.setAll(list(_for_google(settings, conf, gateway.jvm).items()))
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


def end(session: SparkSession) -> None:
    """End the session and its JVM, if this process started one."""
    context = session.sparkContext
    process = getattr(context._gateway, "proc", None)  # noqa: SLF001 - PySpark has no other name for it
    if process is None:
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
