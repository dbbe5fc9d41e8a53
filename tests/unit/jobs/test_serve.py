"""`serve` refuses what it cannot do in one line, before it listens; pages of other origins ask only if they may."""

from __future__ import annotations

import socket

import pytest
from fastapi.testclient import TestClient

from jobs import serve
from pipeline.config.settings import load
from pipeline.runtime.context import Context
from tests.conftest import command

FEED = '[[feeds]]\nname = "gas"\nformat = "smrt"\npath = "landing"\n'


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "meterlake.toml"
    path.write_text(f'lake = "{tmp_path}/lake"\n{FEED}[api]\ncors_origins = ["https://a.example"]\n')
    return path


@pytest.mark.parametrize("origin", ["https://b.example/", "b.example", "https://b.example/page", ""])
def test_an_origin_that_browsers_do_not_send_is_exit_2(config, origin):
    result = command("serve", "--cors", origin, config=config)
    assert result.exit_code == 2
    assert "--cors" in result.output
    assert "is not an origin" in result.output


def test_pages_of_every_origin_that_is_named_may_ask(config, monkeypatch):
    answered = {}

    def instead(server, sockets):
        """Ask the application that would be served."""
        with TestClient(server.config.app) as api:
            for origin in ("https://a.example", "https://b.example", "http://localhost:5173", "https://c.example"):
                answer = api.get("/healthz", headers={"Origin": origin})
                answered[origin] = answer.headers.get("access-control-allow-origin")

    monkeypatch.setattr("uvicorn.Server.run", instead)
    serve.run(serve.allowing(Context(load(config)), ["https://b.example", "http://localhost:5173"]), None, 0)
    named = ("https://a.example", "https://b.example", "http://localhost:5173")
    assert answered == {**{origin: origin for origin in named}, "https://c.example": None}


def test_a_port_that_is_taken_is_said_once_in_a_line(config):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = command("serve", "--port", str(port), config=config)
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; name another --port" in result.output


def test_several_workers_do_not_each_start_a_session_of_spark(config):
    result = command("serve", "--workers", "2", "--engine", "spark", config=config)
    assert result.exit_code == 2
    assert "one process answers" in result.output
