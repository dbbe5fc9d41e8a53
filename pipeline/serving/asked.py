"""One request: what it may read, what the client already has, and the form of the answer."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from pipeline.clock.zones import zone_info
from pipeline.errors import VersionGoneError
from pipeline.lake.snapshots import Pinned, Snapshots
from pipeline.serving import answers, naming
from pipeline.serving.engine import Engine
from pipeline.serving.log_pages import LogPages
from pipeline.serving.meter_files import MeterFiles
from pipeline.serving.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date, datetime, tzinfo

    from fastapi import Request

    from pipeline.config.feeds import Feed
    from pipeline.config.settings import Settings
    from pipeline.lake.tables import Column, Table

PATIENCE_SECONDS = 10
GONE = "the versions of this page are no longer there: start again without cursor"


@dataclass
class Service:
    """What the API answers from: the lake's tables, the readings in memory, and a limit on concurrent queries."""

    settings: Settings
    snapshots: Snapshots
    engine: Engine
    files: MeterFiles
    slots: threading.BoundedSemaphore
    known_meters: dict[str, Any] = field(default_factory=dict)
    log: LogPages = field(default_factory=LogPages)

    @classmethod
    def of(cls, settings: Settings, snapshots: Snapshots | None = None) -> Service:
        """The service of a lake; without `snapshots` its tables are read where they lie."""
        files = MeterFiles(settings.api.cache_megabytes * 1_000_000)
        slots = threading.BoundedSemaphore(settings.api.max_queries)
        return cls(settings, snapshots or Snapshots(settings), Engine(), files, slots)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """A place among the concurrent queries; held while an answer is made, not while a client reads it."""
        if not self.slots.acquire(timeout=PATIENCE_SECONDS):
            raise ProblemError(503, "too many queries at once; try again", headers={"Retry-After": "5"})
        try:
            yield
        finally:
            self.slots.release()

    def feed(self, name: str | None) -> Feed | None:
        """The feed with that name; an unknown name is a problem."""
        if name is None:
            return None
        for feed in self.settings.feeds:
            if feed.name == name:
                return feed
        raise ProblemError(
            404, f"feed: no feed {name!r}; there are {', '.join(feed.name for feed in self.settings.feeds)}", "feed"
        )

    def zone_of(self, asked: str | None) -> Callable[[str | None], tzinfo]:
        """The zone for a feed's instants: the requested one, else the feed's own, else UTC."""
        zones = {feed.name: zone_info(feed.time_zone) for feed in self.settings.feeds}
        one = zone_info(asked) if asked else None
        return lambda feed: one or zones.get(feed or "", zone_info("UTC"))

    def check_days(self, first: date | datetime, last: date | datetime, days: int) -> None:
        """A range must go forward and be no longer than the configuration allows."""
        if days < 0:
            raise ProblemError(400, f"to: {last} is before from ({first})", "to")
        if days > self.settings.api.max_days:
            raise ProblemError(400, f"to: {days:,} days; at most {self.settings.api.max_days:,} at once", "to")


@dataclass
class Asked:
    """A request for rows: `limit` rows after the cursor, in a form."""

    service: Service
    request: Request
    limit: int
    cursor: answers.Cursor | None
    form: str

    def answer(
        self,
        wanted: Sequence[Table],
        shape: Sequence[Column],
        rows: Callable[[Pinned, list[Any] | None], answers.Rows],
        *,
        time_zone: str | None = None,
        units: Mapping[str, str] | None = None,
    ) -> Response:
        """Rows from those tables, or 304 if the client has them."""
        pinned, tag = self.pinned(wanted)
        if answers.is_known(self.request, tag):
            return _tagged(Response(status_code=304), tag)
        with self.service.slot(), readable(self.service):
            found = rows(pinned, self.cursor.after if self.cursor else None)
            found.columns = naming.named(found.columns)
            meta = answers.Meta(pinned.versions, time_zone, naming.named(units or {}))
            page = answers.page(self.request, found, naming.with_ours(shape), meta, self.form)
            return _tagged(answers.packed(self.request, page), tag)

    def whole(self, wanted: Sequence[Table], body: Callable[[Pinned], bytes], media: str) -> Response:
        """A single object from those tables, or 304 if the client has it."""
        pinned, tag = self.pinned(wanted)
        if answers.is_known(self.request, tag):
            return _tagged(Response(status_code=304), tag)
        with self.service.slot(), readable(self.service):
            return _tagged(answers.packed(self.request, Response(body(pinned), media_type=media)), tag)

    def pinned(self, wanted: Sequence[Table]) -> tuple[Pinned, str]:
        """Those tables at the versions of this request, and the answer's ETag."""
        with readable(self.service):
            pinned = self.service.snapshots.pin(wanted, self.cursor.versions if self.cursor else None)
        return pinned, answers.etag(self.request, pinned.identities, self.form)


@contextmanager
def readable(service: Service) -> Iterator[None]:
    """Use around reading: files of a version may be gone (VACUUM, an erasure, a table that was made again)."""
    try:
        yield
    except (VersionGoneError, FileNotFoundError):
        service.snapshots.forget()
        raise ProblemError(410, GONE, "cursor") from None


def _tagged(response: Response, tag: str) -> Response:
    response.headers["ETag"] = tag
    # May be cached, but must be revalidated each time: the lake may have changed.
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Vary"] = "Accept, Accept-Encoding"
    return response
