"""Fetching from an HTTP endpoint, against a real server on this machine with prepared answers."""

from __future__ import annotations

import io
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipeline.config import settings
from pipeline.config.feeds import Feed
from pipeline.deliveries import endpoint, http_get, landing
from pipeline.errors import ConfigurationError, EndpointError
from pipeline.formats import format_of
from pipeline.runtime import failpoints
from pipeline.runtime.log import Log

NOON = datetime(2021, 4, 1, 12, tzinfo=UTC)
BOUND = 10  # seconds; no wait is longer
TAG = {"ETag": '"v1"'}
DATE = {"Last-Modified": "Thu, 01 Apr 2021 11:00:00 GMT"}


@dataclass
class Answer:
    """What the server says to one request."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = -1  # -1: the true one; None: not announced
    chunks: list[bytes] | None = None
    whole: bool = True  # of chunks: whether the last one ends the body
    silent: bool = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        said = self.server.answers.pop(0) if self.server.answers else Answer(500)
        self.server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.close_connection = True
        if said.silent:
            self.server.released.wait(BOUND)
            return
        self.send_response(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        if said.chunks is not None:
            self.send_header("Transfer-Encoding", "chunked")
        elif said.length is not None:
            self.send_header("Content-Length", str(len(said.body) if said.length == -1 else said.length))
        self.end_headers()
        with suppress(ConnectionError):  # the client may have heard enough
            for chunk in said.chunks or []:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.write((b"0\r\n\r\n" if said.whole else b"a\r\nhalf") if said.chunks is not None else said.body)

    def log_message(self, *_):
        pass


@contextmanager
def serving():
    """A server in a thread, with `answers` to give in turn and what was `asked`; stopped and joined at the end."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = False
    server.answers, server.asked, server.released = [], [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join(BOUND)
        assert not thread.is_alive()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def start():
    """A function that starts one more server."""
    with ExitStack() as running:
        yield lambda: running.enter_context(serving())


@pytest.fixture
def server(start):
    return start()


@pytest.fixture
def feed(server, tmp_path):
    folder = tmp_path / "solar"
    folder.mkdir()
    return Feed(name="solar", format="split_json", path=str(folder), url=f"{server.url}/day?key=s3cret")


@pytest.fixture
def gas(server, tmp_path):
    folder = tmp_path / "gas"
    folder.mkdir()
    return Feed(name="gas", format="smrt", path=str(folder), url=f"{server.url}/out/PN000001.SMRT")


@dataclass
class Asker:
    """Fetches with pauses that do not sleep, each time a minute later, and keeps what was logged."""

    minutes: itertools.count = field(default_factory=itertools.count)
    pauses: list[float] = field(default_factory=list)
    logged: io.StringIO = field(default_factory=io.StringIO)

    def __call__(self, feed, **clock):
        now = NOON + timedelta(minutes=next(self.minutes))
        return endpoint.fetch(
            feed, format_of(feed), now, Log("r", stream=self.logged), pause=self.pauses.append, **clock
        )

    def failure(self, feed, **clock):
        with pytest.raises(EndpointError) as caught:
            self(feed, **clock)
        assert caught.value.exit_code == 1
        said = str(caught.value)
        assert f"feed '{feed.name}': {endpoint.shown(feed.url)} " in said
        assert "\n" not in said
        assert "s3cret" not in said + self.logged.getvalue()
        return said


@pytest.fixture
def fetch():
    return Asker()


def content_of(feed):
    """Content by relative path of everything in the feed's folder, except the remembered state."""
    folder = Path(feed.path)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files.pop(endpoint.STATE, None)
    return files


def asked_for(server):
    return [(heard.get("if-none-match"), heard.get("if-modified-since")) for _, heard in server.asked]


def redirect(url, status=302):
    return Answer(status, headers={"Location": url})


# --- what is new and what is not


def test_a_body_is_laid_into_the_folder_under_a_name_that_says_when(server, feed, fetch):
    server.answers = [Answer(body=b"one")]
    assert fetch(feed) == "solar-20210401T120000Z-7692c3ad3540.json"
    assert content_of(feed) == {"solar-20210401T120000Z-7692c3ad3540.json": b"one"}
    assert server.asked[0][0] == "/day?key=s3cret"
    assert "authorization" not in server.asked[0][1]


@pytest.mark.parametrize(("validator", "asked"), [(TAG, ('"v1"', None)), (DATE, (None, DATE["Last-Modified"]))])
def test_the_next_request_is_conditional_and_304_brings_nothing(server, feed, fetch, validator, asked):
    server.answers = [Answer(body=b"one", headers=validator), Answer(304, length=None), Answer(304, length=None)]
    assert fetch(feed)
    assert fetch(feed) is None
    assert fetch(feed) is None
    assert asked_for(server) == [(None, None), asked, asked]
    assert len(content_of(feed)) == 1


def test_the_same_body_again_makes_no_file_and_a_new_validator_is_remembered(server, feed, fetch):
    server.answers = [
        Answer(body=b"one"),
        Answer(body=b"one", headers=TAG),
        Answer(304, length=None),
    ]
    assert [bool(fetch(feed)) for _ in range(3)] == [True, False, False]
    assert asked_for(server) == [(None, None), (None, None), ('"v1"', None)]
    assert len(content_of(feed)) == 1


def test_every_other_body_is_kept_also_one_that_was_there_before(server, feed, fetch):
    server.answers = [Answer(body=body) for body in (b"one", b"two", b"one")]
    names = [fetch(feed) for _ in range(3)]
    assert names == sorted(names)
    assert [content_of(feed)[name] for name in names] == [b"one", b"two", b"one"]


def test_an_empty_body_is_a_delivery_and_no_content_is_none(server, feed, fetch):
    server.answers = [Answer(204, length=None), Answer()]
    assert fetch(feed) is None
    assert content_of(feed) == {}
    assert fetch(feed)
    assert list(content_of(feed).values()) == [b""]


def test_a_chunked_body_is_taken_whole(server, feed, fetch):
    server.answers = [Answer(chunks=[b"on", b"e"])]
    fetch(feed)
    assert list(content_of(feed).values()) == [b"one"]


def test_what_was_archived_is_not_fetched_again(server, feed, fetch):
    server.answers = [Answer(body=b"one")] * 2
    (Path(feed.path) / fetch(feed)).unlink()
    assert fetch(feed) is None
    assert content_of(feed) == {}


# --- faults that pass, and those that do not


def test_a_fault_of_the_server_is_tried_three_times_with_growing_pauses(server, feed, fetch):
    server.answers = [Answer(500), Answer(503), Answer(500), Answer(body=b"one")]
    assert "answered 500 Internal Server Error; the next run asks again" in fetch.failure(feed)
    assert len(server.asked) == 3
    assert fetch.pauses == [1.0, 4.0]
    assert content_of(feed) == {}
    assert fetch(feed)


@pytest.mark.parametrize("status", [500, 502, 429])
def test_a_fault_that_passes_is_only_a_warning(server, feed, fetch, status):
    server.answers = [Answer(status), Answer(body=b"one")]
    assert fetch(feed)
    assert fetch.pauses == [1.0]
    events = [json.loads(line) for line in fetch.logged.getvalue().splitlines()]
    assert [(event["level"], event["event"]) for event in events] == [
        ("warning", "endpoint tried again"),
        ("info", "fetched"),
    ]


@pytest.mark.parametrize(("status", "advice"), [(404, "correct the feed's url"), (410, "url"), (401, "a valid token")])
def test_a_refusal_is_final_at_once(server, feed, fetch, status, advice):
    server.answers = [Answer(status, body=b"no")]
    said = fetch.failure(feed)
    assert f"answered {status} " in said
    assert advice in said
    assert (len(server.asked), fetch.pauses) == (1, [])


@pytest.mark.parametrize("status", [202, 206, 304, 299])
def test_an_answer_that_is_no_whole_body_is_final(server, feed, fetch, status):
    server.answers = [Answer(status, body=b"" if status == 304 else b"part", length=None if status == 304 else -1)]
    assert f"answered {status}" in fetch.failure(feed)
    assert (len(server.asked), content_of(feed)) == (1, {})


@pytest.mark.parametrize(
    "cut",
    [
        Answer(body=b"half", length=10),
        Answer(body=b"", length=10),
        Answer(chunks=[b"ha", b"lf"], whole=False),
        Answer(chunks=[], whole=False),
    ],
)
def test_a_cut_body_is_asked_for_again_and_its_beginning_is_removed(server, feed, fetch, cut):
    server.answers = [cut, Answer(body=b"whole body")]
    assert fetch(feed)
    assert list(content_of(feed).values()) == [b"whole body"]

    server.answers = [cut] * 3
    assert "broke off after" in fetch.failure(feed)
    assert list(content_of(feed).values()) == [b"whole body"]


def test_a_server_that_says_nothing_is_left_after_the_timeout(server, feed, fetch):
    server.answers = [Answer(silent=True)] * 3
    quick = feed.model_copy(update={"url_timeout_seconds": 0.05})
    assert "sent nothing for 0.05 s" in fetch.failure(quick)
    assert len(server.asked) == 3


def test_a_body_that_drips_is_left_after_ten_timeouts(server, feed, fetch):
    server.answers = [Answer(chunks=[b"x"] * 20)] * 3
    seconds = itertools.count(step=100)
    assert "had not finished after 300 s" in fetch.failure(feed, clock=lambda: next(seconds))
    assert content_of(feed) == {}


@pytest.mark.parametrize("large", [{}, {"length": None}, {"chunks": [b"x" * 600_000] * 2}])
def test_a_body_that_is_too_large_is_final_whether_or_not_its_length_is_announced(server, feed, fetch, large):
    server.answers = [Answer(body=b"x" * 1_000_001, **large)]
    small = feed.model_copy(update={"url_max_megabytes": 1})
    assert "sends more than 1 MB; raise url_max_megabytes" in fetch.failure(small)
    assert (len(server.asked), content_of(feed)) == (1, {})
    server.answers = [Answer(body=b"x" * 1_000_000)]
    assert fetch(small)


def test_a_closed_port_is_reported_as_such(start, feed, fetch):
    with serving() as gone:
        closed = feed.model_copy(update={"url": gone.url})
    assert "cannot be reached: Connection refused" in fetch.failure(closed)
    assert fetch.pauses == [1.0, 4.0]


def test_a_compressed_body_that_was_not_requested_is_reported(server, feed, fetch):
    server.answers = [Answer(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})]
    assert "compressed" in fetch.failure(feed)
    assert content_of(feed) == {}


