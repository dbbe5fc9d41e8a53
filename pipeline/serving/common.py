"""What routes share: the parameters of all addresses with rows, and the errors that all may return."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import BaseModel

from pipeline.lake.tables import Column
from pipeline.serving import answers, naming
from pipeline.serving.asked import Asked, Service
from pipeline.serving.parameters import CursorWord, Format
from pipeline.serving.problems import MEDIA_TYPE, Problem, ProblemError
from pipeline.serving.shapes import model, page_model

Limit = Annotated[int, Query(gt=0, description="At most this many rows; the rest is on the next page")]
DEFAULT_ROWS = 1000
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": text, "content": {MEDIA_TYPE: {}}}
    for status, text in {
        400: "A parameter is wrong; `parameter` names it",
        401: "No bearer token, or not the right one",
        404: "No such meter, feed or delivery",
        406: "None of the forms in `Accept` is available",
        410: "The versions of this page are no longer there",
        503: "Too many queries at once, or no lake yet",
    }.items()
}


def service_of(request: Request) -> Service:
    """The application's service."""
    found: Service = request.app.state.service
    return found


def known_parameters(request: Request) -> None:
    """An unknown parameter is a mistake and is not ignored."""
    route = request.scope["route"]
    known = {
        each.alias for dependant in [route.dependant, *route.dependant.dependencies] for each in dependant.query_params
    }
    for name in request.query_params:
        if name not in known:
            raise ProblemError(400, f"{name}: no such parameter; there are {', '.join(sorted(known)) or 'none'}", name)
        if len(request.query_params.getlist(name)) > 1:
            raise ProblemError(400, f"{name}: given twice", name)


async def asked(
    request: Request,
    limit: Limit = DEFAULT_ROWS,
    cursor: CursorWord = None,
    format: Format = None,  # noqa: A002 - the parameter's name
) -> Asked:
    """The request, for an address with rows. Async, so that the framework needs no further thread for it."""
    known_parameters(request)
    service = service_of(request)
    if limit > service.settings.api.max_rows:
        raise ProblemError(400, f"limit: at most {service.settings.api.max_rows:,}", "limit")
    begins = answers.decoded(cursor, answers.question(request)) if cursor else None
    return Asked(service, request, limit, begins, answers.form(request, format))


AskedRows = Annotated[Asked, Depends(asked)]
AskedService = Annotated[Service, Depends(service_of)]


def rows_of(
    name: str, shape: Sequence[Column], *, sometimes: Collection[str] = (), nullable: Collection[str] = ()
) -> dict[int | str, dict[str, Any]]:
    """The responses of an address with rows, for the OpenAPI document; see shapes.model."""
    return pages_of(model(name, naming.with_ours(shape), sometimes, nullable))


def pages_of(row: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """The responses of an address with many of these rows."""
    other = {
        media: {"schema": {"type": "string", "format": "binary"}}
        for key, media in answers.MEDIA.items()
        if key != "json"
    }
    ok = {
        "model": page_model(row),
        "content": other,
        "description": "Rows; in CSV and Arrow only the rows themselves",
    }
    return {200: ok, 304: {"description": "The answer with the ETag that was sent is still current"}, **REFUSALS}
