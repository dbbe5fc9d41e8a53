"""The OpenAPI document, corrected for what the framework does not know and generators of clients need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.serving.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi.routing import APIRoute

BEARER = "bearer"
SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "The token of the server's configuration; a server without one answers this machine without",
}
# Answered whoever asks.
OPEN = {"/healthz", "/readyz"}


def operation_id(route: APIRoute) -> str:
    """What generated clients call the address: `get_` and the name of its route."""
    return f"get_{route.name}"


def corrected(made: Callable[[], dict[str, Any]], most_rows: int, *, needs_token: bool) -> Callable[[], dict[str, Any]]:
    """A function that makes the document.

    Rows have a limit, a parameter is given or left out but never null, a wrong one gives 400 and not the framework's
    422, and a bearer token is needed, or may be.
    """

    def document() -> dict[str, Any]:
        found = made()
        for address, operation in _operations(found):
            operation["responses"].pop("422", None)
            for response in operation["responses"].values():
                _problems_only(response)
            if address not in OPEN:
                operation["security"] = [{BEARER: []}] if needs_token else [{}, {BEARER: []}]
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _never_null(parameter["schema"])
                if parameter["name"] == "limit":
                    parameter["schema"]["maximum"] = most_rows
        found["components"]["securitySchemes"] = {BEARER: SCHEME}
        for name in ("HTTPValidationError", "ValidationError"):
            found["components"]["schemas"].pop(name, None)
        return found

    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for address, path in document["paths"].items():
        for operation in path.values():
            yield address, operation


def _problems_only(response: dict[str, Any]) -> None:
    """A problem has its own media type; the framework notes its schema under JSON's."""
    content = response.get("content", {})
    if MEDIA_TYPE in content and "application/json" in content:
        response["content"] = {MEDIA_TYPE: content["application/json"]}


def _never_null(schema: dict[str, Any]) -> dict[str, Any]:
    kinds: list[dict[str, Any]] = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {name: value for name, value in schema.items() if name != "anyOf"} | kinds[0]
