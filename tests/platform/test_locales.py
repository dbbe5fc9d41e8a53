"""A process without a locale of its own (`LC_ALL=C`, cron): files and lakes whose names are not ASCII."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.faults.a_lake import ROOT, environment
from tests.jobs.conftest import split_json

pytestmark = pytest.mark.slow
CONFIG = """
lake = "{lake}"
[[feeds]]
name = "electricity"
format = "split_json"
path = "landing"
"""
# A session that is not ours, of a JVM that knows ASCII only.
ADOPTED = """
import os, sys
sys.path.insert(0, sys.argv.pop(1))
from pyspark.sql import SparkSession
from pipeline.runtime import fetch_jars, session, spark_settings
jars = [str((fetch_jars.jar_folder() / jar.file).absolute()) for jar in fetch_jars.expected_jars()]
of_server = {"spark.driver.extraClassPath": os.pathsep.join(jars), "spark.master": "local[2]"}
builder = SparkSession.builder
for name, value in (spark_settings.LOCAL | spark_settings.EXTENSIONS | spark_settings.REQUIRED | of_server).items():
    builder = builder.config(name, value)
builder.getOrCreate()
import main
sys.argv = ["main.py", *sys.argv[1:]]
main.app()
"""


def process(folder, *command):
    env = {name: value for name, value in environment().items() if not name.startswith(("LC_", "LANG"))}
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=env | {"LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def lay(folder, lake):
    (folder / "landing").mkdir(parents=True)
    (folder / "meterlake.toml").write_text(CONFIG.format(lake=lake), encoding="utf-8")
    for name in ("读数", "plain"):
        (folder / "landing" / f"{name}.json").write_bytes(split_json(["2021-04-01 00:00:00", name, 1]))


def test_a_run_of_ours_names_every_file_and_folder(tmp_path):
    lay(tmp_path, "G å 电")
    run = process(tmp_path, str(ROOT / "main.py"), "run", "--config", "meterlake.toml", "--json")
    assert run.returncode == 0, run.stderr
    assert '"status": {"loaded": 2}' in run.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir() and path.name[0] == "G") == ["G å 电"]


def test_in_a_session_that_knows_ascii_only_the_file_is_refused_and_the_others_load(tmp_path):
    lay(tmp_path, "lake")
    command = ("-c", ADOPTED, str(ROOT), "run", "--config", "meterlake.toml", "--json")
    run = process(tmp_path, *command)
    assert run.returncode == 0, run.stderr
    assert '"loaded": 1' in run.stdout
    assert "sun.jnu.encoding is ANSI_X3.4-1968" in run.stdout
    # By a session that can name it, it loads without being touched.
    again = process(tmp_path, str(ROOT / "main.py"), "run", "--config", "meterlake.toml", "--json")
    assert '"status": {"loaded": 1}' in again.stdout, again.stdout + again.stderr


def test_in_a_session_that_knows_ascii_only_a_lake_is_refused_in_a_line(tmp_path):
    lay(tmp_path, "G å")
    run = process(tmp_path, "-c", ADOPTED, str(ROOT), "run", "--config", "meterlake.toml")
    assert run.returncode == 1
    assert "sun.jnu.encoding is ANSI_X3.4-1968): start it with LC_ALL=C.UTF-8" in run.stderr
    assert [path.name for path in tmp_path.iterdir() if "?" in path.name] == []
