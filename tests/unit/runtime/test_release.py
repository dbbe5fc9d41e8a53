"""The version has one source, and `--version` starts nothing."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.config import settings
from pipeline.errors import ConfigurationError
from pipeline.runtime import release

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
METADATA = {"meterlake": "7.8.9", "pyspark": "4.2.0", "delta-spark": "4.4.0"}


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """No checkout around: what is known comes from the metadata of installed packages, which the test may change."""
    packages = dict(METADATA)

    def version(name):
        try:
            return packages[name]
        except KeyError:
            raise metadata.PackageNotFoundError(name) from None

    monkeypatch.setattr(release, "PROJECT", tmp_path / "pyproject.toml")
    monkeypatch.setattr(metadata, "version", version)
    pins = ["pyspark==4.2.0", "delta-spark==4.4.0", 'duckdb==2.0.1; extra == "serve"']
    monkeypatch.setattr(metadata, "requires", lambda _: pins)
    return packages


def test_a_checkout_says_its_own_version_and_pins_without_loading_the_engine():
    program = "import sys, main, atexit; sys.argv[1:] = ['--version']; main.os._exit = lambda code: print(code, 'pyspark' in sys.modules); main.entry()"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    pins = dict(pin.split("==") for pin in PROJECT["dependencies"])
    # `make test-versions` runs this where other versions than the pinned ones are installed.
    here = {name: metadata.version(name) for name in ("pyspark", "delta-spark")}
    but = {name: "" if here[name] == pins[name] else f" but {here[name]} here" for name in here}
    engine = f"Spark {pins['pyspark']}{but['pyspark']}, Delta {pins['delta-spark']}{but['delta-spark']}"
    said = f"meterlake {PROJECT['version']} ({engine})"
    assert done.stdout.splitlines() == [said, "0 False"]
    assert done.stderr == ""


def test_the_version_is_defined_in_one_place_only():
    number = re.compile(rf"\b{re.escape(PROJECT['version'])}\b")
    folders = ("jobs", "pipeline")
    sources = [ROOT / "main.py", *(path for folder in folders for path in (ROOT / folder).rglob("*.py"))]
    # A docstring may give an example; code may not.
    said = [
        path.name
        for path in sources
        for line in path.read_text().splitlines()
        if re.search(rf"[\"']{number.pattern}[\"']", line)
    ]
    assert said == []


def test_an_installation_has_every_package():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {path.parent.relative_to(ROOT) for name in ("jobs", "pipeline") for path in (ROOT / name).rglob("*.py")}
    assert {str(folder).replace("/", ".") for folder in folders} <= set(listed)


def test_an_installed_wheel_says_what_its_metadata_says(installed):
    assert release.version() == "7.8.9"
    assert release.in_words() == "meterlake 7.8.9 (Spark 4.2.0, Delta 4.4.0)"


def test_an_engine_other_than_the_pinned_one_is_shown(installed):
    installed["pyspark"] = "4.0.2"
    del installed["delta-spark"]
    assert release.in_words() == "meterlake 7.8.9 (Spark 4.2.0 but 4.0.2 here, Delta 4.4.0 but none here)"


def test_modules_that_were_copied_without_metadata_still_answer(installed):
    del installed["meterlake"]
    assert release.version() == release.UNKNOWN
    assert release.in_words() == "meterlake 0+unknown (Spark 4.2.0, Delta 4.4.0)"


def test_the_project_file_of_somebody_else_is_not_taken_for_ours(installed, tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "theirs"\nversion = "1.0"\n')
    assert release.version() == "7.8.9"
    (tmp_path / "pyproject.toml").write_text("[tool.other]\n")
    assert release.version() == "7.8.9"


def test_the_versions_are_numbers_of_semantic_versioning():
    assert re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", PROJECT["version"])


def test_an_installed_wheel_names_its_example_where_no_configuration_is(monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "EXAMPLE", tmp_path / "local.toml")
    missing = tmp_path / "conf" / "local.toml"
    with pytest.raises(ConfigurationError, match=r"no such file; name one with --config$"):
        settings.load(missing)
    (tmp_path / "local.toml").touch()
    with pytest.raises(ConfigurationError, match=rf"name one with --config \(an example: {tmp_path}/local.toml\)$"):
        settings.load(missing)


def test_contributing_names_every_target_of_tests():
    targets = re.findall(r"^(test[a-z-]*|lint):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    documented = re.findall(r"^\| `make ([a-z-]+)` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    assert len(targets) > 5
    assert set(documented) == set(targets)


def test_the_changelog_has_its_form():
    documented = (ROOT / "CHANGELOG.md").read_text()
    chapters = re.findall(r"^## (.+)$", documented, re.MULTILINE)
    assert chapters[0] == "[Unreleased]"
    released = [
        re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - \d{4}-\d\d-\d\d", chapter).groups() for chapter in chapters[1:]
    ]
    numbers = [tuple(map(int, number)) for number in released]
    assert numbers == sorted(set(numbers), reverse=True)
    assert PROJECT["version"] == ".".join(map(str, numbers[0])), "the version and the newest chapter differ"
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Lake: schema and upgrade"}
    assert set(re.findall(r"^### (.+)$", documented, re.MULTILINE)) <= kinds
