"""A catalog beside the session's own, for tests: its classes compiled, and Spark's settings for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pyspark
import pytest

from pipeline.runtime import fetch_jars

NAME = "other"
HERE = Path(__file__).parent


def compiled(folder: Path) -> Path:
    """A folder with the classes; a test without a Java compiler is skipped."""
    folder.mkdir(exist_ok=True)
    compiler = shutil.which("javac")
    if compiler is None:
        pytest.skip("no javac on PATH: the catalog of these tests is compiled by a JDK")
    jars = [fetch_jars.jar_folder().absolute() / jar.file for jar in fetch_jars.expected_jars()]
    path = os.pathsep.join(map(str, [Path(pyspark.__file__).parent / "jars" / "*", *jars]))
    sources = sorted(map(str, HERE.glob("*.java")))
    done = subprocess.run(
        [compiler, "-nowarn", "-d", str(folder), "-cp", path, *sources], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def settings(root: Path, name: str = NAME, *, views: bool = True, refused: str = "") -> dict[str, str]:
    """Spark's settings for the catalog, without the class path.

    It keeps its schemas in `root`, and does nothing of `refused` (`create schema`, …, by commas).
    """
    key = f"spark.sql.catalog.{name}"
    which = "FolderCatalogWithViews" if views else "FolderCatalog"
    return {key: which, f"{key}.root": str(root), f"{key}.refused": refused}


def changes(root: Path) -> list[str]:
    """What was created, altered and dropped in the catalog, in order."""
    log = root / "changes.log"
    return log.read_text().splitlines() if log.exists() else []
