"""The application: routes, authorization, and what every response has."""

from __future__ import annotations

import os
import secrets
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from pipeline.errors import ConfigurationError
from pipeline.lake import tables
from pipeline.runtime import release
from pipeline.serving import (
    aggregates,
    answers,
    attention,
    deliveries,
    document,
    feed_deliveries,
    feeds,
    gaps,
    meters,
    pages,
    problems,
    runs,
)
from pipeline.serving.asked import Service
from pipeline.serving.head import Head
from pipeline.serving.measures import Measured, Measures
from pipeline.serving.warming import keep_warm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from pipeline.attention import Item
    from pipeline.config.settings import Settings
    from pipeline.lake.snapshots import Snapshots
    from pipeline.serving.siblings import Siblings

DESCRIPTION = """
Meter readings, their sums, and where they came from; always the newest committed state of the lake;
a meter's readings are those of at most two seconds ago.

* **Ranges** are half open: `from` is included, `to` is not. A day means its first instant in `tz`, or in the feed's
  zone.
* **Instants** are ISO 8601 with an offset, days `YYYY-MM-DD`.
* **Decimals are strings** with six digits after the point (`"0.250000"`): exact, where a JSON number might become a
  float. In CSV they are the same digits, in Arrow `decimal128`.
* **Pages**: `next` (also the header `Link`) leads to the next page, from the same versions of the tables as the first
  one (`as_of`), whatever is committed meanwhile. If those versions are gone, the answer is 410.
* **Energy** is `energy_kwh` everywhere. Names that are deprecated, such as `total_kwh`, go with the next version.
* **Forms**: JSON, CSV or an Arrow stream, by `Accept` or `format`; gzip by `Accept-Encoding`.
* **HEAD** is answered as GET, without the body.
* **ETag**: send it back as `If-None-Match`; 304 means that nothing was committed that could change the answer.
* **Problems** are RFC 9457 (`application/problem+json`); `parameter` names what is wrong, an unknown one included.
"""


def application(
    settings: Settings,
    of_the_lake: Callable[[], bytes] = bytes,
    snapshots: Snapshots | None = None,
    needs_attention: Callable[[], Sequence[Item]] | None = None,
    siblings: Siblings | None = None,
) -> FastAPI:
    """The API of a lake; `of_the_lake` gives its metrics for /metrics, in Prometheus's text format.

    With `snapshots` these tell the tables' rows, when they are asked for; `needs_attention` gives the list of
    /attention, which is otherwise made of the tables where they lie. `siblings` are the workers of which this is one:
    /metrics has the measures of all. Raises ConfigurationError if it cannot serve this lake.
    """
    service, measures = Service.of(settings, snapshots, needs_attention), Measures(of_the_lake, siblings)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        stop = threading.Event()
        if snapshots is None:
            keep_warm(service, stop)
        measures.keep_leaving(stop)
        yield
        stop.set()

    app = FastAPI(
        title="Meterlake", version=release.version(), description=DESCRIPTION, lifespan=life, redoc_url=None,
        docs_url=None, dependencies=[], generate_unique_id_function=document.operation_id,
    )  # fmt: skip
    app.state.service = service
    token = _token(settings)
    guards = [Depends(_bearer(token))] if token else []
    parts = (feeds, feed_deliveries, attention, runs, meters, deliveries, aggregates, gaps)
    for part in parts:
        app.include_router(part.router, dependencies=guards)
    app.include_router(pages.router())  # static files without data of the lake: no token needed
    _add_service_routes(app, service, measures, guards)
    for kind, handler in {
        problems.ProblemError: problems.on_problem,
        RequestValidationError: problems.on_invalid,
        HTTPException: problems.on_http,
        Exception: problems.on_error,
    }.items():
        app.add_exception_handler(kind, handler)  # type: ignore[arg-type]
    app.add_middleware(GZipMiddleware, minimum_size=answers.WORTH_PACKING, compresslevel=answers.PACKING)
    if settings.api.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.api.cors_origins), allow_methods=["GET", "HEAD"],
            allow_headers=["Authorization", "If-None-Match"], expose_headers=["ETag", "Link"],
        )  # fmt: skip
    app.add_middleware(Measured, measures=measures)
    app.add_middleware(Head)
    most = settings.api.max_rows
    app.openapi = document.corrected(app.openapi, most, needs_token=token is not None)  # type: ignore[method-assign]
    return app


def _token(settings: Settings) -> str | None:
    if settings.api.token_env is None:
        return None
    token = os.environ.get(settings.api.token_env, "")
    if not token:
        raise ConfigurationError("api.token_env", f"the variable {settings.api.token_env} is empty or not set")
    return token


def _bearer(token: str) -> Any:  # noqa: ANN401 - a dependency
    scheme = HTTPBearer(auto_error=False)

    async def check(given: Any = None) -> None:  # noqa: ANN401 - the type is set below
        if given is None or not secrets.compare_digest(given.credentials.encode(), token.encode()):
            raise problems.ProblemError(
                401, "send the header Authorization: Bearer <token>", headers={"WWW-Authenticate": "Bearer"}
            )

    # Set here, because text annotations cannot name a local variable of this function.
    check.__annotations__["given"] = Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)]
    return check


def _add_service_routes(app: FastAPI, service: Service, measures: Measures, guards: list[Any]) -> None:
    @app.get("/healthz", tags=["Service"], summary="Whether the server answers", response_model=dict[str, str])
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get(
        "/readyz", tags=["Service"], summary="Whether there is a lake to answer from", response_model=dict[str, Any],
        responses={503: {"model": problems.Problem, "content": {problems.MEDIA_TYPE: {}}}},
    )  # fmt: skip
    def readiness() -> dict[str, Any]:
        pinned = service.snapshots.pin([tables.INGESTION_LOG])
        if not pinned.versions:
            raise problems.ProblemError(503, "the lake has no tables yet: `main.py run` creates them")
        return {"status": "ready", "as_of": pinned.versions}

    @app.get(
        "/metrics", tags=["Service"], summary="Metrics for Prometheus", dependencies=guards, response_class=Response
    )
    def metrics(request: Request) -> Response:  # noqa: ARG001
        return Response(measures.text(), media_type=CONTENT_TYPE_LATEST)
