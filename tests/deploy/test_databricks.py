"""The Databricks bundle, loaded by the vendor's own package as its CLI has it loaded; and against Meterlake itself."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

import main
from pipeline.config.settings import load
from tests.deploy.tools import DEPLOY, ROOT, accepted, asked, done, tool

pytestmark = pytest.mark.deploy
BUNDLE = DEPLOY / "databricks"
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


def loaded(bundle, folder):
    """What the vendor's loader, which its CLI starts like this, makes of the resources: (them, what it complains of)."""
    put, out, said = folder / "in.json", folder / "out.json", folder / "diagnostics.json"
    loaded_as = {"bundle": bundle["bundle"] | {"target": "dev"}, "python": {"resources": [], "mutators": []}}
    put.write_text(json.dumps(bundle | loaded_as))
    where = ["--input", put, "--output", out, "--diagnostics", said, "--locations", folder / "locations.json"]
    ended = done(tool("python"), "-m", "databricks.bundles.build", "--phase", "apply_mutators", *where, cwd=folder)
    complaints = [json.loads(line) for line in said.read_text().splitlines()] if said.is_file() else []
    assert complaints or ended.returncode == 0, ended.stderr
    return (json.loads(out.read_text()) if out.is_file() else {}), complaints


def test_the_vendors_loader_takes_every_resource_and_refuses_a_wrong_one(bundle, tmp_path):
    made, complaints = loaded(bundle, tmp_path)
    assert complaints == []
    assert set(made["resources"]["jobs"]) == set(bundle["resources"]["jobs"])
    assert len(bundle["resources"]["jobs"]) == 4
    wrong = json.loads(json.dumps(bundle))
    wrong["resources"]["jobs"]["meterlake_daily"]["schedule"]["timezone"] = "Europe/London"
    _, complaints = loaded(wrong, tmp_path)
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
        assert (BUNDLE / artifact["path"]).resolve() == ROOT
        assert (ROOT / artifact["build"].split()[0]).is_file()
    text = json.dumps(bundle)
    used = {part.split("}")[0] for part in text.split("${var.")[1:]}
    assert used == set(bundle["variables"])
    assert [name for name, variable in bundle["variables"].items() if "default" not in variable] == ["node_type"]


@pytest.mark.parametrize("target", ["dev", "prod"])
def test_each_target_has_a_configuration_in_catalog_mode_that_meterlake_takes(bundle, target):
    path = BUNDLE / f"meterlake-{target}.toml"
    settings = load(path)
    assert settings.catalog == f"meterlake_{target}"
    landing = bundle["targets"][target].get("variables", {}).get("landing", bundle["variables"]["landing"]["default"])
    assert all(feed.path.startswith(landing) for feed in settings.feeds)
    assert settings.environment == (
        "development" if bundle["targets"][target]["mode"] == "development" else "production"
    )


def test_only_one_job_writes_one_run_at_a_time_and_its_commands_are_meterlakes(bundle):
    jobs = bundle["resources"]["jobs"]
    writer = jobs["meterlake_write"]
    assert (writer["max_concurrent_runs"], writer["queue"]) == (1, {"enabled": True})
    commands = {}
    for key, job in jobs.items():
        for task in job["tasks"]:
            if "python_wheel_task" in task:
                (wheel,) = [library["whl"] for library in task["libraries"] if "whl" in library]
                assert (BUNDLE / "resources" / wheel).parent.resolve() == ROOT / "dist"
                assert key == "meterlake_write"
                commands[task["task_key"]] = task["python_wheel_task"]
            elif "run_job_task" in task:
                assert task["run_job_task"]["job_id"] == "${resources.jobs.meterlake_write.id}"
                assert task["run_job_task"]["job_parameters"]["command"] in {"run", "maintain"}
    assert set(commands) == {"run", "maintain"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for name, task in commands.items():
        assert task["package_name"] == project["name"]
        assert task["entry_point"] in project["scripts"]
        *words, config = task["parameters"]
        assert words[0] == name
        assert config == "${workspace.file_path}/meterlake-${bundle.target}.toml"
        # The words are taken: only the configuration, which is not there, stops it.
        ended = CliRunner().invoke(main.app, [*words, str(BUNDLE / "none.toml")])
        assert ended.exit_code == 2
        assert "no such file" in ended.output


def test_the_jar_of_the_reference_database_is_the_pinned_one(bundle):
    pinned = tomllib.loads((ROOT / "jars/coordinates.toml").read_text())["resolve"]
    for task in bundle["resources"]["jobs"]["meterlake_write"]["tasks"]:
        for library in task.get("libraries", ()):
            assert library.get("maven", {}).get("coordinates", pinned[1]) in pinned


def test_the_schedules_are_eight_each_day_and_three_on_sundays_in_london(bundle):
    jobs = bundle["resources"]["jobs"]
    daily, weekly = jobs["meterlake_daily"]["schedule"], jobs["meterlake_maintain"]["schedule"]
    assert daily["timezone_id"] == weekly["timezone_id"] == "Europe/London"
    # Seconds come first in a Quartz expression; without them and with * for ? it is cron's.
    for schedule, wanted in ((daily, "2026-11-30T08:00:00+00:00"), (weekly, "2026-12-06T03:00:00+00:00")):
        seconds, cron = schedule["quartz_cron_expression"].replace("?", "*").split(" ", 1)
        assert seconds == "0"
        script = "import sys; from datetime import datetime; from cronsim import CronSim; print(next(CronSim(sys.argv[1], datetime.fromisoformat(sys.argv[2]))).isoformat())"
        since = datetime(2026, 11, 29, 12, tzinfo=UTC).isoformat()
        assert accepted(tool("python"), "-c", script, cron, since).strip() == wanted