def test_a_folder_that_cannot_be_written_is_reported_and_nothing_is_requested(server, feed, fetch):
    (Path(feed.path) / "solar-20210401T120000Z.part").mkdir()
    server.answers = [Answer(body=b"one")]
    assert "the landing folder cannot be written" in fetch.failure(feed)
    assert server.asked == []


# --- redirects and the token


def test_the_token_comes_from_its_variable_and_stays_out_of_the_log(server, feed, fetch, monkeypatch):
    monkeypatch.setenv("SOLAR_TOKEN", "s3cret\n")
    server.answers = [Answer(403), Answer(body=b"one")]
    with_token = feed.model_copy(update={"url_token_env": "SOLAR_TOKEN"})
    assert "put a valid token into SOLAR_TOKEN" in fetch.failure(with_token)
    assert fetch(with_token)
    assert [heard["authorization"] for _, heard in server.asked] == ["Bearer s3cret"] * 2
    assert "s3cret" not in (Path(feed.path) / endpoint.STATE).read_text() + fetch.logged.getvalue()


@pytest.mark.parametrize("value", [None, " ", "two s3cret", "s3crét"])
def test_without_a_token_that_can_be_sent_nothing_is_asked(server, feed, fetch, monkeypatch, value):
    if value is not None:
        monkeypatch.setenv("SOLAR_TOKEN", value)
    with_token = feed.model_copy(update={"url_token_env": "SOLAR_TOKEN"})
    assert "needs a token, but the environment variable SOLAR_TOKEN holds none" in fetch.failure(with_token)
    assert server.asked == []


