"""OpenLineage and OpenTelemetry by configuration alone: their own JARs, named in [spark], and what they then send."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading

import pytest

from pipeline.runtime import fetch_jars
from tests.cluster.servers import HERE, ROOT, SPARK_HOME, environment

pytestmark = pytest.mark.deploy
OPENLINEAGE = "io.openlineage:openlineage-spark_2.13:1.53.0"
AGENT = "io.opentelemetry.javaagent:opentelemetry-javaagent:2.33.1"
DELIVERY = '{"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": [["2021-03-28 00:00:00", "m1", "0.5"]]}'
SECONDS = 400


@pytest.fixture(scope="module")
def jars(tmp_path_factory):
    """Coordinate -> JAR, fetched by Spark's own resolver, as anybody would."""
    script = tmp_path_factory.mktemp("nothing") / "nothing.py"
    script.touch()
    ivy = ROOT / ".venv-deploy" / "ivy"
    options = {
        "spark.jars.packages": f"{OPENLINEAGE},{AGENT}",
        "spark.jars.ivy": ivy,
        "spark.jars.ivySettings": ROOT / "jars" / "ivysettings.xml",
    }
    flags = [part for name, value in options.items() for part in ("--conf", f"{name}={value}")]
    command = [str(SPARK_HOME / "bin" / "spark-submit"), "--master", "local[1]", *flags, str(script)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False)
    found = {name: ivy / "jars" / "{}_{}-{}.jar".format(*name.split(":")) for name in (OPENLINEAGE, AGENT)}
    assert all(jar.is_file() for jar in found.values()), done.stderr[-2000:]
    return found


def start(folder, spark):
    """The main job on one delivery, with these lines in [spark]."""
    (folder / "in").mkdir()
    (folder / "in" / "day.json").write_text(DELIVERY)
    feed = '[[feeds]]\nname = "electricity"\nformat = "split_json"\npath = "in"\ntime_zone = "Europe/London"\n'
    lines = "\n".join(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in spark.items())
    (folder / "meterlake.toml").write_text(f'lake = "lake"\n{feed}[spark]\n{lines}\n')
    command = [sys.executable, str(ROOT / "main.py"), "run", "--json", "--debug", "--config", "meterlake.toml"]
    jars = str(fetch_jars.jar_folder().absolute())
    return subprocess.run(
        command, cwd=folder, env=environment(METERLAKE_JARS=jars), capture_output=True, text=True, timeout=SECONDS, check=False
    )  # fmt: skip


def run(folder, spark):
    """The same where it must end well."""
    done = start(folder, spark)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["rows_merged"] == 1


def test_an_agent_that_does_not_start_is_reported_in_one_line(tmp_path):
    done = start(tmp_path, {"spark.driver.extraJavaOptions": "-javaagent:not-there.jar"})
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == (
        "meterlake: lake session: Spark did not start: agent library failed to init: instrument"
    )


def test_openlineage_receives_which_file_went_into_which_table(jars, tmp_path):
    run(
        tmp_path,
        {
            "spark.driver.extraClassPath": str(jars[OPENLINEAGE]),
            "spark.extraListeners": "io.openlineage.spark.agent.OpenLineageSparkListener",
            "spark.openlineage.transport.type": "file",
            "spark.openlineage.transport.location": str(tmp_path / "events.json"),
            "spark.openlineage.namespace": "meterlake",
        },
    )
    events = [json.loads(line) for line in (tmp_path / "events.json").read_text().splitlines()]
    flows = {
        (source["name"], target["name"])
        for event in events
        if event["eventType"] == "COMPLETE"
        for source in event["inputs"]
        for target in event["outputs"]
    }
    assert (f"{tmp_path}/in/day.json", f"{tmp_path}/lake/bronze/electricity") in flows
    assert {event["job"]["namespace"] for event in events} == {"meterlake"}


def test_opentelemetry_gets_the_measures_of_the_jvm(jars, tmp_path):
    got = []

    class Collector(http.server.BaseHTTPRequestHandler):
        """Takes OTLP over HTTP."""

        def do_POST(self):
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    collector = http.server.ThreadingHTTPServer((HERE, 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    properties = {
        "otel.exporter.otlp.endpoint": f"http://{HERE}:{collector.server_port}",
        "otel.exporter.otlp.protocol": "http/protobuf",
        "otel.exporter.otlp.compression": "none",
        "otel.metric.export.interval": "2000",
        "otel.service.name": "meterlake",
    }
    options = [f"-javaagent:{jars[AGENT]}", *(f"-D{name}={value}" for name, value in properties.items())]
    try:
        run(tmp_path, {"spark.driver.extraJavaOptions": " ".join(options)})
    finally:
        collector.shutdown()
        collector.server_close()
    measures = b"".join(body for path, body in got if path == "/v1/metrics")
    assert b"jvm.memory.used" in measures
    assert b"meterlake" in measures
