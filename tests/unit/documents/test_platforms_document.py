"""docs/platforms.md: its costs follow from its inputs, its versions are those of the bundles, and what it names is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "conf" / "deploy"
TEXT = (ROOT / "docs" / "platforms.md").read_text(encoding="utf-8")
INPUTS = {name: float(value) for name, value in re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", TEXT, re.MULTILINE)}
COSTS = re.findall(r"^\| ([^|`]+) \| ([\d.]*) ?\| ([\d.]*) ?\| ([\d.]+) \|$", TEXT, re.MULTILINE)
HOURS = 730  # of a month
# Package -> (range, what the runtime has, our pin).
RANGES = {
    name.lower(): (asked, there, pin)
    for name, asked, there, pin in re.findall(
        r"^\| ([\w-]+)(?: \(`report`\))? \| `([^`]+)` \| ([\d.]+) \| ([\d.]+) \|$", TEXT, re.MULTILINE
    )
}


def dollars(what, cores, jobs):
    if what.startswith("Databricks"):
        assert float(jobs) == pytest.approx(INPUTS["jobs"] + INPUTS["arrivals"])
    if jobs:
        minutes = INPUTS["serverless_minutes" if "serverless" in what else "job_minutes"]
        return float(cores) * minutes / 60 * float(jobs) * 30 * INPUTS["usd_core_hour"]
    if cores:
        return float(cores) * HOURS * INPUTS["usd_core_hour"]
    if "shared volume of 100 GB" in what:
        return 100 * INPUTS["usd_shared_gb_month"]
    return INPUTS["gb_a_year"] * INPUTS["usd_gb_month"]


@pytest.mark.parametrize(("what", "cores", "jobs", "told"), COSTS)
def test_each_cost_follows_from_the_inputs(what, cores, jobs, told):
    assert dollars(what, cores, jobs) == pytest.approx(float(told), abs=0.5 if float(told) >= 1 else 0.05)


def test_the_inputs_that_both_documents_have_are_the_same():
    assert len(COSTS) == 8
    plan = (ROOT / "docs/platform.md").read_text(encoding="utf-8")
    for name in ("usd_core_hour", "usd_gb_month"):
        assert float(re.search(rf"^\| `{name}` \| ([\d.]+) \|", plan, re.MULTILINE)[1]) == INPUTS[name]
    # 10,000 meters: what a day brings, by the plan, for a year.
    rows = ("delivered a day as JSON rows, GB", "bronze a day from rows, GB", "silver a day, GB")
    day = sum(float(re.search(rf"^\| {row} \| ([\d.]+) \|", plan, re.MULTILINE)[1]) for row in rows)
    assert round(day * 365) == INPUTS["gb_a_year"]


def test_the_ranges_are_the_wheels_and_the_versions_the_runtimes():
    script = (DEPLOY / "platform_wheel.sh").read_text()
    wheel = {name.lower(): asked for name, asked in re.findall(r'/"([\w-]+)(>=[^"]+)"/', script)}
    assert {name: asked for name, (asked, _, _) in RANGES.items()} == wheel
    there = dict(
        re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "tests/deploy/runtime-constraints.txt").read_text(), re.MULTILINE)
    )
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "requirements.txt").read_text().lower(), re.MULTILINE))
    for name, (_, runtime, pin) in RANGES.items():
        assert (there[name], pins[name]) == (runtime, pin), name


def test_the_runtimes_of_the_bundles_are_in_the_table_and_not_too_old():
    bundle = (DEPLOY / "databricks/databricks.yml").read_text()
    image = re.search(r"imageVersion: ([\d.]+)-debian(\d+)", (DEPLOY / "dataproc/workflow.yaml").read_text())
    batch = (DEPLOY / "dataproc/batch.yaml").read_text()
    cluster = re.search(r"default: ([0-9.]+)\.x-scala", bundle)[1]
    environment = re.search(r'environment_version: "(\d+)"', bundle)[1]
    runtime = re.search(r'^  version: "([0-9.]+)"', batch, re.MULTILINE)[1]
    wanted = [
        f"| Databricks {cluster} LTS ",
        f"| Databricks serverless, environment {environment} ",
        f"| Dataproc image {image[1]} (Debian {image[2]}) ",
        f"| Dataproc serverless runtime {runtime} ",
    ]
    for row in wanted:
        (line,) = [line for line in TEXT.splitlines() if line.startswith(row)]
        assert "too old" not in line


def test_what_it_names_of_this_repository_is_there():
    named = set(re.findall(r"(?<![\w/.])(?:conf|tests|docs|pipeline)/[\w./-]*\w", TEXT))
    assert len(named) >= 10
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    for link in re.findall(r"\]\(([\w-]+\.md)[#)]", TEXT):
        assert (ROOT / "docs" / link).is_file(), link


@pytest.mark.parametrize("name", ["Databricks", "Dataproc", "Kubernetes"])
def test_each_platform_has_its_parts_in_the_order_in_which_a_newcomer_needs_them(name):
    page = re.search(rf"^## {name}\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL)[1]
    parts = re.findall(r"^\*\*(You need|Run it|See it|Leave it running|Remove it)\b", page, re.MULTILINE)
    assert parts == ["You need", "Run it", "See it", "Leave it running", "Remove it"]
    commands = re.search(r"^\*\*Run it\*\*\n\n```sh\n(.*?)```", page, re.MULTILINE | re.DOTALL)[1]
    assert len(commands.replace("\\\n", "").splitlines()) == 5
    # The page says what the demo's refused deliveries do to the first run.
    assert "exit code 3" in page[page.index("**See it.") : page.index("**Leave it running.")]
    rows = re.findall(r"^\| (run here|validated|neither) \|", page, re.MULTILINE)
    assert rows == ["run here", "validated", "neither"]


@pytest.mark.parametrize("name", ["Databricks", "Dataproc", "Kubernetes"])
def test_what_a_page_says_of_its_costs_is_in_the_table(name):
    page = re.search(rf"^## {name}\n(.*?)(?=^## )", TEXT, re.MULTILINE | re.DOTALL)[1]
    told = re.search(r"^\*\*Leave it running\.\*\*(.*?)\n\n", page, re.MULTILINE | re.DOTALL)[1]
    table = {dollars for what, _, _, dollars in COSTS if what.startswith(name)}
    mentioned = set(re.findall(r"\b(\d+)\b(?! GB)", told))
    assert mentioned == table


def test_the_version_of_the_image_is_this_one_wherever_it_is_named():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"registry.example.org/meterlake:{version} ." in TEXT
    assert f"meterlake-{version}+platform-py3-none-any.whl" in TEXT
    for part in ("base", "deliveries"):
        assert f"newTag: {version}\n" in (DEPLOY / f"kubernetes/{part}/kustomization.yaml").read_text()
