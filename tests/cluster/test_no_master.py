"""A cluster that does not answer is a fault of the run, reported in one line; no delivery is blamed for it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pipeline.runtime import fetch_jars
from tests.cluster.servers import HERE, ROOT, environment, free_port

pytestmark = pytest.mark.cluster
DELIVERY = '{"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": [["2021-03-28 00:00:00", "m1", "0.5"]]}'
CONFIG = """lake = "lake"
[[feeds]]
name = "electricity"
format = "split_json"
path = "in"
time_zone = "Europe/London"
"""


def main(folder, *arguments):
    command = [sys.executable, str(ROOT / "main.py"), *arguments, "--json", "--config", "meterlake.toml"]
    variables = environment(METERLAKE_JARS=str(fetch_jars.jar_folder().absolute()))
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=300, check=False)


def test_a_delivery_waits_for_a_cluster_that_does_not_answer(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "day.json").write_text(DELIVERY)
    config = tmp_path / "meterlake.toml"
    config.write_text(f'{CONFIG}[spark]\n"spark.master" = "spark://{HERE}:{free_port()}"\n')
    done = main(tmp_path, "run")
    assert done.returncode == 1
    assert "cluster ended the application or does not answer" in done.stderr.splitlines()[-1]
    assert json.loads(main(tmp_path, "files").stdout) == []
    config.write_text(CONFIG)
    done = main(tmp_path, "run")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == {"loaded": 1}
