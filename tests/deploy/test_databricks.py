"""The Databricks bundle, loaded by the vendor's own package as its CLI has it loaded; and against Meterlake itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tomllib
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

import pytest
from typer.testing import CliRunner

import main
from pipeline.config.settings import load
from tests.deploy.tools import DEPLOY, ROOT, accepted, asked, done, tool

pytestmark = pytest.mark.deploy
BUNDLE = DEPLOY / "databricks"
TARGETS = ["dev", "prod", "prod-cluster"]
COMMANDS = ["run", "maintain", "verify"]
READ = "import json, sys, yaml; print(json.dumps([yaml.safe_load(open(name)) for name in sys.argv[1:]]))"
# Keys of the blocks that the vendor's package does not read, as its CLI's published schema has them.
KNOWN = {
    "": {"artifacts", "bundle", "include", "permissions", "resources", "run_as", "sync", "targets", "variables", "workspace"},
    "target": {"artifacts", "bundle", "default", "mode", "permissions", "presets", "resources", "run_as", "sync", "variables", "workspace"},
    "variable": {"default", "description", "lookup", "type"},
    "artifact": {"build", "dynamic_version", "executable", "files", "path", "type"},
}  # fmt: skip


@pytest.fixture(scope="module")
def bundle():
    whole, *parts = asked(READ, BUNDLE / "databricks.yml", *sorted((BUNDLE / "resources").glob("*.yml")))
    assert whole["include"] == ["resources/*.yml"]
    assert "resources" not in whole
    for part in parts:
        assert set(part) == {"resources"}
        for kind, found in part["resources"].items():
            whole.setdefault("resources", {}).setdefault(kind, {}).update(found)
    return whole


def of_target(bundle, name):
    """The jobs of a target: a target's lists are added to those of the bundle by the keys of their elements."""
    jobs = json.loads(json.dumps(bundle["resources"]["jobs"]))
    for job, added in bundle["targets"][name]["resources"]["jobs"].items():
        for part, elements in added.items():
            key = {"tasks": "task_key", "environments": "environment_key", "job_clusters": "job_cluster_key"}[part]
            mine = {each[key]: each for each in jobs[job].setdefault(part, [])}
            for element in elements:
                if element[key] in mine:
                    mine[element[key]].update(element)
                else:
                    jobs[job][part].append(element)
    return jobs


def loaded(bundle, jobs, folder):
    """What the vendor's loader, which its CLI starts like this, makes of the jobs: (them, what it complains of)."""
    put, out, said = folder / "in.json", folder / "out.json", folder / "diagnostics.json"
    loaded_as = {"bundle": bundle["bundle"] | {"target": "dev"}, "python": {"resources": [], "mutators": []}}
    put.write_text(json.dumps(bundle | {"resources": {"jobs": jobs}} | loaded_as))
    where = ["--input", put, "--output", out, "--diagnostics", said, "--locations", folder / "locations.json"]
    ended = done(tool("python"), "-m", "databricks.bundles.build", "--phase", "apply_mutators", *where, cwd=folder)
    complaints = [json.loads(line) for line in said.read_text().splitlines()] if said.is_file() else []
    assert complaints or ended.returncode == 0, ended.stderr
    return (json.loads(out.read_text()) if out.is_file() else {}), complaints


@pytest.mark.parametrize("target", TARGETS)
def test_the_vendors_loader_takes_every_resource_and_refuses_a_wrong_one(bundle, tmp_path, target):
    jobs = of_target(bundle, target)
    made, complaints = loaded(bundle, jobs, tmp_path)
    assert complaints == []
    assert set(made["resources"]["jobs"]) == set(jobs)
    assert len(jobs) == 5
    jobs["meterlake_daily"]["schedule"]["timezone"] = "Europe/London"
    _, complaints = loaded(bundle, jobs, tmp_path)
    assert "Unexpected field 'timezone'" in json.dumps(complaints)


