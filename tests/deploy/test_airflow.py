"""The DAGs in a real Airflow: imported as it imports them, and run by `dag.test()` on a copy of the demo lake."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import demo_in
from tests.deploy.tools import DEPLOY, ROOT, accepted, environment, installed

pytestmark = pytest.mark.deploy
AIRFLOW = ROOT / ".venv-airflow" / "bin"
DAGS = DEPLOY / "airflow"
DELIVERY = '{"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": [["2021-05-04 00:00:00", "m1", "0.125"]]}'


@pytest.fixture(scope="module")
def airflow(tmp_path_factory):
    """The variables of an Airflow that has its database and the pool."""
    assert (AIRFLOW / "airflow").is_file(), "`make test-deploy` installs it"
    home = tmp_path_factory.mktemp("airflow")
    variables = environment(
        AIRFLOW_HOME=str(home),
        AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
        AIRFLOW__CORE__LOAD_EXAMPLES="False",
        PATH=f"{installed(home / 'bin')}:{os.environ['PATH']}",
    )
    accepted(AIRFLOW / "airflow", "db", "migrate", env=variables)
    accepted(AIRFLOW / "airflow", "pools", "set", "meterlake", "1", "one writer", env=variables)
    return variables


def ran(airflow, dag="none", moment="", **more):
    """The result of airflow_runs.py, and all output of Airflow."""
    script = ROOT / "tests/deploy/airflow_runs.py"
    said = accepted(AIRFLOW / "python", script, DAGS, dag, moment, env=airflow | more)
    (facts,) = [line for line in said.splitlines() if line.startswith("FACTS ")]
    return json.loads(facts.removeprefix("FACTS ")), said


def deliver(landing, name, text, moment):
    (landing / name).write_text(text)
    at = datetime.fromisoformat(moment).timestamp()
    os.utime(landing / name, (at, at))


def test_airflow_catches_up_from_the_day_of_the_deployment_on_and_without_one_not_at_all(airflow):
    now = datetime.now(UTC)
    facts, _ = ran(airflow)
    assert facts["errors"] == {}
    assert sorted(facts["first"]) == ["meterlake_daily", "meterlake_nightly", "meterlake_weekly"]
    for name, (_, end) in facts["first"].items():
        # A day may have 25 hours.
        assert now - datetime.fromisoformat(end) <= timedelta(days=7 if name == "meterlake_weekly" else 1, hours=1), (
            name
        )
    # The day before the clocks went back: at seven by UTC.
    facts, _ = ran(airflow, AIRFLOW_VAR_METERLAKE_SINCE="2026-10-24")
    assert facts["first"]["meterlake_daily"] == ["2026-10-24T07:00:00+00:00", "2026-10-25T08:00:00+00:00"]
    # The others do the same whenever they run: they are not caught up.
    assert now - datetime.fromisoformat(facts["first"]["meterlake_nightly"][1]) <= timedelta(hours=25)


def test_a_day_that_was_missed_takes_its_own_deliveries_and_the_week_the_rest(airflow, demo, tmp_path):
    config = demo_in(tmp_path, demo)
    landing = tmp_path / "data_lake/landing/electricity"
    deliver(landing, "before.json", DELIVERY, "2026-03-28T07:59:59+00:00")
    deliver(landing, "first.json", DELIVERY.replace("m1", "m2"), "2026-03-28T08:00:00+00:00")
    deliver(landing, "last.json", DELIVERY.replace("m1", "m3"), "2026-03-29T06:59:59+00:00")
    deliver(landing, "empty.json", "", "2026-03-29T07:00:00+00:00")
    variables = {"METERLAKE_CONFIG": str(config)}

    def files():
        rows = json.loads(accepted(sys.executable, ROOT / "main.py", "files", "--json", env=environment(**variables)))
        names = {"before.json", "first.json", "last.json", "empty.json"}
        return {row["file_name"]: row["status"] for row in rows if row["file_name"] in names}

    # The clocks went forward that night: eight to eight is 23 hours.
    facts, said = ran(airflow, "meterlake_daily", "2026-03-29T07:00:00+00:00", **variables)
    assert facts["interval"] == ["2026-03-28T08:00:00+00:00", "2026-03-29T07:00:00+00:00"]
    assert (facts["state"], facts["tasks"]) == ("success", {"run": "success"}), said
    assert files() == {"first.json": "loaded", "last.json": "loaded"}
    assert "older deliveries wait" in said
    # The next day's is refused, and the day fails.
    facts, said = ran(airflow, "meterlake_daily", "2026-03-30T07:00:00+00:00", **variables)
    assert (facts["state"], facts["tasks"]) == ("failed", {"run": "failed"}), said
    assert files() == {"first.json": "loaded", "last.json": "loaded", "empty.json": "rejected"}
    facts, said = ran(airflow, "meterlake_weekly", "2026-04-05T02:00:00+00:00", **variables)
    assert (facts["state"], facts["tasks"]) == ("success", dict.fromkeys(["run", "maintain"], "success")), said
    assert files()["before.json"] == "loaded"
    facts, said = ran(airflow, "meterlake_nightly", "2026-04-06T03:00:00+00:00", **variables)
    assert (facts["state"], facts["tasks"]) == ("success", {"verify": "success"}), said
    assert '"equal": true' in said.replace('\\"', '"')
