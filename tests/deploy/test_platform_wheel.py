"""The wheel for platforms that bring Spark: built, and read as pip and a wheel task read it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest

from tests.deploy.tools import DEPLOY, ROOT, accepted

pytestmark = pytest.mark.deploy
# What a wheel task does: the package's entry point is called in an interpreter that belongs to the platform.
TASK = """
import sys
from importlib.metadata import entry_points
(entry,) = entry_points(group="console_scripts", name="meterlake")
sys.argv = ["meterlake", *sys.argv[1:]]
try:
    entry.load()()
except SystemExit as leaving:
    if leaving.code:
        raise
print("the interpreter goes on")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    said = accepted(DEPLOY / "platform_wheel.sh", folder, env=os.environ | {"PYTHON": sys.executable})
    (path,) = folder.glob("*.whl")
    assert said == f"{path}\n"
    return path


def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def test_it_asks_for_all_that_meterlake_needs_but_the_platforms_own(wheel, tmp_path):
    usual = accepted(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT, cwd=tmp_path)
    assert usual == ""
    (path,) = tmp_path.glob("*.whl")
    usual, ours = metadata(path), metadata(wheel)
    gone = set(usual.get_all("Requires-Dist")) - set(ours.get_all("Requires-Dist"))
    assert {name.split("==")[0] for name in gone} == {"pyspark", "delta-spark"}
    assert set(ours.get_all("Requires-Dist")) < set(usual.get_all("Requires-Dist"))
    assert ours["Version"] == usual["Version"] + "+platform"
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(wheel) as other:
        files = [{name for name in archive.namelist() if ".dist-info/" not in name} for archive in (one, other)]
    assert files[0] == files[1]


def test_the_entry_point_leaves_the_platforms_interpreter_alive(wheel, tmp_path):
    where = tmp_path / "site"
    accepted(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", where, wheel)
    variables = os.environ | {"PYTHONPATH": str(where), "DATABRICKS_RUNTIME_VERSION": "17.3"}
    command = [sys.executable, "-c", TASK, "--help"]
    ended = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0
    assert ended.stdout.endswith("the interpreter goes on\n")
