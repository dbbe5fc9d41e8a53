"""The wheel and the source distribution, installed where nothing is, do what the checkout does: `make test-deploy`.

`make release-check` gives the environments that it has made (RELEASE_FOLDER); else they are made here, by
`.ci/release.py prepare`, which also validates metadata (twine) and contents.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pipeline.runtime import fetch_jars

pytestmark = pytest.mark.deploy
ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
VERSION = PROJECT["version"]
PINS = dict(pin.split("==") for pin in PROJECT["dependencies"])
KINDS = ["wheel", "sdist"]
TOOLS = ROOT / ".venv-deploy" / "bin"


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A folder with dist/ and the environments wheel/ and sdist/."""
    if made := os.environ.get("RELEASE_FOLDER"):
        yield Path(made)
        return
    folder = tmp_path_factory.mktemp("release") / "outside"
    command = [str(TOOLS / "python"), str(ROOT / ".ci" / "release.py"), "prepare", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1500)
        assert done.returncode == 0, done.stdout + done.stderr
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # gigabytes, which pytest would keep for its next three runs


def environment():
    """Of a user who has this machine's Java and JARs, and nothing of the repository."""
    foreign = ("PYTHON", "PYSPARK", "SPARK", "METERLAKE", "VIRTUAL_ENV")
    kept = {n: value for n, value in os.environ.items() if not n.startswith(foreign) and n != "PYTEST_ADDOPTS"}
    return kept | {"METERLAKE_JARS": str(fetch_jars.jar_folder().absolute()), "COLUMNS": "120"}