def test_a_redirect_on_the_same_host_keeps_the_token_and_one_to_another_drops_it(
    server, start, feed, fetch, monkeypatch
):
    monkeypatch.setenv("SOLAR_TOKEN", "s3cret")
    other = start()
    server.answers = [redirect("/b"), redirect(f"{other.url}/c", 307), Answer(body=b"back")]
    other.answers = [redirect("/d", 308), redirect(f"{server.url}/e", 301)]
    fetch(feed.model_copy(update={"url_token_env": "SOLAR_TOKEN"}))
    assert list(content_of(feed).values()) == [b"back"]
    sent = [(path, heard.get("authorization")) for path, heard in server.asked + other.asked]
    assert sent == [
        ("/day?key=s3cret", "Bearer s3cret"),
        ("/b", "Bearer s3cret"),
        ("/e", None),
        ("/c", None),
        ("/d", None),
    ]


@pytest.mark.parametrize("where", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,x", "/day?key=s3cret", None])
def test_a_redirect_to_no_http_address_or_in_a_circle_is_final(server, feed, fetch, where):
    server.answers = [redirect(where) if where else Answer(302)] * 20
    assert "answered 302 Found, which leads nowhere" in fetch.failure(feed)
    assert len(server.asked) <= 11
    assert content_of(feed) == {}


@pytest.mark.parametrize("where", ["http://127.0.0.1:x/", "http://a..b/", "http://[::1/"])
def test_a_redirect_to_an_invalid_url_is_reported(server, feed, fetch, where):
    server.answers = [redirect(where)] * 3
    fetch.failure(feed)
    assert content_of(feed) == {}


def test_a_redirect_from_https_to_http_is_never_followed():
    request = http_get.web.Request("https://a/")
    follow = http_get._Redirects().redirect_request
    assert follow(request, io.BytesIO(), 302, "", None, "http://a/") is None
    assert follow(request, io.BytesIO(), 302, "", {}, "https://b/").full_url == "https://b/"


# --- names of files whose name is their identity


def smrt(server, *named):
    server.answers = [
        Answer(body=body, headers={"Content-Disposition": name} if name is not None else {}) for name, body in named
    ]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (None, "PN000001.SMRT"),
        ('attachment; filename="PN000002.SMRT"', "PN000002.SMRT"),
        ("attachment; filename=PN000002.SMRT", "PN000002.SMRT"),
        ("attachment; filename*=UTF-8''PN%30%300002.SMRT", "PN000002.SMRT"),
        ('attachment; filename="../../x.SMRT"', "x.SMRT"),
        ('attachment; filename="..\\\\..\\\\x.SMRT"', "x.SMRT"),
        ('attachment; filename="/etc/x.SMRT"', "x.SMRT"),
        ("attachment; filename*=UTF-8''..%2F..%2Fx.SMRT", "x.SMRT"),
        ("attachment; filename*=UTF-8''x%00%0A%1B.SMRT", "x.SMRT"),
        ('attachment; filename=".hidden.SMRT"', "hidden.SMRT"),
        ('attachment; filename=".. .endpoint.json"', "endpoint.json"),
        ('attachment; filename="say \\"x\\".SMRT"', 'say "x".SMRT'),
        ('attachment; filename="x.SMRT.part"', "x.SMRT.part.SMRT"),
        ('attachment; filename=""', "PN000001.SMRT"),
        ('attachment; filename=".."', "PN000001.SMRT"),
        ('attachment; filename="dir/"', "PN000001.SMRT"),
        ("attachment", "PN000001.SMRT"),
        (f'attachment; filename="{"x" * 300}.SMRT"', "x" * 195 + ".SMRT"),
    ],
)
def test_the_answer_names_the_file_and_no_trick_leads_it_elsewhere(server, gas, fetch, given, name):
    smrt(server, (given, b"one"))
    assert fetch(gas) == name
    assert content_of(gas) == {name: b"one"}


