"""Which file names a JVM can say: those of its locale (`sun.jnu.encoding`), and in that of `LC_ALL=C` ASCII alone.

One that we start is given a locale that can say all. Of one that runs already the names that it cannot say are told
apart: it would take another name for them, and find or make another file.
"""

from __future__ import annotations

import locale
import os
from typing import TYPE_CHECKING

from pipeline.errors import LakeError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EVERY_NAME = "C.UTF-8"
ADVICE = f"start it with LC_ALL={EVERY_NAME} in its environment"


def give_a_locale() -> None:
    """Processes that this one starts from now on can name every file; it is itself not changed."""
    # Not what the environment says: of a locale that is not installed a process has ASCII only.
    codeset = getattr(locale, "nl_langinfo", None)
    if codeset is not None and codeset(locale.CODESET).upper() != "UTF-8":
        os.environ["LC_ALL"] = EVERY_NAME


def ascii_only(session: SparkSession) -> str | None:
    """Why the session's JVM cannot name every file; None where it can, or cannot be asked (Spark Connect)."""
    jvm = getattr(session, "_jvm", None)
    encoding = None if jvm is None else jvm.java.lang.System.getProperty("sun.jnu.encoding")
    if encoding is None or encoding.upper().replace("-", "") == "UTF8":
        return None
    return f"Spark's JVM cannot name it (its sun.jnu.encoding is {encoding}): {ADVICE}"


def check_lake(session: SparkSession, lake: str) -> None:
    """Raise LakeError where the JVM would make another folder in place of the lake's."""
    if "://" not in lake and not lake.isascii() and (objection := ascii_only(session)):
        raise LakeError(lake, objection)
