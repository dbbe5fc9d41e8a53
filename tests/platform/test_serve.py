"""`serve` as a process, or as several: it listens on this machine, answers, is not blocked by slow readers, and ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipeline.serving import workers
from tests.faults.a_lake import ROOT, environment
from tests.jobs.test_demo import config

__all__ = ["config"]
pytestmark = pytest.mark.slow
SECONDS = 60


class Server:
    """A running server on a free port."""

    def __init__(self, config, *arguments, program=ROOT / "main.py"):
        command = [sys.executable, str(program), "serve", "--port", "0", "--config", str(config), *arguments]
        variables = environment() | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            command, cwd=config.parent, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        banner = self.process.stdout.readline()
        assert "http://127.0.0.1:" in banner, self.process.communicate(timeout=SECONDS)
        self.port = int(banner.split("127.0.0.1:")[1].split("/")[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate(timeout=SECONDS)

    def ask(self, address):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request("GET", address)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, json.loads(body)


def test_it_answers_until_a_signal_says_to_stop(config):
    with Server(config) as server:
        assert server.ask("/healthz") == (200, {"status": "ok"})
        status, body = server.ask("/meters?limit=1")
        assert (status, len(body["data"])) == (200, 1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(SECONDS) in {0, -signal.SIGTERM}
        assert server.process.stderr.read() == ""


def test_clients_that_do_not_read_let_others_pass(config):
    span = f"from=2021-01-01&to={date(2021, 1, 1) + timedelta(days=400)}&limit=10000"
    with Server(config) as server:
        slow = []
        for _ in range(40):  # as many as there are threads: each would hold one, if reading held one
            client = socket.create_connection(("127.0.0.1", server.port), timeout=SECONDS)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(f"GET /aggregates/half-hour?{span} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            slow.append(client)
        time.sleep(2)
        began = time.monotonic()
        assert server.ask("/meters?limit=1")[0] == 200
        assert time.monotonic() - began < SECONDS / 2
        for client in slow:
            client.close()


def test_a_port_that_is_taken_is_one_line_and_exit_2(config):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, str(ROOT / "main.py"), "serve", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(
            [*command, "--config", str(config)],
            cwd=config.parent, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "name another --port" in done.stderr


def test_without_a_token_it_listens_to_this_machine_only(config):
    command = [sys.executable, str(ROOT / "main.py"), "serve", "--host", "0.0.0.0", "--config", str(config)]  # noqa: S104 - refused
    done = subprocess.run(
        command, cwd=config.parent, env=environment(), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "token_env" in done.stderr


@pytest.fixture
def shared(config):
    """A server of two workers over the demo's lake."""
    with Server(config, "--workers", "2") as server:
        yield server


def workers_of(server):
    """The process ids of its workers."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
    return [int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]


def counted(server):
    """Requests for /meters by worker, as /metrics says."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.findall(r'meterlake_api_requests_total\{route="/meters",status="200",worker="(\d)"\} (\d+)', text)
    assert text.count("# TYPE meterlake_api_requests_total") == 1
    assert text.count("\nmeterlake_lake_readable 1.0") == 1
    return {int(worker): int(count) for worker, count in found}


def until(holds, seconds=SECONDS):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_two_workers_answer_at_one_address_and_any_of_them_tells_what_both_count(shared):
    asked = 0
    while len(counted(shared)) < 2:
        assert shared.ask("/meters?limit=1")[0] == 200
        asked += 1
        assert asked < 1000
    until(lambda: sum(counted(shared).values()) == asked)
    assert len(workers_of(shared)) == 2
    versions = {tuple(shared.ask("/readyz")[1]["as_of"].items()) for _ in range(10)}
    assert len(versions) == 1


def test_a_worker_that_dies_is_replaced_and_the_other_answers_meanwhile(shared):
    until(lambda: len(workers_of(shared)) == 2)
    until(lambda: shared.ask("/healthz")[0] == 200)
    before = set(workers_of(shared))
    time.sleep(workers.SECONDS_TO_BEGIN)  # one that dies sooner could not begin
    os.kill(min(before), signal.SIGKILL)
    until(lambda: len(workers_of(shared)) == 2 and set(workers_of(shared)) != before)
    assert max(before) in workers_of(shared)
    assert shared.ask("/meters?limit=1")[0] == 200


def test_a_signal_ends_all_workers(shared):
    until(lambda: shared.ask("/healthz")[0] == 200)
    pids = workers_of(shared)
    shared.process.send_signal(signal.SIGTERM)
    assert shared.process.wait(SECONDS) == 0
    assert shared.process.stderr.read() == ""
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_workers_do_not_outlive_a_server_that_is_killed(shared):
    until(lambda: shared.ask("/healthz")[0] == 200)
    pids = workers_of(shared)
    shared.process.kill()
    shared.process.wait(SECONDS)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def test_workers_that_cannot_begin_end_the_server_and_say_so(config, tmp_path):
    broken = tmp_path / "sitecustomize.py"
    broken.write_text("import os, sys\nif 'spawn_main' in ' '.join(sys.orig_argv):\n    os._exit(9)\n")
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "serve", "--port", "0", "--workers", "2", "--config", str(config)],
        cwd=config.parent, env=environment() | {"PYTHONPATH": f"{tmp_path}:{ROOT}"}, capture_output=True, text=True,
        timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "workers end as soon as they begin" in done.stderr.splitlines()[-1]
    assert "exit code 9" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
