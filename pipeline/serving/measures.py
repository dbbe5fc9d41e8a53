"""What Prometheus reads from /metrics: the API's own metrics and those of the lake."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from pipeline.serving.siblings import Siblings

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10)
# The lake is measured at most this often, even with several Prometheus servers or a short scrape interval.
FRESH_SECONDS = 10.0


class Measures:
    """Requests by route and status, their durations, and the lake's metrics."""

    def __init__(self, of_the_lake: Callable[[], bytes] = bytes, siblings: Siblings | None = None) -> None:
        self._of_the_lake, self._lock = of_the_lake, threading.Lock()
        self._siblings = siblings
        self._said, self._said_at = b"", -FRESH_SECONDS
        # Of this process, and of the lake as this process found it.
        self.registry, self._of_reading = CollectorRegistry(), CollectorRegistry()
        labels = ["route", "status"]
        self.requests = Counter("meterlake_api_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "meterlake_api_request_seconds", "Time to the end of the answer", ["route"], buckets=BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.lake_readable = Gauge(
            "meterlake_lake_readable", "1 if the lake is there and can be measured", registry=self._of_reading
        )

    def text(self) -> bytes:
        """All metrics. If the lake cannot be read, its metrics are left out and `meterlake_lake_readable` is 0."""
        with self._lock:
            if time.monotonic() - self._said_at >= FRESH_SECONDS:
                try:
                    self._said = self._of_the_lake()
                    self.lake_readable.set(bool(self._said))
                except Exception:  # whatever it is, the server's own metrics are needed most then
                    logging.getLogger(__name__).exception("the lake cannot be measured")
                    self._said = b""
                    self.lake_readable.set(0)
                self._said_at = time.monotonic()
            return self._of_the_api() + generate_latest(self._of_reading) + self._said

    def _of_the_api(self) -> bytes:
        if self._siblings is None:
            return generate_latest(self.registry)
        self._siblings.leave(self.registry)
        of_all = CollectorRegistry()
        of_all.register(self._siblings)
        return generate_latest(of_all)

    def keep_leaving(self, stop: threading.Event) -> None:
        """Where there are several workers: tell the others what this one counts, until `stop`."""
        if self._siblings is not None:
            thread = threading.Thread(
                target=self._siblings.keep_leaving, args=(self.registry, stop), name="measures", daemon=True
            )
            thread.start()


class Measured:
    """ASGI: counts and times every request by the route's pattern, never by the client's path."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app, self._measures = app, measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self._measures.requests.labels(route, str(status)).inc()
            self._measures.seconds.labels(route).observe(time.perf_counter() - started)
