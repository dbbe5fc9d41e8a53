"""Notices after a run: sent to a real HTTP server and a real SMTP server on this machine; no Spark."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydantic import ValidationError

from jobs import run
from jobs.shared import notices
from pipeline.attention.sending import within
from pipeline.checks import outside
from pipeline.config.feeds import Feed
from pipeline.config.notify import Mail, Notify
from pipeline.errors import ReferenceDatabaseError
from pipeline.lake import access, tables
from pipeline.runtime.log import Log
from tests.written_lake import add_runs, again, ran, written

SENDER = {"sender": "lake@example.org", "to": ("oncall@example.org", "second@example.org")}


class Hook(BaseHTTPRequestHandler):
    """A webhook: keeps what it is sent, and answers as the test says."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), json.loads(body)))
        self.server.hold.wait(100)
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    def do_GET(self):  # a redirect that was followed would come here
        self.do_POST()

    def log_message(self, *_):
        pass


class Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a mail needs; an address that begins with `no` is refused."""

    def handle(self):
        self.say("220 here")
        mail = {"to": []}
        while line := self.rfile.readline().decode().strip():
            word = line.upper()
            if word.startswith("EHLO"):
                self.say("250-here\r\n250 AUTH PLAIN")
            elif word.startswith("AUTH PLAIN"):
                mail["auth"] = line.split()[2]
                self.say("235 welcome")
            elif word.startswith("RCPT TO"):
                address = line.partition("<")[2].rstrip(">")
                if address.startswith("no"):
                    self.say("550 no user of that name")
                else:
                    mail["to"].append(address)
                    self.say("250 ok")
            elif word == "DATA":
                self.say("354 go on")
                mail["text"] = b"".join(iter(self.rfile.readline, b".\r\n")).decode()
                self.server.got.append(mail)
                self.say("250 ok")
            elif word == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


class SmtpServer(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True


@contextmanager
def serving(server):
    server.got = []
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def hook():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.status, server.hold = 200, threading.Event()
    server.hold.set()
    with serving(server):
        yield server
        server.hold.set()


@pytest.fixture
def smtp():
    with serving(SmtpServer(("127.0.0.1", 0), Smtp)) as server:
        yield server


@pytest.fixture
def lake(tmp_path):
    """A lake whose last run failed."""
    written(tmp_path, days={"gas": ["2026-11-29"]}, runs=[ran("run", "2026-11-30 07:00:30", "failed", "no space")])
    return tmp_path


def address(server):
    return f"http://127.0.0.1:{server.server_address[1]}/hook"


def by_mail(server, **more):
    return Mail(host="127.0.0.1", port=server.server_address[1], security="none", **SENDER | more)


def told(lake, capsys, **notify):
    """Tell what is due as a run does; what it logged."""
    context = again(lake, notify=Notify(**{"timeout_seconds": 60} | notify))
    context.log = Log("r")
    capsys.readouterr()
    notices.tell(context)
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def recover(lake):
    add_runs(again(lake), ran("run", "2026-11-30 08:00:30"))


def test_it_is_told_once_until_it_changes_and_that_it_is_over(lake, hook, capsys):
    url = address(hook)
    assert [line["event"] for line in told(lake, capsys, url=url)] == ["notice sent"]
    assert told(lake, capsys, url=url) == []
    recover(lake)
    told(lake, capsys, url=url)
    assert told(lake, capsys, url=url) == []
    where = lake / "lake"
    assert [body for _, _, body in hook.got] == [
        {
            "text": f"Meterlake {where}: 1 matter needs attention (1 new)\n"
            "new: The last run failed: no space (main.py run)"
        },
        {"text": f"Meterlake {where}: nothing needs attention any more"},
    ]


def test_a_lake_that_is_well_tells_nothing_and_commits_nothing(tmp_path, hook, capsys):
    context = written(tmp_path, days={"gas": ["2026-11-29"]})
    before = access.version(context, tables.RUNS)
    assert told(tmp_path, capsys, url=address(hook)) == []
    assert (hook.got, access.version(context, tables.RUNS)) == ([], before)


def test_what_was_told_leaves_the_rows_and_the_mark_of_ops_runs_as_they_were(lake, hook, capsys):
    context = again(lake)
    before = access.small_rows(context, tables.RUNS, tables.RUNS.names), access.mark(context, tables.RUNS)
    told(lake, capsys, url=address(hook))
    assert (access.small_rows(context, tables.RUNS, tables.RUNS.names), access.mark(context, tables.RUNS)) == before


def test_programs_get_every_item_and_a_token_that_a_variable_holds(lake, hook, capsys, monkeypatch):
    monkeypatch.setenv("HOOK_TOKEN", "t0p-secret")
    logged = told(lake, capsys, url=address(hook), format="json", token_env="HOOK_TOKEN")  # noqa: S106 - a name
    ((path, headers, body),) = hook.got
    assert (path, headers["Authorization"], headers["Content-Type"]) == (
        "/hook",
        "Bearer t0p-secret",
        "application/json",
    )
    assert body["items"][0] == {
        "kind": "failed_run",
        "feed": None,
        "text": "The last run failed: no space",
        "command": "main.py run",
        "since": "2026-11-30T07:00:30+00:00",
        "urgent": True,
        "new": True,
    }
    assert "t0p-secret" not in json.dumps(logged)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_refuses_is_a_warning_and_is_tried_by_the_next_run(lake, hook, capsys, status, monkeypatch):
    monkeypatch.setenv("HOOK_URL", address(hook))
    hook.status = status
    (line,) = told(lake, capsys, url_env="HOOK_URL")
    assert (line["level"], line["event"], line["by"]) == ("warning", "a notice could not be sent", "webhook")
    assert str(status) in line["error"]
    assert "/hook" not in json.dumps(line)  # an address of Slack's is a secret
    assert [path for path, _, _ in hook.got] == ["/hook"]  # a redirect is not followed
    hook.status = 200
    assert [each["event"] for each in told(lake, capsys, url_env="HOOK_URL")] == ["notice sent"]


def test_a_webhook_that_never_answers_costs_its_time_limit(lake, hook, capsys):
    hook.hold.clear()
    (line,) = told(lake, capsys, url=address(hook), timeout_seconds=0.5)
    assert (line["event"], hook.hold.is_set()) == ("a notice could not be sent", False)
    assert "not done within 0.5 s" in line["error"] or "timed out" in line["error"]


def test_one_that_drips_is_bounded_too(lake, capsys):
    """Each byte comes within the socket's own limit."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip():
            connection, _ = listening.accept()
            with connection:
                for letter in b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 200:
                    try:
                        connection.sendall(bytes([letter]))
                    except OSError:
                        return
                    time.sleep(0.1)

        threading.Thread(target=drip, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        (line,) = told(lake, capsys, url=url, timeout_seconds=0.5)
    assert line["error"].endswith("not done within 0.5 s")


def test_nothing_that_listens_is_a_warning(lake, capsys):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    lines = told(lake, capsys, url=f"http://127.0.0.1:{port}/", mail=Mail(host="127.0.0.1", port=port, **SENDER))
    assert [(line["event"], line["by"]) for line in lines] == [
        ("a notice could not be sent", "webhook"),
        ("a notice could not be sent", "mail"),
    ]
    assert all("refused" in line["error"].lower() for line in lines)


def test_a_variable_that_is_not_set_is_a_warning_that_names_it(lake, capsys, monkeypatch):
    monkeypatch.delenv("HOOK_URL", raising=False)
    (line,) = told(lake, capsys, url_env="HOOK_URL")
    assert "the environment variable HOOK_URL is empty or not set" in line["error"]
    monkeypatch.setenv("HOOK_URL", "s3cret-but-no-url")
    (line,) = told(lake, capsys, url_env="HOOK_URL")
    assert "the variable HOOK_URL does not hold a URL" in line["error"]
    assert "s3cret" not in line["error"]


def test_a_mail_goes_to_each_address_signed_in_by_a_password_of_a_variable(lake, smtp, capsys, monkeypatch):
    monkeypatch.setenv("MAIL_PASSWORD", "of the lake")
    told(lake, capsys, mail=by_mail(smtp, user="lake", password_env="MAIL_PASSWORD"))  # noqa: S106 - a name
    assert told(lake, capsys, mail=by_mail(smtp)) == []
    (mail,) = smtp.got
    assert mail["to"] == ["oncall@example.org", "second@example.org"]
    assert mail["auth"]
    assert "From: lake@example.org" in mail["text"]
    assert "1 matter needs attention (1 new)" in " ".join(mail["text"].split())
    assert "new: The last run failed: no space (main.py run)" in mail["text"]


def test_a_channel_that_fails_does_not_keep_the_other_from_telling_nor_tell_it_twice(lake, hook, smtp, capsys):
    hook.status = 500
    both = {"url": address(hook), "mail": by_mail(smtp)}
    assert [line["event"] for line in told(lake, capsys, **both)] == ["a notice could not be sent", "notice sent"]
    assert [line["by"] for line in told(lake, capsys, **both)] == ["webhook"]
    hook.status = 200
    assert [(line["event"], line["by"]) for line in told(lake, capsys, **both)] == [("notice sent", "webhook")]
    assert (len(hook.got), len(smtp.got)) == (3, 1)


def test_an_address_that_the_server_refuses_is_a_warning(lake, smtp, capsys):
    (line,) = told(lake, capsys, mail=by_mail(smtp, to=("nobody@example.org",)))
    assert "no user of that name" in line["error"]


def test_a_lake_that_cannot_be_read_is_a_warning(lake, hook, capsys):
    for file in (lake / "lake/ops/runs").glob("*.parquet"):
        file.unlink()
    for file in (lake / "lake/ops/ingestion_log/_delta_log").iterdir():
        file.write_text("{")
    (line,) = told(lake, capsys, url=address(hook))
    assert line["event"] == "what needs attention could not be told"
    assert hook.got == []


def test_a_run_tells_at_its_end_and_does_not_fail_with_its_notice(tmp_path, hook):
    """With nothing to load a run needs no Spark; its reference database is missing, so it fails once by itself."""
    (tmp_path / "in").mkdir()
    gas = Feed(name="gas", format="smrt", path=str(tmp_path / "in"))
    wanted = Notify(url=address(hook), timeout_seconds=60)
    run.run(again(tmp_path, gas, notify=wanted))
    lost = {"url": f"jdbc:sqlite:{tmp_path}/no.db", "feeds": ["gas"]}
    with pytest.raises(ReferenceDatabaseError):
        run.run(again(tmp_path, gas, notify=wanted, reference=lost))
    hook.hold.clear()
    run.run(again(tmp_path, gas, notify=wanted.model_copy(update={"timeout_seconds": 2})))  # not told in time
    hook.hold.set()
    run.run(again(tmp_path, gas, notify=wanted))
    told = [body["text"].splitlines()[1:] for _, _, body in hook.got]
    late = "gas: No delivery yet (main.py files --feed gas)"
    open_file = "reference: no.db was refused (UNREADABLE) and is not replaced (main.py files --open --feed reference)"
    assert told[0] == [f"new: {late}"]
    assert told[1][0].startswith("new: The last run failed: reference database")
    assert told[1][1:] == [f"new: {open_file}", late]
    assert told[2:] == [[late, open_file]] * 2


def test_what_takes_too_long_is_left_and_what_fails_is_raised():
    with pytest.raises(TimeoutError, match=r"not done within 0\.1 s"):
        within(0.1, lambda: time.sleep(5))
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: [].append(1 / 0))