def test_without_any_name_the_time_names_it(server, gas, fetch):
    server.answers = [Answer(body=b"one")]
    assert fetch(gas.model_copy(update={"url": f"{server.url}/"})) == "gas-20210401T120000Z-7692c3ad3540.SMRT"


def test_the_name_is_taken_from_where_a_redirect_leads(server, gas, fetch):
    server.answers = [redirect("/today/PN000009.SMRT?x=/no.SMRT"), Answer(body=b"nine")]
    assert fetch(gas) == "PN000009.SMRT"


def test_an_existing_name_with_the_same_bytes_is_not_written_again(server, gas, fetch):
    (Path(gas.path) / "done").mkdir()
    (Path(gas.path) / "done/PN000001.SMRT").write_bytes(b"one")
    smrt(server, (None, b"one"))
    assert fetch(gas) is None
    assert content_of(gas) == {"done/PN000001.SMRT": b"one"}


def test_an_existing_name_with_other_bytes_goes_to_a_dated_subfolder_once(server, gas, fetch):
    (Path(gas.path) / "PN000001.SMRT").write_bytes(b"other")
    smrt(server, (None, b"one"), (None, b"two"), (None, b"one"))
    assert [fetch(gas) for _ in range(3)] == [
        "20210401T120000Z-7692c3ad3540/PN000001.SMRT",
        "20210401T120100Z-3fc4ccfe7458/PN000001.SMRT",
        None,
    ]
    assert len(content_of(gas)) == 3


