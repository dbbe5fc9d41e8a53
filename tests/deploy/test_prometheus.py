"""Alert rules by promtool, and a real Prometheus that scrapes a real lake through `serve` and a run's textfile."""

from __future__ import annotations

import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from jobs.shared import metrics
from pipeline.config.settings import load
from pipeline.runtime.context import Context
from tests.cluster.servers import HERE, ROOT, free_port, start, stop, until
from tests.deploy.tools import needs

pytestmark = pytest.mark.deploy
FOLDER = ROOT / "conf" / "deploy" / "prometheus"
DASHBOARD = ROOT / "conf" / "deploy" / "grafana" / "dashboard.json"


PROGRAMS = {
    name: shutil.which(name) or shutil.which(ROOT / ".venv-deploy" / "prometheus" / "usr" / "bin" / name)
    for name in ("prometheus", "promtool")
}
needs_prometheus = needs(
    "apt-get", "without a prometheus on PATH it is what fetches one", unless=None not in PROGRAMS.values()
)


def program(name):
    assert PROGRAMS[name], f"no {name}: `make test-deploy` fetches it"
    return PROGRAMS[name]


def promtool(*arguments):
    done = subprocess.run(
        [program("promtool"), *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout + done.stderr


@needs_prometheus
def test_the_rules_and_the_configuration_are_what_prometheus_takes():
    assert promtool("check", "rules", "alerts.yml")[0] == 0
    code, said = promtool("check", "config", "prometheus.yml")
    assert code == 0, said


@needs_prometheus
def test_every_alert_fires_when_it_should_and_not_before():
    code, said = promtool("test", "rules", "alerts.test.yml")
    assert code == 0, said
    names = {rule["alert"] for rule in rules() if "alert" in rule}
    tested = {
        case["alertname"]
        for test in yaml.safe_load((FOLDER / "alerts.test.yml").read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert names == tested


@needs_prometheus
def test_a_rule_that_is_wrong_fails_its_test(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "rules")
    wrong = (FOLDER / "alerts.yml").read_text().replace("> 129600", "> 129600000")
    (tmp_path / "rules" / "alerts.yml").write_text(wrong)
    assert promtool("test", "rules", str(tmp_path / "rules" / "alerts.test.yml"))[0] != 0


def rules():
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return group["rules"]


def used_names():
    """Measures that rules and panels speak of."""
    texts = [rule["expr"] for rule in rules()]
    texts += [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]]
    return {name for text in texts for name in re.findall(r"\bmeterlake_\w+", text)}


@pytest.fixture(scope="module")
def measured(demo, tmp_path_factory):
    """A Prometheus with our rules that scrapes the demo's lake both ways; asks it a question."""
    folder = tmp_path_factory.mktemp("prometheus")
    textfile = metrics.text(Context(load(demo)))

    class Node(http.server.BaseHTTPRequestHandler):
        """The node exporter's part: the textfile, served."""

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(textfile)

        def log_message(self, *_):
            pass

    node = http.server.ThreadingHTTPServer((HERE, 0), Node)
    threading.Thread(target=node.serve_forever, daemon=True).start()
    api_port, port = free_port(), free_port()
    serve = [sys.executable, str(ROOT / "main.py"), "serve", "--port", str(api_port), "--config", str(demo)]
    api = start(serve, folder / "serve.log")
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(FOLDER / "alerts.yml")]
    for job, where in zip(config["scrape_configs"], (node.server_port, api_port), strict=True):
        job["static_configs"] = [{"targets": [f"{HERE}:{where}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    server = start([*command, f"--web.listen-address={HERE}:{port}"], folder / "prometheus.log")

    def ask(path, **parameters):
        with urlopen(f"http://{HERE}:{port}/api/v1/{path}?{urlencode(parameters)}", timeout=10) as answer:
            return json.load(answer)["data"]

    try:
        until(lambda: urlopen(f"http://{HERE}:{api_port}/meters", timeout=10).status == 200, "the API answers", 120)
        until(lambda: up(ask) == 2, f"both ways are scraped: {folder}/prometheus.log, {folder}/serve.log", 120)
        yield ask
    finally:
        stop(server)
        stop(api)
        node.shutdown()
        node.server_close()


def up(ask):
    return sum(float(each["value"][1]) for each in ask("query", query="up")["result"])


def value(ask, query):
    return {
        tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in ask("query", query=query)["result"]
    }


@needs_prometheus
def test_what_rules_and_dashboard_ask_for_is_what_a_lake_tells(measured):
    known = set(measured("label/__name__/values"))
    # Only a lake that was verified, or that has readings of yesterday, has these.
    later = {"meterlake_last_verify_success", "meterlake_completeness_ratio"}
    assert used_names() - known - later == set()


@needs_prometheus
def test_a_real_prometheus_evaluates_the_rules_on_a_real_lake(measured):
    assert value(measured, "min(meterlake_last_run_success)") == {(): 1}
    assert value(measured, "max(meterlake_conservation_broken)") == {(): 0}
    assert value(measured, "count by (job) (meterlake_last_run_success)") == {
        (("job", "meterlake-api"),): 1,
        (("job", "meterlake-textfile"),): 1,
    }
    until(lambda: firing(measured), "the rules are evaluated")
    time.sleep(3)
    # The demo's days are of 2021 and one of its files is cut in half: it says so, and nothing that is not so.
    assert firing(measured) >= {"MeterlakeFileRefused"}
    assert not firing(measured) & {"MeterlakeNoSuccess", "MeterlakeRunFailed", "MeterlakeConservationBroken"}
    waiting = {each["labels"]["alertname"] for each in measured("alerts")["alerts"] if each["state"] == "pending"}
    assert "MeterlakeFeedLate" in waiting


def firing(ask):
    return {each["labels"]["alertname"] for each in ask("alerts")["alerts"] if each["state"] == "firing"}


def test_every_alert_has_a_section_in_the_runbook():
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    for rule in rules():
        if "alert" in rule:
            page, anchor = rule["annotations"]["runbook_url"].split("#")
            assert (ROOT / page).is_file()
            assert anchor == rule["alert"].lower()
            assert re.search(rf"^#+ {rule['alert']}$", runbook, re.MULTILINE), rule["alert"]
