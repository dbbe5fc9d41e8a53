"""Spark Connect: sessions of the server that SPARK_REMOTE names. This side has no JVM, no JAR and no SparkContext."""

from __future__ import annotations

import os
import re
import time
import warnings
from typing import TYPE_CHECKING

from pipeline.errors import ConfigurationError, SparkServerError
from pipeline.runtime import sail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import SparkSession

VARIABLE = "SPARK_REMOTE"
# Set by PySpark itself once a session of Spark Connect was made.
MADE = "SPARK_CONNECT_MODE_ENABLED"
SECONDS_TO_ANSWER = 20
# What nothing answers is asked again for so long. Spark's own patience is ten minutes for each call, and a run whose
# server is gone has a dozen to make before it ends.
PATIENCE_SECONDS = 60
LONGEST_PAUSE_MILLISECONDS = 5000
_opened: list[SparkSession] = []


def is_used() -> bool:
    """Whether Spark is a server's; known without importing PySpark."""
    return (VARIABLE in os.environ or MADE in os.environ) and not sail.is_used()


def opened(spark: Mapping[str, str]) -> SparkSession:
    """A session on the server, with the settings of the configuration; its first call waits for a server that starts.

    SparkServerError where there is none; ConfigurationError for a setting that is not a session's.
    """
    url = os.environ.get(VARIABLE, "")
    if not re.match(r"sc://[^/;]", url):
        raise ConfigurationError(VARIABLE, "names no server of Spark Connect: write sc://HOST:PORT")
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - is_used() is asked by commands that need no PySpark

        session = SparkSession.builder.getOrCreate()
    except ImportError as problem:
        said = f"{str(problem).splitlines()[0]}: pip install 'pyspark[connect]', or take {VARIABLE} away"
        raise ConfigurationError(VARIABLE, said) from None
    _opened.append(session)
    _wait_for(session, name_of(url))
    for name, value in spark.items():
        _set(session, name, value)
    return session


def name_of(url: str) -> str:
    """The server without what follows its address: that may be a token."""
    return re.split(r"[/;]", url.removeprefix("sc://"))[0]


def _wait_for(session: SparkSession, name: str) -> None:
    import grpc  # noqa: PLC0415 - PySpark says it better where it is not installed

    channel = getattr(session.client, "_channel", None)
    if channel is None:
        return
    try:
        grpc.channel_ready_future(channel).result(SECONDS_TO_ANSWER)
    except grpc.FutureTimeoutError:
        end(session)
        said = f"does not answer within {SECONDS_TO_ANSWER} seconds: start it, or correct {VARIABLE}"
        raise SparkServerError(name, said) from None


def _set(session: SparkSession, name: str, value: str) -> None:
    from pyspark.errors import AnalysisException  # noqa: PLC0415 - see opened

    try:
        session.conf.set(name, value)
    except AnalysisException:
        said = f"{name} is not a session's to set: set it where the server starts, and take it out here"
        raise ConfigurationError("[spark]", said) from None


def limit_patience(session: SparkSession) -> None:
    """From now on a server that does not answer is given up after a minute, whatever is still to be asked."""
    from pyspark.sql.connect.client.retries import DefaultPolicy  # noqa: PLC0415 - only where the client is installed

    class Patience(DefaultPolicy):
        """Counts from the first call that nothing answered; a failure long after the last one is another outage."""

        first = last = -float("inf")

        def can_retry(self, e: BaseException) -> bool:
            if not super().can_retry(e):
                return False
            now = time.monotonic()
            if now - self.last > PATIENCE_SECONDS:
                self.first = now
            self.last = now
            return now - self.first <= PATIENCE_SECONDS

    # It says so in a warning too; the error is enough.
    warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")
    session.client.set_retry_policies([Patience(max_backoff=LONGEST_PAUSE_MILLISECONDS)])


def end(session: SparkSession) -> None:
    """End the session, not its server; one that is gone is not waited for."""
    session.client.set_retry_policies([])
    session.stop()
    _opened[:] = [each for each in _opened if each is not session]


def finish() -> None:
    """End the sessions that were opened: otherwise their server keeps them for an hour."""
    for session in [*_opened]:
        end(session)
