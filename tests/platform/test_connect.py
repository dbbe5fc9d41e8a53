"""Spark Connect: a client that has neither Java nor a JAR, and a server as a process of its own.

The client is the PyPI package pyspark-client (`make .venv-client/.packages`), which has no gateway to a JVM either.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cluster.servers import HERE, free_port
from tests.conftest import command
from tests.connect_server import ConnectServer
from tests.faults.a_lake import ROOT, Lake, environment, with_history
from tests.jobs.conftest import put, split_json

CLIENT = ROOT / ".venv-client" / "bin" / "python"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CLIENT.exists(), reason="no client of Spark Connect: make .venv-client/.packages"),
]
SECONDS = 400
HALF_HOURS = """SELECT feed, interval_start, meterpoint_count, total_kwh FROM gold.aggregate_per_half_hour
ORDER BY feed, direction, interval_start"""
RESTATED = "SELECT table_name, measure, old_value, new_value FROM ops.restatements ORDER BY 1, 2, 3, 4"
# What every lake goes through: a correction is already there when it begins.
STEPS = (
    ("run",),
    ("verify",),
    ("replay", "PN000002.SMRT"),
    ("withdraw", "2.json", "--reason", "by mistake"),
    ("erase", "m2", "--yes"),
    ("maintain",),
    ("run",),
)
QUESTIONS = (
    ("sql", HALF_HOURS, "--format", "csv"),
    ("sql", RESTATED, "--format", "csv"),
    ("sql", "DESCRIBE TABLE gold.meter_day", "--format", "csv"),
)


def client(folder: Path, url: str, *arguments: str, failpoint: str = "") -> subprocess.Popen[str]:
    """main.py as a process without Java, and without our JARs."""
    kept = {name: value for name, value in environment().items() if name not in {"JAVA_HOME", "METERLAKE_JARS"}}
    nothing = {"PATH": str(CLIENT.parent), "METERLAKE_JARS": str(folder / "no jars"), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [str(CLIENT), *arguments],
        cwd=folder,
        env=kept | nothing | {"SPARK_REMOTE": url, "METERLAKE_FAILPOINT": failpoint},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], code: int = 0) -> tuple[str, list[str]]:
    """(standard output, what it said in lines that are no events of the log); fails on another exit code."""
    output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == code, output[-1000:] + errors[-3000:]
    assert "Traceback" not in errors
    assert "Warning" not in errors
    return output, [line for line in errors.splitlines() if not line.startswith("{")]


def do(folder: Path, url: str, *arguments: str, code: int = 0) -> tuple[str, list[str]]:
    """One command of the client's."""
    verb, *others = arguments
    return ended(client(folder, url, str(ROOT / "main.py"), verb, "--config", "meterlake.toml", *others), code)


def lake_of(server: ConnectServer) -> type[Lake]:
    """A kind of lake whose runs are the client's."""

    class ByConnect(Lake):
        def run(self) -> None:
            if self.catalog:
                config = self.folder / "meterlake.toml"
                config.write_text(config.read_text().replace('lake = "lake"', f'catalog = "{self.catalog}"'))
            do(self.folder, server.url, "run")

    return ByConnect


def contents(lake: Lake, url: str) -> dict[str, list[tuple[str, ...]]]:
    """What the lake holds, as the client reads it."""
    script = f"""
import json, os
from pathlib import Path
from tests.faults.a_lake import Lake
print(json.dumps(Lake(Path({str(lake.folder)!r}), {lake.catalog!r}).contents()), flush=True)
os._exit(0)  # as main.py: with the client's packages an interpreter that ends may abort in a thread of pyarrow's
"""
    found = json.loads(ended(client(lake.folder, url, "-c", script))[0])
    return comparable({name: [tuple(row) for row in rows] for name, rows in found.items()})


