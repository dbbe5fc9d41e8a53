"""A store with faults: a proxy before the real one, which answers some requests itself, as stores do when they refuse.

Its clients must be other processes: delta-rs holds Python's lock while it lists a folder.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from tests.cluster.servers import HERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# S3's own answers, and Google's: (HTTP status, code, message).
EXPIRED = (400, "ExpiredToken", "The provided token has expired.")
DENIED = (403, "AccessDenied", "Access Denied")
UNKNOWN_KEY = (403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
UNAUTHORISED = (401, "AuthenticationRequired", "Authentication required.")
SLOW_DOWN = (503, "SlowDown", "Please reduce your request rate.")
# Google's store has two interfaces: paths of the one that Spark's connector asks, in JSON.
GOOGLES_JSON = ("/storage/v1/", "/upload/", "/batch/", "/download/")
# Headers that concern one connection, which are not handed on.
OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}
Fault = tuple[int, str, str]


class FaultyStore(ThreadingHTTPServer):
    """Hands every request on, unless `fault` (method, path and query -> a fault or None) says otherwise."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__((HERE, 0), Between)
        self.behind = port
        self.fault: Callable[[str, str], Fault | None] = lambda _method, _path: None
        self.answered: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://{HERE}:{self.server_port}"


class Between(BaseHTTPRequestHandler):
    """Answers each request with the fault for it, or with what the store behind answers."""

    protocol_version = "HTTP/1.1"
    server: FaultyStore

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault(self.command, self.path)
        self.server.answered[fault[1] if fault else "handed on"] += 1
        if fault:
            is_json = self.path.startswith(GOOGLES_JSON)
            kind = {"Content-Type": "application/json" if is_json else "application/xml"}
            self.say(fault[0], kind, _json(*fault) if is_json else xml(*fault[1:]))
            return
        self.say(*asked(self.server.behind, self.command, self.path, body, dict(self.headers.items())))

    def say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in OF_THE_CONNECTION | {"content-length"} or self._is_of_a_head(name):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        with contextlib.suppress(ConnectionError):  # a client that was killed, or waits no longer
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else body)

    def _is_of_a_head(self, name: str) -> bool:
        """An answer without a body still says how long it is."""
        return self.command == "HEAD" and name.lower() == "content-length"

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        """Nothing: a fault is told by `answered`."""


def asked(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """What the store on that port answers: status, headers, body."""
    connection = http.client.HTTPConnection(HERE, port, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def _json(status: int, code: str, message: str) -> bytes:
    said = {"domain": "global", "reason": code, "message": message}
    return json.dumps({"error": {"code": status, "message": message, "errors": [said]}}).encode()


def xml(code: str, message: str) -> bytes:
    text = '<?xml version="1.0" encoding="UTF-8"?>'
    return f"{text}<Error><Code>{code}</Code><Message>{message}</Message><RequestId>1</RequestId></Error>".encode()


@contextmanager
def before(port: int) -> Iterator[FaultyStore]:
    """A store with faults before the one on that port, until the end of the block."""
    with FaultyStore(port) as faulty:
        thread = threading.Thread(target=faulty.serve_forever, daemon=True)
        thread.start()
        yield faulty
        faulty.shutdown()
        thread.join()
