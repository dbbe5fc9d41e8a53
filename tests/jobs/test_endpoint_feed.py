"""Deliveries from an HTTP endpoint, from the request to silver and gold."""

from __future__ import annotations

import threading
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jobs import run
from pipeline.errors import EndpointError, SeveralError
from pipeline.lake import access, tables
from tests.jobs.conftest import ELECTRICITY, GAS, database, log, put, rows, smrt, split_json, versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.runtime.context import Context

pytestmark = pytest.mark.slow  # whole runs of every command, one after the other: `make test-platform`

BOUND = 10  # seconds
GAS_HOUR = '"001","20210401","0000",1.5'
HALF_HOUR = ["2021-01-04 00:00:00", "m1", "0.1"]


class _Handler(BaseHTTPRequestHandler):
    """Gives the `files` of the server by their paths, with an ETag each; 404 for all else."""

    def do_GET(self) -> None:
        body = self.server.files.get(self.path.partition("?")[0])
        tag = f'"{hash(body)}"'
        status = 404 if body is None else 304 if self.headers.get("If-None-Match") == tag else 200
        self.server.answered.append(status)
        self.send_response(status)
        self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(body if status == 200 else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    """A supplier's server on this machine."""
    monkeypatch.setenv("no_proxy", "*")
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    running.files, running.answered = {}, []
    running.url = f"http://127.0.0.1:{running.server_address[1]}"
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join(BOUND)


def test_a_fetched_delivery_reaches_silver_and_304_makes_no_new_one(
    lake: Callable[..., Context], server: ThreadingHTTPServer
) -> None:
    gas = GAS.model_copy(update={"url": f"{server.url}/PN000001.SMRT"})
    electricity = ELECTRICITY.model_copy(update={"url": f"{server.url}/day"})
    server.files = {"/PN000001.SMRT": smrt("PN000001", GAS_HOUR), "/day": split_json(HALF_HOUR)}
    context = lake(gas, electricity)
    run.run(context)
    fetched = f"electricity-{context.now:%Y%m%dT%H%M%SZ}-"
    assert [(path.startswith(("PN000001.SMRT", fetched)), status) for path, status, _ in log(context)] == [
        (True, "loaded"),
        (True, "loaded"),
    ]
    assert rows(context, tables.READINGS, "feed", "consumption") == [
        ("electricity", Decimal("0.100000")),
        ("gas", Decimal("1.500000")),
    ]

    before = versions(context)
    assert run.run(lake(gas, electricity)).deliveries == []
    assert server.answered == [200, 200, 304, 304]
    assert versions(context) == before

    server.files["/day"] = split_json([*HALF_HOUR[:2], "0.7"])
    server.files["/PN000001.SMRT"] = smrt("PN000001", GAS_HOUR.replace("1.5", "9.9"))
    outcome = run.run(lake(gas, electricity))
    assert [(each.feed, each.status) for each in outcome.deliveries] == [("gas", "conflict"), ("electricity", "loaded")]
    assert rows(context, tables.READINGS, "feed", "consumption") == [
        ("electricity", Decimal("0.700000")),
        ("gas", Decimal("1.500000")),
    ]
    assert run.run(lake(gas, electricity)).deliveries == []


def test_an_endpoint_that_is_down_stops_neither_other_feeds_nor_its_own_files_nor_gold(
    lake: Callable[..., Context], server: ThreadingHTTPServer, gas: Path, tmp_path: Path
) -> None:
    down = GAS.model_copy(update={"url": f"{server.url}/none?key=s3cret"})
    electricity = ELECTRICITY.model_copy(update={"url": f"{server.url}/day"})
    server.files = {"/day": split_json(HALF_HOUR)}
    put(gas, "PN000001.SMRT", smrt("PN000001", GAS_HOUR))
    url = database(tmp_path / "reference.db", [(1, "2021-01-01", None, 1, "m1", 1)])
    reference = {"url": url, "feeds": ["electricity"]}
    context = lake(down, electricity, reference=reference)
    with pytest.raises(EndpointError) as caught:
        run.run(context)
    assert caught.value.exit_code == 1
    assert str(caught.value) == f"feed 'gas': {server.url}/none answered 404 Not Found; correct the feed's url"
    assert {status for _, status, _ in log(context)} == {"loaded"}
    assert len(rows(context, tables.READINGS, "feed")) == 2
    assert len(rows(context, tables.PRODUCT_DAY, "total_kwh")) == 1
    assert rows(context, tables.RUNS, "status", "error") == [("failed", str(caught.value))]

    before = versions(context)
    with pytest.raises(EndpointError):
        run.run(lake(down, electricity, reference=reference))
    assert versions(context) == before

    Path(tmp_path / "reference.db").unlink()
    with pytest.raises(SeveralError, match=r"2 faults: feed 'gas': .* \| reference database "):
        run.run(lake(down, electricity, reference=reference))


def test_only_bronze_asks_an_endpoint(lake: Callable[..., Context], server: ThreadingHTTPServer) -> None:
    feed = ELECTRICITY.model_copy(update={"url": f"{server.url}/day"})
    server.files = {"/day": split_json(HALF_HOUR)}
    context = lake(feed)
    run.run(context, "silver")
    run.run(lake(feed), "gold")
    assert server.answered == []
    run.run(lake(feed), "bronze")
    assert server.answered == [200]
    run.run(lake(feed), "silver")
    assert server.answered == [200]
    assert access.row_count(context, tables.READINGS) == 1


def test_an_empty_body_is_kept_and_refused(lake: Callable[..., Context], server: ThreadingHTTPServer) -> None:
    server.files = {"/day": b""}
    context = lake(ELECTRICITY.model_copy(update={"url": f"{server.url}/day"}))
    (delivery,) = run.run(context).deliveries
    assert (delivery.status, delivery.reason_code) == ("rejected", "EMPTY_FILE")
    assert Path(delivery.file_path).read_bytes() == b""
