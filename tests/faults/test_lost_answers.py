"""A commit that succeeded although its answer was lost (a store's timeout): the next run finds what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyspark
import pytest

from pipeline.runtime import fetch_jars
from tests.faults.a_lake import ROOT, with_history

pytestmark = pytest.mark.faults
# Tables that Spark writes; for delta-rs a lost answer is the same as a run that breaks off after the commit.
TABLES = ("bronze.gas", "silver.rejected_readings", "silver.readings", "gold.meter_day")


def test_a_commit_whose_answer_was_lost_is_neither_lost_nor_made_twice(spark, tmp_path):
    (tmp_path / "waiting").mkdir()
    waiting = with_history(tmp_path / "waiting")
    undisturbed = waiting.copied_to(tmp_path / "undisturbed")
    undisturbed.run()
    lakes = {table: waiting.copied_to(tmp_path / table) for table in TABLES}
    classes = compiled(spark, tmp_path / "classes")
    script = [sys.executable, "-m", "tests.faults.lost_answers", str(classes)]
    cases = [f"{lake.folder}={table}" for table, lake in lakes.items()]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYSPARK")}
    jars = {"METERLAKE_JARS": str(fetch_jars.jar_folder().absolute()), "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [*script, *cases], cwd=ROOT, env=environment | jars, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [f"{table}: True, False" for table in TABLES]
    expected = undisturbed.contents()
    for table, lake in lakes.items():
        assert lake.contents() == expected, table


def compiled(spark, folder):
    """The class of the log store, compiled by the compiler that Spark brings with it: a JRE has none."""
    folder.mkdir()
    jars = [*Path(pyspark.__file__).parent.glob("jars/*.jar")]
    jars += [fetch_jars.jar_folder().absolute() / jar.file for jar in fetch_jars.expected_jars()]
    java = spark._jvm
    compiler = java.org.codehaus.janino.Compiler()
    compiler.setClassPath(files_of(spark, jars))
    compiler.setDestinationDirectory(java.java.io.File(str(folder)), False)  # noqa: FBT003 - Java's
    compiler.compile(files_of(spark, [Path(__file__).with_name("LostAnswer.java")]))
    assert (folder / "LostAnswer.class").exists()
    return folder


def files_of(spark, paths):
    """The paths as an array of Java's files."""
    files = spark._sc._gateway.new_array(spark._jvm.java.io.File, len(paths))
    for n, path in enumerate(paths):
        files[n] = spark._jvm.java.io.File(str(path))
    return files