def comparable(found: dict[str, list[tuple[str, ...]]]) -> dict[str, list[tuple[str, ...]]]:
    """What two lakes agree on: not the run that withdrew, when a meter was erased, the hash of a response."""
    log = [tuple(re.sub(r"by run \w+", "by a run", cell) for cell in row) for row in found["ops.ingestion_log"]]
    erasures = [row[1:] for row in found["ops.erasures"]]
    answered = [row[:-1] for row in found["ops.acknowledgements"]]
    return found | {"ops.ingestion_log": log, "ops.erasures": erasures, "ops.acknowledgements": answered}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = ConnectServer(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def oracle(spark, tmp_path_factory):
    """(contents after the first run, after all steps, answers) of a lake of this process's own session."""
    folder = tmp_path_factory.mktemp("oracle")
    lake = with_history(folder)
    states, config = [], folder / "meterlake.toml"
    here = Path.cwd()
    os.chdir(folder)
    try:
        for step in STEPS:
            result = command(*step, config=config)
            assert result.exit_code == 0, result.output
            states.append(comparable(lake.contents()))
        answers = [command(*question, config=config).stdout for question in QUESTIONS]
    finally:
        os.chdir(here)
    return states[0], states[-1], answers


def every_command(lake: Lake, server: ConnectServer, oracle) -> None:
    """Each command by the client, and the same results as by a session of our own."""
    after_run, after_all, answers = oracle
    url = server.url
    for number, step in enumerate(STEPS):
        do(lake.folder, url, *step)
        if number == 0:
            assert contents(lake, url) == after_run
            explained = json.loads(do(lake.folder, url, "explain", "m1", "2021-01-04T00:00:00Z", "--json")[0])
            assert [each["verdict"].split()[0] for each in explained["versions"]] == ["current", "superseded"]
    assert contents(lake, url) == after_all
    assert [do(lake.folder, url, *question)[0] for question in QUESTIONS] == answers
    assert '"equal": true' in do(lake.folder, url, "verify", "--json")[0]
    assert json.loads(do(lake.folder, url, "status", "--json")[0])["last_run"]["status"] == "succeeded"
    assert {each["status"] for each in json.loads(do(lake.folder, url, "files", "--json")[0])} >= {
        "loaded",
        "withdrawn",
    }
    assert "CONSUMPTION_INVALID" in do(lake.folder, url, "rejected", "--json")[0]
    assert '"files": 0' in do(lake.folder, url, "run", "--json")[0]


def test_in_path_mode_every_command_gives_what_a_session_of_our_own_gives(server, oracle, tmp_path):
    every_command(with_history(tmp_path, kind=lake_of(server)), server, oracle)


def test_a_setting_that_is_not_a_sessions_is_named(server, tmp_path):
    config = tmp_path / "meterlake.toml"
    config.write_text(
        'lake = "lake"\n[[feeds]]\nname = "e"\nformat = "split_json"\npath = "e"\n[spark]\n"spark.driver.memory" = "1g"\n'
    )
    put(tmp_path / "e", "1.json", split_json(["2021-01-04 00:00:00", "m1", 1]))
    _, said = do(tmp_path, server.url, "run", code=2)
    told = "spark.driver.memory is not a session's to set: set it where the server starts, and take it out here"
    assert said == [f"meterlake: configuration [spark]: {told}"]


def test_without_a_server_it_is_said_in_one_line_and_the_next_run_has_it_all(server, oracle, tmp_path):
    lake = with_history(tmp_path, kind=lake_of(server))
    nowhere = f"sc://{HERE}:{free_port()}/;token=secret"
    _, said = do(tmp_path, nowhere, "run", code=1)
    place = nowhere.removeprefix("sc://").split("/")[0]
    assert said == [
        f"meterlake: Spark server {place}: does not answer within 20 seconds: start it, or correct SPARK_REMOTE"
    ]
    lake.run()
    assert contents(lake, server.url) == oracle[0]


def stopped(process: subprocess.Popen[str]) -> None:
    """Wait until the process has stopped itself, at its fail point."""
    end = time.monotonic() + SECONDS
    while Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "T":
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.1)


