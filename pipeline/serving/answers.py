"""From columns to an HTTP response: JSON, CSV or an Arrow stream, by `Accept`; pages, ETag and 304."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pyarrow as pa
from pydantic_core import to_json
from starlette.responses import Response

from pipeline.lake.types import TYPES
from pipeline.serving import json_rows
from pipeline.serving.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import Request

    from pipeline.lake.tables import Column

MEDIA = {"json": "application/json", "csv": "text/csv", "arrow": "application/vnd.apache.arrow.stream"}
# Part of the ETag: new code may give another answer for the same versions.
GENERATION = "3"
# Bytes from which an answer is compressed, and zlib's level.
WORTH_PACKING, PACKING = 1000, 4


@dataclass
class Rows:
    """A page: columns of values for JSON, the last row's key if more rows follow, and how many rows there are."""

    columns: dict[str, list[Any]]
    more_after: list[Any] | None = None
    total: int | None = None


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after which key, in which versions; `asked` ties it to its query."""

    versions: Mapping[str, int]
    after: list[Any]
    asked: str

    def encoded(self) -> str:
        """The cursor as text for a URL."""
        text = json.dumps([dict(self.versions), self.after, self.asked], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decoded(word: str, asked: str) -> Cursor:
    """The cursor from a URL; an invalid one, or one of another query, is a problem."""
    try:
        versions, after, of = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
        found = Cursor({str(name): _version(version) for name, version in versions.items()}, list(after), str(of))
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise ProblemError(400, "cursor: not valid; use the address in `next` as it is", "cursor") from None
    if found.asked != asked:
        raise ProblemError(400, "cursor: belongs to another query; keep the other parameters as they were", "cursor")
    return found


def _version(number: object) -> int:
    if not isinstance(number, int) or not 0 <= number < 2**63:
        raise ValueError(number)
    return number


def question(request: Request) -> str:
    """A digest of the query, without the page's start and length."""
    asked = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in {"cursor", "limit", "format"})
    return hashlib.sha256(repr((request.url.path, asked)).encode()).hexdigest()[:16]


def form(request: Request, named: str | None) -> str:
    """json, csv or arrow: from `format`, else the best of `Accept`."""
    if named:
        return named
    best, best_weight = None, 0.0
    for part in request.headers.get("accept", "*/*").split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weights = [parameter[2:] for parameter in parameters if parameter.startswith("q=")]
        try:
            weight = float(weights[0]) if weights else 1.0
        except ValueError:
            continue
        fits = next((name for name, kind in MEDIA.items() if media in {kind, "*/*", kind.split("/")[0] + "/*"}), None)
        if fits and weight > best_weight:
            best, best_weight = fits, weight
    if best is None:
        raise ProblemError(406, f"Accept: this API answers as {', '.join(MEDIA.values())}")
    return best


def etag(request: Request, identities: Mapping[str, str], form_name: str) -> str:
    """An answer's ETag: the same versions of the same tables and the same query give the same one."""
    facts = (
        GENERATION,
        sorted(identities.items()),
        request.url.path,
        sorted(request.query_params.multi_items()),
        form_name,
    )
    return f'W/"{hashlib.sha256(repr(facts).encode()).hexdigest()[:32]}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether the client already has this answer."""
    known = [each.strip() for each in request.headers.get("if-none-match", "").split(",")]
    return tag in known or "*" in known


def packed(request: Request, response: Response) -> Response:
    """The response compressed, if it is worth it and the client takes it: in the thread that made it."""
    if len(response.body) >= WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        response.body = gzip.compress(response.body, compresslevel=PACKING, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))
    return response


@dataclass(frozen=True)
class Meta:
    """What a page has besides its rows."""

    as_of: Mapping[str, int]
    time_zone: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)


def page(request: Request, rows: Rows, shape: Sequence[Column], meta: Meta, form_name: str) -> Response:
    """The response with many rows in the requested form; the next page is also in the header Link."""
    following = None
    if rows.more_after is not None:
        cursor = Cursor(meta.as_of, rows.more_after, question(request)).encoded()
        others = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
        following = f"{request.url.path}?{urlencode([*others, ('cursor', cursor)])}"
    headers = {"Link": f'<{following}>; rel="next"'} if following else {}
    if form_name == "json":
        rest = {
            "next": following,
            "total": rows.total,
            "as_of": meta.as_of,
            "time_zone": meta.time_zone,
            "units": meta.units,
        }
        body = b'{"data":' + json_rows.array(rows.columns, shape) + b"," + to_json(rest)[1:]
        return Response(body, 200, headers, MEDIA["json"])
    if form_name == "csv":
        return Response(_csv(rows.columns), 200, headers, MEDIA["csv"])
    return Response(_arrow(rows.columns, shape), 200, headers, MEDIA["arrow"])


def _csv(columns: dict[str, list[Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for values in zip(*columns.values(), strict=True):
        writer.writerow([_field(value) for value in values])
    return text.getvalue()


def _field(value: Any) -> Any:  # noqa: ANN401 - what JSON can hold
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else " ".join(value) if isinstance(value, list) else value


def _arrow(columns: dict[str, list[Any]], shape: Sequence[Column]) -> bytes:
    """An Arrow stream with the types of the tables; instants in UTC."""
    arrays = []
    for column in shape:
        kind = TYPES[column.type][1]
        values = columns[column.name]
        plain = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
        if pa.types.is_list(kind):
            arrays.append(pa.array(values, pa.list_(pa.string())).cast(kind))
        else:
            arrays.append(pa.array(values, kind) if plain else pa.array(values, pa.string()).cast(kind))
    rows = pa.table(arrays, names=[column.name for column in shape])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    written: bytes = sink.getvalue().to_pybytes()
    return written