def test_check_looks_whether_both_answer_and_sends_nothing(lake, hook, smtp, monkeypatch):
    monkeypatch.setenv("HOOK_URL", address(hook))
    settings = again(lake, notify=Notify(url_env="HOOK_URL", mail=by_mail(smtp))).settings
    assert [(found.what, found.problem) for found in outside.found(settings)] == [
        ("notify: webhook", None),
        ("notify: mail", None),
    ]
    assert (hook.got, smtp.got) == ([], [])
    monkeypatch.delenv("HOOK_URL")
    mail = by_mail(smtp, user="u", password_env="PW")  # noqa: S106 - a name
    settings = again(lake, notify=Notify(url_env="HOOK_URL", mail=mail)).settings
    assert [str(found.problem).partition("variable ")[2] for found in outside.found(settings)] == [
        "HOOK_URL is empty or not set",
        "PW is empty or not set",
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "has no receiver"),
        ({"url": "http://a/", "url_env": "A"}, "either url or url_env"),
        ({"mail": {"host": "a"} | SENDER, "token_env": "A"}, "token_env without url or url_env"),
        ({"url": "ftp://a"}, "must begin with http"),
        ({"url": "https://user:secret@a"}, "must not hold a user or a password"),
        ({"url": "http://a", "format": "teams"}, "'slack' or 'json'"),
        ({"url": "http://a", "timeout_seconds": 0}, "greater than 0"),
        ({"mail": {"host": "a", "sender": "Lake <a@b.c>", "to": ["a@b.c"]}}, "is not a mail address"),
        ({"mail": {"host": "a", "sender": "a@b.c", "to": []}}, "at least 1"),
        ({"mail": {"host": "a", "user": "u"} | SENDER}, "user and password_env go together"),
        ({"mail": {"host": "a", "user": "u", "password_env": "P", "security": "none"} | SENDER}, "unencrypted"),
    ],
)
def test_a_wrong_configuration_says_what_to_write(wrong, message):
    with pytest.raises(ValidationError, match=message):
        Notify(**wrong)