# Before a MERGE by Spark, and while bronze is written: what has not been logged is taken out again.
@pytest.mark.parametrize("place", ["before write bronze.electricity", "after write bronze.electricity"])
def test_a_server_that_ends_in_the_middle_is_one_line_and_the_next_run_carries_on(place, oracle, tmp_path):
    (tmp_path / "server").mkdir()
    server = ConnectServer(tmp_path / "server")
    try:
        (tmp_path / "lake").mkdir()
        lake = with_history(tmp_path / "lake", kind=lake_of(server))
        running = client(
            lake.folder,
            server.url,
            str(ROOT / "main.py"),
            "run",
            "--config",
            "meterlake.toml",
            failpoint=f"stop:{place}",
        )
        stopped(running)
        server.stop()
        running.send_signal(signal.SIGCONT)
        _, said = ended(running, code=1)
        assert len(said) == 1
        assert said[0].startswith("meterlake: Spark's server (SPARK_REMOTE) ended or does not answer any more: ")
        server.start()
        lake.run()
        assert contents(lake, server.url) == oracle[0]
    finally:
        server.stop()


def test_a_client_that_was_killed_loses_nothing_and_its_claim_is_taken_over(server, oracle, tmp_path):
    lake = with_history(tmp_path, kind=lake_of(server))
    main = [str(ROOT / "main.py"), "run", "--config", "meterlake.toml"]
    killed = client(tmp_path, server.url, *main, failpoint="kill:after write bronze.electricity")
    killed.communicate(timeout=SECONDS)
    assert killed.returncode < 0
    _, events = client(tmp_path, server.url, *main).communicate(timeout=SECONDS)
    assert "its claim is taken over" in events
    assert contents(lake, server.url) == oracle[0]


def test_a_watch_goes_on_when_its_server_comes_back(tmp_path):
    (tmp_path / "server").mkdir()
    server = ConnectServer(tmp_path / "server")
    (tmp_path / "lake").mkdir()
    lake = with_history(tmp_path / "lake", kind=lake_of(server))
    watch = client(lake.folder, server.url, str(ROOT / "main.py"), "watch", "--json", "--config", "meterlake.toml")
    try:
        assert json.loads(watch.stdout.readline())["status"]["loaded"] > 0
        server.stop()
        server.start()
        delivery = split_json(["2021-01-06 00:00:00", "m1", "0.5"])
        put(lake.folder / "electricity", "new.json.part", delivery, 20).rename(lake.folder / "electricity" / "new.json")
        assert json.loads(watch.stdout.readline())["status"] == {"loaded": 1}
        watch.send_signal(signal.SIGTERM)
        ended(watch)
    finally:
        watch.kill()
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="hiding a folder from the server takes root")
def test_a_folder_that_the_server_does_not_see_is_named(tmp_path):
    (tmp_path / "server").mkdir()
    (tmp_path / "lake").mkdir()
    hidden = f'mount -t tmpfs tmpfs {tmp_path / "lake"} && exec "$@"'
    server = ConnectServer(tmp_path / "server", first=("unshare", "-m", "sh", "-c", hidden, "sh"))
    try:
        config = tmp_path / "lake" / "meterlake.toml"
        config.write_text('lake = "lake"\n[[feeds]]\nname = "e"\nformat = "split_json"\npath = "e"\n')
        put(tmp_path / "lake" / "e", "1.json", split_json(["2021-01-04 00:00:00", "m1", 1]))
        _, said = do(tmp_path / "lake", server.url, "run", code=1)
        told = "holds files that Spark does not find: it must be a folder that Spark's machines see too"
        assert said == [f"meterlake: feed 'e': landing folder e {told}"]
    finally:
        server.stop()


def test_in_catalog_mode_every_command_gives_the_same_and_a_lake_in_a_folder_takes_no_name_from_it(oracle, tmp_path):
    (tmp_path / "server").mkdir()
    server = ConnectServer(tmp_path / "server", catalog=True)
    try:
        for name in ("lake", "other"):
            (tmp_path / name).mkdir()
        every_command(with_history(tmp_path / "lake", "spark_catalog", kind=lake_of(server)), server, oracle)
        other = with_history(tmp_path / "other", kind=lake_of(server))
        _, said = do(other.folder, server.url, "sql", HALF_HOURS, code=1)
        assert "of its own: use a Spark without that catalog" in said[0]
    finally:
        server.stop()