def test_the_rest_of_the_bundle_has_known_keys_only_and_every_variable(bundle):
    assert set(bundle) <= KNOWN[""]
    for target in bundle["targets"].values():
        assert set(target) <= KNOWN["target"]
        assert set(target.get("variables", {})) <= set(bundle["variables"])
    for variable in bundle["variables"].values():
        assert set(variable) <= KNOWN["variable"]
    for artifact in bundle["artifacts"].values():
        assert set(artifact) <= KNOWN["artifact"]
        assert (BUNDLE / artifact["path"]).resolve() == BUNDLE
        assert (BUNDLE / artifact["build"].split()[0]).is_file()
    text = json.dumps(bundle)
    used = {part.split("}")[0] for part in text.split("${var.")[1:]}
    assert used == set(bundle["variables"])
    assert all("default" in variable for variable in bundle["variables"].values())


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_has_a_configuration_in_catalog_mode_with_everything_in_a_volume(bundle, target):
    settings = load(BUNDLE / f"meterlake-{target}.toml")
    development = bundle["targets"][target]["mode"] == "development"
    assert settings.environment == ("development" if development else "production")
    assert settings.catalog == ("meterlake_dev" if development else "meterlake_prod")
    landing = bundle["targets"][target].get("variables", {}).get("landing", bundle["variables"]["landing"]["default"])
    assert landing == f"/Volumes/{settings.catalog}/landing/in/"
    assert all(feed.path.startswith(landing) for feed in settings.feeds)
    # Not where files arrive: each run would start the next one.
    assert settings.metrics.textfile.startswith(f"/Volumes/{settings.catalog}/landing/out/")


@pytest.mark.parametrize("target", TARGETS)
def test_only_one_job_works_on_the_lake_one_at_a_time_and_its_commands_are_meterlakes(bundle, target):
    jobs = of_target(bundle, target)
    writer = jobs["meterlake_write"]
    assert (writer["max_concurrent_runs"], writer["queue"]) == (1, {"enabled": True})
    commands, chosen = {}, {}
    for key, job in jobs.items():
        for task in job["tasks"]:
            if "python_wheel_task" in task:
                assert key == "meterlake_write"
                assert task["max_retries"] == 0
                commands[task["task_key"]] = task
            elif "condition_task" in task:
                assert task["condition_task"]["left"] == "{{job.parameters.command}}"
                chosen[task["task_key"]] = task["condition_task"]["right"]
            elif "run_job_task" in task:
                assert task["run_job_task"]["job_id"] == "${resources.jobs.meterlake_write.id}"
                assert task["run_job_task"]["job_parameters"]["command"] in COMMANDS
    assert sorted(commands) == sorted(COMMANDS)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, task in commands.items():
        (before,) = task["depends_on"]
        assert (chosen[before["task_key"]], before["outcome"]) == (name, "true")
        wheel = task["python_wheel_task"]
        assert wheel["package_name"] == project["name"]
        assert wheel["entry_point"] in project["scripts"]
        *words, config = wheel["parameters"]
        assert words[0] == name
        assert config == "${workspace.file_path}/meterlake-${bundle.target}.toml"
        # The words are taken: only the configuration, which is not there, stops it.
        ended = CliRunner().invoke(main.app, [*words, str(BUNDLE / "none.toml")])
        assert ended.exit_code == 2
        assert "no such file" in ended.output


