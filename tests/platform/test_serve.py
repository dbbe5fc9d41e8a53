"""`serve` as a separate process: it listens on this machine, answers, is not blocked by slow readers, and ends."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from datetime import date, timedelta

import pytest

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
