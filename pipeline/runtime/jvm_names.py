"""Which file names a JVM can express: those of its locale (`sun.jnu.encoding`); with `LC_ALL=C` only ASCII.

A JVM that we start gets a locale that can express all names. With one that is already running, names it cannot express
are detected: it would change them, and find or create another file.
"""

from __future__ import annotations

import locale
import os

EVERY_NAME = "C.UTF-8"
ADVICE = f"start it with LC_ALL={EVERY_NAME} in its environment"


def give_a_locale() -> None:
    """Let processes that this one starts name every file; this process itself is not changed."""
    # The environment is not enough: with a locale that is not installed, a process only has ASCII.
    codeset = getattr(locale, "nl_langinfo", None)
    if codeset is not None and codeset(locale.CODESET).upper() != "UTF-8":
        os.environ["LC_ALL"] = EVERY_NAME


def objection(encoding: str | None) -> str | None:
    """Why a JVM whose file names have that encoding cannot name every file; None if it can, or cannot be asked."""
    if encoding is None or encoding.upper().replace("-", "") == "UTF8":
        return None
    return f"Spark's JVM cannot name it (its sun.jnu.encoding is {encoding}): {ADVICE}"
