"""The answer of Spark's JDBC source, or the driver's own words for why there is none."""

from __future__ import annotations

import contextlib
import re
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspark.errors import PySparkException

from pipeline.errors import ReferenceDatabaseError
from pipeline.formats.reference_snapshot import SOURCE
from pipeline.runtime.error_messages import LONGEST, is_spark_gone, one_line
from pipeline.runtime.spark_errors import SPARK_ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspark.sql import SparkSession

WITH_CAUSES = "spark.sql.pyspark.jvmStacktrace.enabled"
# What some drivers add to a message, another one each time: the same fault is logged once.
AN_ID = re.compile(r"\s*\(?\b(?:ClientConnectionId|CONNECTION_ID)[:=][\w+/=-]+\)?")
LOST_REASON = "its answer broke off, and Spark lost the reason: the database's own log has it"
NO_DRIVER = re.compile(r"ClassNotFoundException: ([\w.$]+)|No suitable driver")


def rows(
    spark: SparkSession, where: str, options: Mapping[str, str], secret: str | None = None
) -> list[tuple[str | None, ...]]:
    """Rows (table, its cells as text); ReferenceDatabaseError, which names `where` and never the secret."""
    began = time.monotonic()
    reader = spark.read.format("jdbc").options(**options)
    if secret:
        reader = reader.option("password", secret)
    with _causes_shown(spark):
        try:
            found = [tuple(row.values()) for row in reader.load().toArrow().to_pylist()]
        except SPARK_ERRORS as problem:
            if is_spark_gone(problem):
                raise  # not the database's fault
            told = said(str(problem), one_line(problem), options.get("driver"))
            seconds = options.get("queryTimeout")
            if seconds and time.monotonic() - began >= int(seconds):
                told += f" (timeout_seconds = {seconds})"
            raise ReferenceDatabaseError(where, told.replace(secret, "***") if secret else told) from None
    if {row[0] for row in found} - set(SOURCE):
        # Spark quotes names as the standard does; a database that takes them for texts answers with the names.
        raise ReferenceDatabaseError(where, "its answer is not that of the query: Spark does not know its quotes")
    return found


@contextmanager
def _causes_shown(spark: SparkSession) -> Iterator[None]:
    """Errors inside say their Java causes: Spark's own message says only that there is no connection.

    A platform that does not allow the setting has shorter messages.
    """
    before = None
    with contextlib.suppress(PySparkException):
        before = spark.conf.get(WITH_CAUSES)
        spark.conf.set(WITH_CAUSES, "true")
    try:
        yield
    finally:
        with contextlib.suppress(PySparkException):
            if before is not None:
                spark.conf.set(WITH_CAUSES, before)


def said(stack: str, otherwise: str, driver: str | None = None) -> str:
    """The driver's message and its deepest cause, from a Java stack, in one line; `otherwise` if that has no causes."""
    if missing := NO_DRIVER.search(stack):
        name = missing[1] or driver or "driver for its URL"
        return f"Spark's class path has no {name}: add its JAR to spark.jars, or to the libraries of the cluster"
    # The stack of a task, which the message of a failed job repeats, is left out.
    causes = re.findall(r"^Caused by: ([^\n]+)", stack.rpartition("Driver stacktrace:")[2], re.MULTILINE)
    if not causes:
        # An object of a JAR that was added to a running session: some of Spark's threads do not know its class.
        return LOST_REASON if "UnknownReason" in otherwise else otherwise
    first, deepest = (re.sub(r"^(?:[\w$]+\.)+", "", cause) for cause in (causes[0], causes[-1]))
    words = first.partition(": ")[2] or first
    return AN_ID.sub("", words if first == deepest else f"{words} ({deepest})")[:LONGEST]