def meterlake(release, kind, folder, *arguments, expected=0):
    """Run the console script in the folder; its standard output, or with another code than 0 its standard error."""
    command = [str(release / kind / "bin" / "meterlake"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == expected, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stderr if expected else done.stdout


@pytest.fixture(scope="module")
def lakes(release, tmp_path_factory):
    """By kind: a folder elsewhere in which the demo has run, with the example configuration that was installed."""
    folders = {}
    for kind in KINDS:
        folder = folders[kind] = tmp_path_factory.mktemp(kind)
        refusal = meterlake(release, kind, folder, "run", expected=2)
        example = Path(re.search(r"\(an example: (.+?)\)", refusal)[1])
        assert example.is_relative_to(release / kind), "not of the installed package"
        (folder / "conf").mkdir()
        shutil.copy2(example, folder / "conf" / "local.toml")
        meterlake(release, kind, folder, "demo", "--json")
    return folders


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_its_version_and_its_commands(release, tmp_path, kind):
    said = f"meterlake {VERSION} (Spark {PINS['pyspark']}, Delta {PINS['delta-spark']})\n"
    assert meterlake(release, kind, tmp_path, "--version") == said
    help_text = meterlake(release, kind, tmp_path, "--help")
    assert all(f" {command} " in help_text for command in ("run", "watch", "serve", "report", "erase"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_demo_leaves_the_rows_of_the_checkouts_demo_in_gold(lakes, demo, kind):
    def gold(lake, table):
        return sorted(DeltaTable(str(lake / "gold" / table)).to_pyarrow_table().to_pylist(), key=str)

    ours, theirs = demo.parent / "data_lake", lakes[kind] / "data_lake"
    for table in ("total_consumption_half_hour", "meter_day", "consumption_per_product_per_day", "missing_intervals"):
        rows = gold(theirs, table)
        assert rows
        assert rows == gold(ours, table)


@pytest.mark.parametrize("kind", KINDS)
def test_a_delivery_from_a_folder_elsewhere_reaches_gold(release, tmp_path, kind):
    (tmp_path / "landing").mkdir()
    rows = '[["2021-01-04 00:00:00", "m1", "0.125"], ["2021-01-04 00:30:00", "m1", "1"]]'
    columns = '{"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": '
    (tmp_path / "landing" / "day.json").write_text(columns + rows + "}")
    feed = 'name = "e"\nformat = "split_json"\npath = "landing"\ntime_zone = "Europe/London"\n'
    (tmp_path / "my.toml").write_text('lake = "lake"\n[[feeds]]\n' + feed)
    meterlake(release, kind, tmp_path, "run", "--config", "my.toml")
    (day,) = DeltaTable(str(tmp_path / "lake" / "gold" / "meter_day")).to_pyarrow_table().to_pylist()
    assert (day["meter_id"], str(day["consumption"]), day["intervals_received"]) == ("m1", "1.125000", 2)


def test_the_report_finds_its_templates(release, lakes):
    meterlake(release, "wheel", lakes["wheel"], "report", "--feed", "electricity", "--out", "report.html")
    text = (lakes["wheel"] / "report.html").read_text()
    assert "<svg" in text or "<img" in text


def test_the_read_api_has_its_page_and_says_its_version(release, lakes):
    command = [str(release / "wheel" / "bin" / "meterlake"), "serve", "--port", "0"]
    server = subprocess.Popen(
        command, cwd=lakes["wheel"], env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said = ""
        while not (address := re.search(r"http://127\.0\.0\.1:\d+", said)):
            line = server.stdout.readline()
            assert line, said
            said += line

        def get(path):
            with urllib.request.urlopen(address[0] + path, timeout=30) as answer:
                return answer.read().decode()

        assert json.loads(get("/openapi.json"))["info"]["version"] == VERSION
        files = re.findall(r'(?:src|href)="([^"#]+)"', get("/"))
        assert "page/app.js" in files
        assert all(get("/" + name) for name in files)
    finally:
        server.terminate()
        server.communicate(timeout=60)


def test_the_wheel_holds_what_runs_and_nothing_else(release):
    (wheel,) = (release / "dist").glob("*.whl")
    assert wheel.name == f"meterlake-{VERSION}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    described = f"meterlake-{VERSION}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"main.py", "jobs", "pipeline", described}
    assert not [name for name in names if name.endswith((".jar", ".parquet", ".gitkeep", ".pyc")) or "test" in name]
    kept = {"pipeline/_conf/local.toml", "pipeline/_jars/coordinates.toml", "pipeline/_jars/ivysettings.xml"}
    assert {name for name in names if name.startswith(("pipeline/_conf/", "pipeline/_jars/"))} == kept
    assert f"{described}/licenses/LICENSE" in names
    modules = {str(path.relative_to(ROOT)) for folder in ("jobs", "pipeline") for path in (ROOT / folder).rglob("*.py")}
    assert modules <= set(names), "pyproject.toml lists the packages: one is missing"


def test_the_bill_of_materials_has_what_is_installed_and_each_jar(release, tmp_path):
    python = release / "wheel" / "bin" / "python"
    command = [str(TOOLS / "python"), str(ROOT / ".ci" / "bill.py"), str(python), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr  # CycloneDX's strict schema accepts it, or it ends here
    bom = json.loads((tmp_path / "sbom.json").read_text())
    assert bom["metadata"]["component"]["version"] == VERSION
    for jar in fetch_jars.expected_jars():
        group, artifact, version = jar.coordinate.split(":")
        (part,) = [part for part in bom["components"] if part.get("purl") == f"pkg:maven/{group}/{artifact}@{version}"]
        assert part["hashes"] == [{"alg": "SHA-256", "content": jar.sha256}]
        assert part["licenses"]
    pinned = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    packages = {part["name"]: part["version"] for part in bom["components"] if part["purl"].startswith("pkg:pypi/")}
    pinned |= {name.replace("-", "_"): number for name, number in pinned.items()}
    assert packages.items() <= pinned.items()
    licences = json.loads((tmp_path / "licences.json").read_text())
    assert {entry["Name"] for entry in licences} - {"meterlake"} == set(packages)


def test_the_source_distribution_passes_its_own_tests(release, tmp_path):
    (sdist,) = (release / "dist").glob("*.tar.gz")
    shutil.unpack_archive(sdist, tmp_path, filter="data")
    source = tmp_path / f"meterlake-{VERSION}"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit"]
    done = subprocess.run(
        command, cwd=source, env=environment(), capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert re.search(r"\d{3,} passed", done.stdout)
