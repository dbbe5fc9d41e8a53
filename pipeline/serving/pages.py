"""The page at / and the documentation at /docs: files from this package and two others, never from another machine."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from pipeline.serving import answers

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).with_name("page")
MEDIA = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# Files of packages: large, and changed only with the package's version, which is in their names.
FOREIGN = {
    "plotly.min.js": ("plotly", "package_data"),
    "swagger-ui-bundle.js": ("fastapi_offline", "static"),
    "swagger-ui.css": ("fastapi_offline", "static"),
}
# Plotly and Swagger UI set styles by attribute, and Plotly adds its own <style>. Swagger UI has pictures in its style
# sheet. Nothing else is allowed, and no scripts except those files.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SAFE = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
A_YEAR = "public, max-age=31536000, immutable"
ASK_EACH_TIME = "no-cache"


@dataclass(frozen=True)
class File:
    """One file to serve, with its address below /page/."""

    name: str
    path: Path
    lasting: bool
    names: tuple[tuple[bytes, bytes], ...] = ()

    @cached_property
    def packed(self) -> bytes:
        """Its bytes, compressed once instead of for every request."""
        return gzip.compress(self.plain, compresslevel=6, mtime=0)

    @cached_property
    def plain(self) -> bytes:
        """Its bytes, with the versioned names of the packages' files filled in."""
        content = self.path.read_bytes()
        for asked, found in self.names:
            content = content.replace(asked, found)
        return content

    @cached_property
    def tag(self) -> str:
        """The ETag of its content."""
        return f'W/"{hashlib.sha256(self.plain).hexdigest()[:32]}"'

    def answer(self, request: Request) -> Response:
        """The file, or 304 if the browser has it."""
        headers = {**SAFE, "ETag": self.tag, "Cache-Control": A_YEAR if self.lasting else ASK_EACH_TIME}
        headers["Vary"] = "Accept-Encoding"
        if answers.is_known(request, self.tag):
            return Response(status_code=304, headers=headers)
        packs = "gzip" in request.headers.get("accept-encoding", "")
        if packs:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if packs else self.plain, 200, headers, MEDIA[self.path.suffix])


def router() -> APIRouter:
    """The routes of the pages. Raises ModuleNotFoundError if a package with their files is not installed."""
    files = {file.name: file for file in _files()}
    made = APIRouter(include_in_schema=False)

    @made.get("/")
    def page(request: Request) -> Response:
        return files["index.html"].answer(request)

    @made.get("/docs")
    def documentation(request: Request) -> Response:
        return files["docs.html"].answer(request)

    @made.get("/page/{name}")
    def part(request: Request, name: str) -> Response:
        if name not in files:
            raise HTTPException(404)
        return files[name].answer(request)

    return made


def _files() -> Iterator[File]:
    names: list[tuple[bytes, bytes]] = []
    for name, (package, folder) in FOREIGN.items():
        # Located, not imported: Plotly takes a while to import, and none of its code runs here.
        found = find_spec(package)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(f"no package {package}", name=package)
        stem, _, rest = name.partition(".")
        served = f"{stem}-{version(package)}.{rest}"
        names.append((name.encode(), served.encode()))
        yield File(served, Path(found.origin).parent / folder / name, lasting=True)
    for path in sorted(HERE.iterdir()):
        if path.suffix in MEDIA:
            yield File(path.name, path, lasting=False, names=tuple(names))
