"""The wheel for platforms that bring Spark: built, and read as pip and a wheel task read it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from email.parser import Parser

import pytest
from packaging.requirements import Requirement

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


def requirements(wheel):
    """Name -> what the wheel asks for; the packages of all its extras too."""
    return {each.name.lower(): each for each in map(Requirement, metadata(wheel).get_all("Requires-Dist"))}


def brought():
    """Name -> version of what the runtime brings."""
    text = (ROOT / "tests/deploy/runtime-constraints.txt").read_text()
    return dict(re.findall(r"^([\w-]+)==(\S+)$", text, re.MULTILINE))


def test_it_asks_for_all_that_meterlake_needs_but_the_platforms_own(wheel, tmp_path):
    usual = accepted(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT, cwd=tmp_path)
    assert usual == ""
    (path,) = tmp_path.glob("*.whl")
    pinned, ours = requirements(path), requirements(wheel)
    assert set(pinned) - set(ours) == {"pyspark", "delta-spark"}
    assert metadata(wheel)["Version"] == metadata(path)["Version"] + "+platform"
    ranges = {name for name in ours if str(ours[name].specifier) != str(pinned[name].specifier)}
    # Ranges exactly for what the runtime brings: its version is in each, and so is the one that our tests run with.
    assert ranges == set(ours) & set(brought())
    for name in ranges:
        (pin,) = pinned[name].specifier
        assert ours[name].specifier.contains(brought()[name]), name
        assert ours[name].specifier.contains(pin.version), name
        assert not ours[name].specifier.contains(f"{int(pin.version.split('.')[0]) + 1}.0"), name
    with zipfile.ZipFile(path) as one, zipfile.ZipFile(wheel) as other:
        files = [{name for name in archive.namelist() if ".dist-info/" not in name} for archive in (one, other)]
    assert files[0] == files[1]


def test_pip_adds_it_to_the_runtimes_packages_and_changes_none_of_them(wheel, tmp_path):
    """The packages that the wheel's own ask for are counted too: all must take the runtime's versions."""
    report, constraints = tmp_path / "report.json", ROOT / "tests/deploy/runtime-constraints.txt"
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--dry-run",
        "--ignore-installed",
        "--only-binary=:all:",
    ]
    told = ["--report", report, "--constraint", constraints, f"{wheel}[report]"]
    accepted(*command, *told, cwd=tmp_path)
    found = {
        each["metadata"]["name"].lower(): each["metadata"]["version"]
        for each in json.loads(report.read_text())["install"]
    }
    assert {"pyarrow", "rich", "pydantic", "deltalake", "statsmodels"} <= set(found)
    assert not {"pyspark", "delta-spark", "py4j"} & set(found)
    assert {name: found[name] for name in brought() if name in found}.items() <= brought().items()


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