# --- what is remembered


@pytest.mark.parametrize(
    "broken", [b"", b"{", b"\xff", b"[]", b"null", b'{"sha256": 1}', b"[" * 100_000, "etag", "sha256"]
)
def test_a_broken_state_is_taken_for_none_and_makes_no_second_copy(server, feed, fetch, broken):
    server.answers = [Answer(body=b"one", headers=TAG)] * 2
    fetch(feed)
    state = Path(feed.path) / endpoint.STATE
    if isinstance(broken, str):
        broken = json.dumps(json.loads(state.read_text()) | {broken: "a\nb"}).encode()
    state.write_bytes(broken)
    assert fetch(feed) is None
    assert asked_for(server) == [(None, None)] * 2
    assert len(content_of(feed)) == 1
    assert json.loads(state.read_text())["etag"] == '"v1"'


def test_another_url_forgets_what_was_remembered_even_if_only_its_query_differs(server, feed, fetch):
    server.answers = [Answer(body=b"one", headers=TAG), Answer(body=b"two", headers=TAG)]
    fetch(feed)
    assert fetch(feed.model_copy(update={"url": f"{server.url}/day?key=other"}))
    assert asked_for(server) == [(None, None)] * 2


@pytest.mark.parametrize("kind", ["feed", "gas"])
def test_a_run_killed_before_it_remembered_keeps_no_second_copy(server, fetch, monkeypatch, request, kind):
    feed = request.getfixturevalue(kind)
    server.answers = [Answer(body=b"one"), Answer(body=b"two", headers=TAG), Answer(body=b"two", headers=TAG)]
    fetch(feed)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(endpoint, "_write_whole", killed)
        with pytest.raises(KeyboardInterrupt):
            fetch(feed)
    assert sorted(content_of(feed).values()) == [b"one", b"two"]
    assert fetch(feed) is None
    assert sorted(content_of(feed).values()) == [b"one", b"two"]


def test_what_a_killed_run_left_unfinished_is_removed_and_what_others_write_is_not(server, feed, fetch):
    folder = Path(feed.path)
    (folder / "solar-20210331T000000Z.part").write_bytes(b"hal")
    (folder / "solar-2021.json.part").write_bytes(b"hal")
    server.answers = [Answer(304, length=None)]
    fetch.failure(feed)
    assert content_of(feed) == {"solar-2021.json.part": b"hal"}


