"""`check` looks at all that the configuration names: each fault is one line that says what to do, and exit 1."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import sqlite3
import tempfile
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.checks import folders
from pipeline.checks.finding import objection_to_writing
from pipeline.formats import samples
from pipeline.runtime import fetch_jars
from tests.as_nobody import as_nobody
from tests.conftest import ROOT, command

TABLES = "CREATE TABLE agreement (a); CREATE TABLE product (a); CREATE TABLE meterpoint (a);"


@pytest.fixture(autouse=True)
def jars(tmp_path_factory, monkeypatch):
    """A folder of JARs that are the pinned ones, by pins of their own: the real ones may not have been fetched."""
    folder = tmp_path_factory.mktemp("jars")
    content = b"a JAR"
    (folder / "one.jar").write_bytes(content)
    jar = fetch_jars.Jar("one.jar", "org.example:one:1", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(fetch_jars, "expected_jars", lambda: (jar,))
    monkeypatch.setenv("METERLAKE_JARS", str(folder))
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    return folder


def written(folder, **more):
    """A configuration with one sound feed, and what else a test says of it and of the whole."""
    landing = folder / "landing"
    landing.mkdir(exist_ok=True)
    feed = {"name": "gas", "format": "smrt", "path": str(landing)} | more.pop("feed", {})
    parts = {key: value for key, value in more.items() if isinstance(value, dict)}
    lines = [
        f"lake = {json.dumps(str(folder / 'lake'))}",
        *(f"{key} = {json.dumps(value)}" for key, value in more.items() if key not in parts),
    ]
    lines += ["[[feeds]]", *(f"{key} = {json.dumps(value)}" for key, value in feed.items())]
    for name, values in parts.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    config = folder / "meterlake.toml"
    config.write_text("\n".join(lines))
    return config


def checked(config):
    """(exit code, what is wrong by name)."""
    result = command("check", "--json", config=config)
    answer = json.loads(result.stdout)
    wrong = {each["what"]: each["says"] for each in answer["findings"] if not each["ok"]}
    assert answer["wrong"] == len(wrong)
    assert answer["ok"] == (not wrong)
    assert result.exit_code == (1 if wrong else 0)
    return wrong


def test_a_sound_configuration_is_well_and_nothing_is_written(tmp_path):
    config = written(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    result = command("check", config=config)
    assert result.exit_code == 0, result.output
    assert "All 6 things are well." in result.stdout
    assert "WRONG" not in result.stdout
    assert sorted(tmp_path.rglob("*")) == before


def test_the_example_of_the_project_says_which_folders_are_missing(tmp_path):
    config = tmp_path / "local.toml"
    config.write_text((ROOT / "conf/local.toml").read_text().replace("data_lake", str(tmp_path / "data_lake")))
    wrong = checked(config)
    feeds = {f"feed {name}: folder" for name in samples.FORMATS}
    assert set(wrong) == {*feeds, "reference"}
    assert "does not exist: create it" in wrong["feed gas: folder"]


def test_each_fault_is_one_line_for_a_person(tmp_path):
    result = command("check", config=written(tmp_path, feed={"path": str(tmp_path / "none")}))
    assert result.exit_code == 1
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("WRONG")]
    assert "feed gas: folder" in line
    assert str(tmp_path / "none") in line
    assert "1 of 6 things is wrong." in result.stdout


# --- this machine -------------------------------------------------------------------------------------------------


def test_a_jar_that_is_missing_or_another_is_wrong(tmp_path, jars):
    config = written(tmp_path)
    (jars / "one.jar").write_bytes(b"another")
    assert "has SHA-256" in checked(config)["JARs"]
    assert (jars / "one.jar").exists()
    (jars / "one.jar").unlink()
    assert "org.example:one:1: run `make setup`" in checked(config)["JARs"]


def test_java_that_is_missing_or_too_old_is_wrong(tmp_path, monkeypatch):
    config = written(tmp_path)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java"))
    assert "no Java found" in checked(config)["Java"]
    home = tmp_path / "old" / "bin"
    home.mkdir(parents=True)
    (home / "java").write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    (home / "java").chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(home.parent))
    assert "too old" in checked(config)["Java"]
    monkeypatch.setenv("SPARK_REMOTE", "sc://spark.example.org")
    assert checked(config) == {}


def test_a_disk_that_is_nearly_full_is_wrong(tmp_path, monkeypatch):
    config = written(tmp_path)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(folders, "GIGABYTE", 10**9)
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda _: usage._replace(free=5 * 10**8))
    assert "0.5 GB free, and 1.0 GB may be needed" in checked(config)["disk of the lake"]


# --- folders ------------------------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_written_is_wrong():
    with tempfile.TemporaryDirectory() as name:
        closed = Path(name)
        closed.chmod(0o555)
        with as_nobody():
            assert (
                objection_to_writing(closed / "a" / "b")
                == f"{closed} cannot be written: grant permission, or name another folder"
            )
        closed.chmod(0o777)
        with as_nobody():
            assert objection_to_writing(closed / "a" / "b") is None


def test_a_file_where_a_folder_should_be_is_wrong(tmp_path):
    (tmp_path / "file").touch()
    config = written(
        tmp_path,
        feed={"acknowledge": str(tmp_path / "file" / "a")},
        metrics={"textfile": str(tmp_path / "file" / "m.prom")},
    )
    wrong = checked(config)
    assert (
        wrong["feed gas: acknowledge"] == wrong["metrics: textfile"] == f"{tmp_path / 'file'} is a file, not a folder"
    )


def test_a_file_that_cannot_be_read_is_wrong(tmp_path):
    config = written(tmp_path)
    (tmp_path / "landing" / "PN000001.SMRT").symlink_to("/etc/hostname")
    assert "1 of 1 files cannot be read" in checked(config)["feed gas: folder"]


# --- what answers -------------------------------------------------------------------------------------------------


class _Endpoint(BaseHTTPRequestHandler):
    def do_GET(self):
        given = self.headers.get("Authorization")
        self.send_response(401 if given != "Bearer right" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Endpoint) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}/readings?secret=1"
        running.shutdown()
        thread.join()


def test_an_endpoint_must_answer_and_its_token_be_set_and_right(tmp_path, server, monkeypatch):
    config = written(tmp_path, feed={"url": server, "url_token_env": "GAS_TOKEN"})
    assert "the environment variable GAS_TOKEN holds none" in checked(config)["feed gas: url"]
    monkeypatch.setenv("GAS_TOKEN", "wrong")
    said = checked(config)["feed gas: url"]
    assert "answered 401" in said
    assert "secret" not in said
    monkeypatch.setenv("GAS_TOKEN", "right")
    assert checked(config) == {}
    assert list((tmp_path / "landing").iterdir()) == []


def test_an_endpoint_that_is_not_there_is_wrong(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    config = written(tmp_path, feed={"url": f"http://127.0.0.1:{port}/x"})
    assert "cannot be reached" in checked(config)["feed gas: url"]


def test_the_reference_file_must_be_there_with_its_tables(tmp_path):
    config = written(tmp_path, reference={"url": f"jdbc:sqlite:{tmp_path}/reference.db"})
    assert "cannot be read (No such file" in checked(config)["reference"]
    assert not (tmp_path / "reference.db").exists()
    (tmp_path / "reference.db").write_text("no database" * 100)
    assert "cannot be opened: file is not a database" in checked(config)["reference"]
    (tmp_path / "reference.db").unlink()
    with closing(sqlite3.connect(tmp_path / "reference.db")) as database:
        database.executescript(TABLES.replace("product", "tariff"))
    assert "has no table product" in checked(config)["reference"]
    with closing(sqlite3.connect(tmp_path / "reference.db")) as database:
        database.executescript("ALTER TABLE tariff RENAME TO product")
    assert checked(config) == {}


def test_a_database_server_must_answer_and_its_password_be_set(tmp_path, monkeypatch):
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        url = f"jdbc:postgresql://127.0.0.1:{listening.getsockname()[1]}/crm"
        config = written(tmp_path, reference={"url": url, "user": "m", "password_env": "CRM_PASSWORD"})
        assert "CRM_PASSWORD holds no password" in checked(config)["reference"]
        monkeypatch.setenv("CRM_PASSWORD", "x")
        assert checked(config) == {}
    assert "does not answer" in checked(config)["reference"]


def test_the_token_of_the_api_must_be_set(tmp_path, monkeypatch):
    config = written(tmp_path, api={"token_env": "READERS_TOKEN"})
    assert "READERS_TOKEN holds no token" in checked(config)["api: token_env"]
    monkeypatch.setenv("READERS_TOKEN", "t")
    assert checked(config) == {}


def test_a_configuration_that_does_not_load_is_exit_2(tmp_path):
    result = command("check", config=tmp_path / "none.toml")
    assert result.exit_code == 2
    assert "no such file" in result.stderr
