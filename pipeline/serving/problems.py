"""The API's error responses: RFC 9457 problems, which name the wrong parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, WithJsonSchema
from starlette.responses import JSONResponse

from pipeline.errors import MeterlakeError, printable

if TYPE_CHECKING:
    from fastapi import Request
    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException

MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Wrong parameter",
    401: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "No such form of answer",
    410: "This page is gone",
    500: "Something failed",
    503: "Too busy, or no lake yet",
}


# Left out where there is none, never null.
Parameter = Annotated[str | None, WithJsonSchema({"type": "string"})]


class Problem(BaseModel):
    """An RFC 9457 problem."""

    type: str = Field(description="Always about:blank: `status` and `title` say what kind it is")
    title: str = Field(description="What kind of problem, in words")
    status: int = Field(description="The HTTP status")
    detail: str = Field(description="What is wrong, and what to do")
    parameter: Parameter = Field(None, description="The parameter that is wrong, if it is one")


class ProblemError(Exception):
    """Raised when a request cannot be answered."""

    def __init__(
        self, status: int, detail: str, parameter: str | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.parameter, self.headers = status, detail, parameter, headers


def response(
    status: int, detail: str, parameter: str | None = None, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The response with a problem."""
    title = TITLES.get(status, "Problem")
    body = Problem(type="about:blank", title=title, status=status, detail=printable(detail), parameter=parameter)
    return JSONResponse(
        body.model_dump(exclude_none=True), status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE
    )


async def on_problem(_: Request, problem: ProblemError) -> JSONResponse:
    """A problem of ours."""
    return response(problem.status, problem.detail, problem.parameter, problem.headers)


async def on_invalid(_: Request, problem: RequestValidationError) -> JSONResponse:
    """An invalid parameter; if there are several, the first."""
    first = problem.errors()[0]
    name = str(first["loc"][-1])
    words = str(first["msg"]).removeprefix("Value error, ")
    return response(400, f"{name}: {words}", name)


async def on_http(_: Request, problem: HTTPException) -> JSONResponse:
    """Requests that the framework refuses: unknown addresses and methods."""
    headers = dict(problem.headers or {})
    detail = "no such address; /docs lists all addresses" if problem.status_code == 404 else str(problem.detail)  # noqa: PLR2004
    return response(problem.status_code, detail, headers=headers)


async def on_error(_: Request, problem: Exception) -> JSONResponse:
    """An unexpected error; the traceback goes to the log, not into the response."""
    if isinstance(problem, MeterlakeError):
        return response(500, str(problem))
    return response(500, f"{type(problem).__name__}; the server's log says more")