def test_an_interrupted_fetch_leaves_nothing_behind(server, feed, fetch, monkeypatch):
    server.answers = [Answer(body=b"one")]

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(http_get.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(feed)
    assert content_of(feed) == {}


# --- the configuration

FEED = '[[feeds]]\nname = "solar"\nformat = "split_json"\npath = "in/solar"\n'
URL = 'url = "https://example.org/day?x=1"\n'


def test_a_feed_takes_a_url_and_has_defaults_for_the_rest(tmp_path):
    path = tmp_path / "lake.toml"
    path.write_text(FEED + URL)
    (feed,) = settings.load(path).feeds
    assert (feed.url_timeout_seconds, feed.url_max_megabytes, feed.url_token_env) == (30, 512, None)
    path.write_text(FEED + URL + 'url_token_env = "SOLAR_TOKEN"\nurl_timeout_seconds = 5\nurl_max_megabytes = 1\n')
    (feed,) = settings.load(path).feeds
    assert (feed.url_timeout_seconds, feed.url_max_megabytes, feed.url_token_env) == (5, 1, "SOLAR_TOKEN")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FEED + "url = 'ftp://example.org/s3cret'", "feeds.0.url: must begin with http:// or https://"),
        (FEED + "url = 'https://example.org/a s3cret'", "percent-encoded"),
        (FEED + "url = 'https://example.org/\u00e4s3cret'", "percent-encoded"),
        (FEED + "url = 'https://me:s3cret@example.org/'", "must not hold a user or a password"),
        (FEED + "url = 'https://s3cret@example.org/'", "url_token_env"),
        (FEED + "url = 'https://:80/s3cret'", "does not name a valid host"),
        (FEED + "url = 'https://example.org:x/s3cret'", "does not name a valid host"),
        (FEED + "url = 'https://[::1/s3cret'", "does not name a valid host"),
        (FEED + URL + "url_token_env = 's3cret.x-y'", "must be the name of an environment variable"),
        (FEED + URL + "url_token_env = 'METERLAKE_TOKEN'", "not beginning with METERLAKE_"),
        (FEED + "url_token_env = 'TOKEN'", "url_token_env without url"),
        (FEED + URL + "url_timeout_seconds = 0", "feeds.0.url_timeout_seconds"),
        (FEED + URL + "url_timeout_seconds = inf", "feeds.0.url_timeout_seconds"),
        (FEED + URL + "url_max_megabytes = 0", "feeds.0.url_max_megabytes"),
        (FEED + URL + "url_retries = 5", "feeds.0.url_retries: unknown key"),
        (FEED.replace("in/solar", "gs://b/solar") + URL, "a feed with url needs a local folder"),
    ],
)
def test_a_wrong_endpoint_is_refused_in_one_line_that_quotes_no_secret(tmp_path, text, said):
    path = tmp_path / "lake.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        settings.load(path)
    assert said in str(caught.value)
    assert "s3cret" not in str(caught.value)


FETCH = """
import sys
from datetime import datetime
from pipeline.deliveries import endpoint
from pipeline.config.feeds import Feed
from pipeline.formats import format_of
from pipeline.runtime.log import Log
feed = Feed.model_validate_json(sys.argv[1])
endpoint.fetch(feed, format_of(feed), datetime.fromisoformat(sys.argv[2]), Log("", quiet=True))
"""


@pytest.mark.parametrize(
    "place", [f"{when} move {what}" for what in ("solar", "endpoint state") for when in ("before", "after")]
)
def test_a_fetch_that_is_killed_at_a_move_leaves_one_whole_file_and_the_next_goes_on(feed, server, place):
    body = b'{"columns": [], "data": []}'
    server.answers += [Answer(body=body, headers=TAG), Answer(body=body, headers=TAG), Answer(status=304)]
    environment = os.environ | {failpoints.VARIABLE: f"kill:{place}"}
    script = [sys.executable, "-c", FETCH, feed.model_dump_json(), NOON.isoformat()]
    process = subprocess.run(script, env=environment, cwd=Path(__file__).parents[3], timeout=60, check=False)
    assert process.returncode == -signal.SIGKILL
    for hour in (1, 2):
        endpoint.fetch(feed, format_of(feed), NOON + timedelta(hours=hour), Log("", quiet=True))
    (found,) = landing.find(feed)
    assert landing.read(found, feed) == body
    assert [path.name for path in Path(feed.path).iterdir() if path.name.endswith(".part")] == []
    assert server.asked[-1][1]["if-none-match"] == '"v1"'
