"""Deliveries from an HTTP endpoint: the body of a GET is written into the feed's landing folder, whole or not at all.

From then on it is a file like any other. It stays there, under a name that says when it was received.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import asdict, dataclass
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from pipeline.deliveries import http_get, landing
from pipeline.deliveries.http_get import Body, FaultError, printable
from pipeline.errors import EndpointError
from pipeline.lake import stores
from pipeline.runtime import failpoints

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipeline.config.feeds import Feed
    from pipeline.runtime.context import Context
    from pipeline.runtime.log import Log

STATE = ".endpoint.json"
STAMP = r"\d{8}T\d{6}Z"
# Bytes of a name taken from a response; file systems allow 255.
LONGEST_NAME = 200


class FilesOfAFormat(Protocol):
    """What a feed's format says about the names of its files."""

    @property
    def ending(self) -> str:
        """The ending of its files' names."""

    @property
    def identity_is_name(self) -> bool:
        """Whether a name is loaded once."""


@dataclass(frozen=True)
class State:
    """What is remembered about the last body, to ask only for a newer one."""

    url: str = ""
    url_sha256: str = ""  # a digest of the whole URL, because its query may hold a secret
    etag: str | None = None
    last_modified: str | None = None
    sha256: str = ""
    fetched_at: str = ""


def fetch_new(context: Context, files_of: Callable[[Feed], FilesOfAFormat]) -> list[EndpointError]:
    """Ask the endpoint of every feed that has one; failures are logged and returned, and do not stop the others."""
    problems = []
    for feed in context.settings.feeds:
        # A missing folder is reported by the listing.
        if feed.url is None or not Path(feed.path).is_dir():
            continue
        try:
            fetch(feed, files_of(feed), context.now, context.log)
        except EndpointError as problem:
            context.log.warning("endpoint failed", feed=feed.name, error=str(problem))
            problems.append(problem)
    return problems


def fetch(  # noqa: PLR0913 - two of them are for tests of time
    feed: Feed,
    files: FilesOfAFormat,
    now: datetime,
    log: Log,
    *,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str | None:
    """Write what is new at the feed's endpoint into its folder; returns the new file's path, None if nothing is new.

    The body is renamed into place before it is remembered: a run that was killed in between receives it again, finds it
    already there, and keeps no second copy.
    """
    folder, url = Path(feed.path), str(feed.url)
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    part = folder / f"{feed.name}-{stamp}.part"
    state = _remembered(folder, url)
    try:
        for leftover in folder.glob(f"{feed.name}-*.part"):
            if re.fullmatch(rf"{feed.name}-{STAMP}\.part", leftover.name):
                leftover.unlink()
        try:
            body = http_get.tried(partial(http_get.body_of, feed, _headers(feed, state), part, clock), feed, log, pause)
            path = _kept(feed, files, body, part, stamp) if body and body.sha256 != state.sha256 else None
        finally:
            part.unlink(missing_ok=True)
        if body:
            known = State(shown(url), _digest(url), body.etag, body.last_modified, body.sha256, stamp)
            _write_whole(folder / STATE, json.dumps(asdict(known), indent=1).encode())
    except FaultError as fault:
        raise EndpointError(feed.name, shown(url), str(fault), fault.advice) from None
    except OSError as problem:
        said = f"was not fetched: the landing folder cannot be written: {problem.strerror or problem}"
        raise EndpointError(feed.name, shown(url), said, f"free space or grant permission in {folder}") from None
    if path:
        log.info("fetched", feed=feed.name, file=path, bytes=body.size if body else 0)
    else:
        log.info("nothing new fetched", feed=feed.name)
    return path


def answers(feed: Feed) -> None:
    """Ask once, read nothing of the body and keep nothing; raises EndpointError where the answer is no delivery."""
    try:
        http_get.asked(feed, _headers(feed, State()))
    except FaultError as fault:
        raise EndpointError(feed.name, shown(str(feed.url)), str(fault), fault.advice) from None


def shown(url: str) -> str:
    """The URL for messages: without user, query and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _headers(feed: Feed, state: State) -> dict[str, str]:
    headers = {"User-Agent": "meterlake", "Accept": "*/*"}
    if state.etag:
        headers["If-None-Match"] = state.etag
    if state.last_modified:
        headers["If-Modified-Since"] = state.last_modified
    if feed.url_token_env:
        token = os.environ.get(feed.url_token_env, "").strip()
        if not re.fullmatch(r"[!-~]+", token):
            problem = f"needs a token, but the environment variable {feed.url_token_env} holds none"
            raise FaultError(problem, "set it to one word of ASCII characters")
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _kept(feed: Feed, files: FilesOfAFormat, body: Body, part: Path, stamp: str) -> str | None:
    """Rename the body into place; returns its path below the folder, None if the same delivery is already there.

    If the bare name is the identity, the response names the file, and other bytes under the same name go to a
    subfolder, where they are decided like any other file. Otherwise the name says when it came.
    """
    folder = Path(feed.path)
    is_archived = feed.archive is not None and Path(feed.archive).is_dir()
    places = [feed, *([feed.model_copy(update={"path": feed.archive})] if is_archived else [])]
    # Without links that lead elsewhere.
    lying = [found for place in places for found in landing.find(place) if not found.reason_code]
    own = f"{stamp}-{body.sha256[:12]}"
    target = f"{feed.name}-{own}{files.ending}"
    if files.identity_is_name:
        name = next((safe for safe in (_safe(given, files) for given in body.names) if safe), target)
        same = [found for found in lying if found.file_name == name]
        target = f"{own}/{name}" if os.path.lexists(folder / name) else name
    else:
        pattern = re.compile(rf"{feed.name}-{STAMP}-[0-9a-f]{{12}}{re.escape(files.ending)}")
        # Compared with the last one only: content A, B, A is three deliveries.
        fetched = [found for found in lying if pattern.fullmatch(found.file_name)]
        same = sorted(fetched, key=lambda found: found.file_name)[-1:]
    if any(_holds(Path(found.file_path), body) for found in same):
        return None
    (folder / target).parent.mkdir(exist_ok=True)
    with failpoints.around(f"move {feed.name}"):
        part.replace(folder / target)
    stores.sync_folder((folder / target).parent)
    return target


def _safe(name: str, files: FilesOfAFormat) -> str:
    """A name from the response as a delivery's file name: the last part of a path, neither hidden nor unfinished."""
    last = name.replace("\\", "/").rpartition("/")[2]
    clean = "".join(each for each in last if each.isprintable()).strip().lstrip(". ")
    short = clean.encode()[-LONGEST_NAME:].decode(errors="ignore").lstrip(". ")
    return short + files.ending if short.endswith(landing.UNFINISHED) else short


def _holds(path: Path, body: Body) -> bool:
    try:
        with path.open("rb") as file:
            same = os.fstat(file.fileno()).st_size == body.size
            return same and hashlib.file_digest(file, "sha256").hexdigest() == body.sha256
    except OSError:
        return False


def _remembered(folder: Path, url: str) -> State:
    """The state of this URL; empty if there is none, it cannot be parsed, or it belongs to another URL."""
    try:
        known = json.loads((folder / STATE).read_bytes())
        state = State(**{name: known[name] for name in State.__dataclass_fields__})
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return State()
    sound = re.fullmatch(r"[0-9a-f]{64}", str(state.sha256)) and state.url_sha256 == _digest(url)
    texts = all(value is None or printable(value) for value in (state.etag, state.last_modified))
    return state if sound and texts else State()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    with failpoints.around("move endpoint state"):
        part.replace(path)
    stores.sync_folder(path.parent)