@pytest.mark.parametrize("target", TARGETS)
def test_each_task_has_the_targets_compute_with_the_wheel_that_the_bundle_builds(bundle, target):
    writer = of_target(bundle, target)["meterlake_write"]
    tasks = [task for task in writer["tasks"] if "python_wheel_task" in task]
    if target == "prod-cluster":
        (cluster,) = writer["job_clusters"]
        assert "environments" not in writer
        wheels = [library["whl"] for task in tasks for library in task["libraries"] if "whl" in library]
        assert {task["job_cluster_key"] for task in tasks} == {cluster["job_cluster_key"]}
        # The variable that the configuration asks for comes from the scope; and the driver of its database is there.
        reference = load(BUNDLE / f"meterlake-{target}.toml").reference
        secret = cluster["new_cluster"]["spark_env_vars"][reference.password_env]
        assert re.fullmatch(r"\{\{secrets/meterlake/[a-z-]+\}\}", secret)
        drivers = [
            library["maven"]["coordinates"] for task in tasks for library in task["libraries"] if "maven" in library
        ]
        assert len(drivers) == len(tasks)
        assert all(each.startswith(f"org.{reference.url.split(':')[1]}:") for each in drivers)
    else:
        (serverless,) = writer["environments"]
        assert "job_clusters" not in writer
        assert {task["environment_key"] for task in tasks} == {serverless["environment_key"]}
        assert all(task["disable_auto_optimization"] for task in tasks)  # else a failed task is tried again
        wheels = serverless["spec"]["dependencies"]
        # No variables, so no secrets: the reference must not ask for one.
        assert load(BUNDLE / f"meterlake-{target}.toml").reference.password_env is None
    for wheel in wheels:
        assert wheel.startswith("./")  # else the CLI takes it for the name of a package
        assert (BUNDLE / wheel).parent.resolve() == BUNDLE / "dist"
        assert fnmatch("meterlake-9.9+platform-py3-none-any.whl", Path(wheel).name)


def test_the_build_leaves_one_wheel_where_the_tasks_look_for_it_inside_the_bundle(bundle, tmp_path):
    """The CLI runs the command in the artifact's folder; a wheel outside the bundle's folder is refused by some versions."""
    there = tmp_path / "repository"
    for name in ("main.py", "pyproject.toml", "README.md", "LICENSE", "jars/coordinates.toml", "jars/ivysettings.xml"):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, there / name)
    for name in ("pipeline", "jobs", "conf"):
        shutil.copytree(ROOT / name, there / name, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    here = there / BUNDLE.relative_to(ROOT)
    (artifact,) = bundle["artifacts"].values()
    # As on a user's machine: PYTHON is not set, python3 has no pip, and `make setup` was run.
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "python3").chmod(0o755)
    (there / ".venv").symlink_to(Path(sys.prefix))
    variables = {n: v for n, v in os.environ.items() if n != "PYTHON"} | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    accepted("/bin/sh", "-c", artifact["build"], cwd=here / artifact["path"], env=variables)
    serverless = bundle["targets"]["dev"]["resources"]["jobs"]["meterlake_write"]["environments"][0]["spec"]
    (wheel,) = here.glob(serverless["dependencies"][0].removeprefix("./"))
    assert wheel.name.startswith("meterlake-")


def test_a_first_deployment_names_no_group_and_production_says_who_sees_and_manages_the_jobs(bundle):
    assert "permissions" not in bundle
    assert "permissions" not in bundle["targets"]["dev"]
    for target in ("prod", "prod-cluster"):
        levels = {each["level"] for each in bundle["targets"][target]["permissions"]}
        assert levels == {"CAN_VIEW", "CAN_MANAGE"}


def test_the_schedules_are_eight_and_four_each_day_and_three_on_sundays_in_london(bundle):
    jobs = bundle["resources"]["jobs"]
    expected = {"daily": "2026-11-30T08:00:00+00:00", "maintain": "2026-12-06T03:00:00+00:00"}
    expected["verify"] = "2026-11-30T04:00:00+00:00"
    # Seconds come first in a Quartz expression; without them and with * for ? it is cron's.
    for name, wanted in expected.items():
        schedule = jobs[f"meterlake_{name}"]["schedule"]
        assert (schedule["timezone_id"], schedule["pause_status"]) == ("Europe/London", "UNPAUSED")
        seconds, cron = schedule["quartz_cron_expression"].replace("?", "*").split(" ", 1)
        assert seconds == "0"
        script = "import sys; from datetime import datetime; from cronsim import CronSim; print(next(CronSim(sys.argv[1], datetime.fromisoformat(sys.argv[2]))).isoformat())"
        since = datetime(2026, 11, 29, 12, tzinfo=UTC).isoformat()
        assert accepted(tool("python"), "-c", script, cron, since).strip() == wanted
