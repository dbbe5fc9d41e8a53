"""Java, Spark's JARs, and the zones that Python knows."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from pipeline.checks.finding import Finding
from pipeline.clock import zones
from pipeline.errors import MeterlakeError
from pipeline.runtime import fetch_jars, sail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.config.settings import Settings

# Where the JVM is someone else's: its Java and JARs are too.
ELSEWHERE = {"SPARK_REMOTE": "a server of Spark Connect", "DATABRICKS_RUNTIME_VERSION": "Databricks"}


def found(settings: Settings) -> Iterator[Finding]:
    """Java, each JAR by its SHA-256, and the zones."""
    foreign = next((words for name, words in ELSEWHERE.items() if os.environ.get(name)), None)
    if settings.driver_reads:
        yield _sail()
    elif foreign:
        yield Finding("Java and JARs", f"those of {foreign}")
    else:
        yield _java()
        yield _jars()
    yield _zones(settings)


def _sail() -> Finding:
    try:
        return Finding("engine", f"Sail (pysail {sail.version()}, experimental): no Java, no JARs")
    except MeterlakeError as problem:
        return Finding("engine", "", str(problem))


def _java() -> Finding:
    try:
        return Finding("Java", f"version {fetch_jars.java_version()}")
    except MeterlakeError as problem:
        return Finding("Java", "", str(problem))


def _jars() -> Finding:
    folder = fetch_jars.jar_folder()
    wanted = fetch_jars.expected_jars()
    says = f"{len(wanted)} in {folder}"
    if missing := fetch_jars.missing_jars(folder):
        names = ", ".join(jar.coordinate for jar in missing)
        return Finding(
            "JARs", says, f"missing in {folder}: {names}: run `make setup`, or python -m pipeline.fetch_jars"
        )
    for jar in wanted:
        try:
            with (folder / jar.file).open("rb") as content:
                got = hashlib.file_digest(content, "sha256").hexdigest()
        except OSError as problem:
            return Finding("JARs", says, f"{folder / jar.file} cannot be read: {problem.strerror}")
        if got != jar.sha256:
            again = "remove it, then python -m pipeline.fetch_jars"
            return Finding("JARs", says, f"{folder / jar.file} has SHA-256 {got}, expected {jar.sha256}: {again}")
    return Finding("JARs", says)


def _zones(settings: Settings) -> Finding:
    """The configuration accepted their names; whether their clock changes can be computed is looked at here."""
    names = sorted({*(feed.time_zone for feed in settings.feeds), settings.reference_zone, settings.metrics.time_zone})
    for name in names:
        try:
            zones.backward_shifts(name)
        except (KeyError, OSError, ValueError) as problem:
            said = f"{name} has no data on this machine ({type(problem).__name__}): pip install tzdata"
            return Finding("time zones", name, said)
    return Finding("time zones", ", ".join(names))
