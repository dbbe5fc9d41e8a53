"""Deliveries from an HTTP endpoint: what a GET answers is laid into the feed's landing folder, whole or not at all.

From there on it is a file like any other. What was received stays there, under a name that says when.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import IO, TYPE_CHECKING, cast
from urllib import request as web
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

from pipeline import landing
from pipeline.errors import EndpointError
from pipeline.formats import format_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.config import Feed
    from pipeline.context import Context
    from pipeline.log import Log

ENDINGS = {"smrt": ".SMRT", "split_json": ".json", "obis_json": ".json", "interval_parquet": ".parquet"}
STATE = ".endpoint.json"
# Seconds before the second and the third try.
PAUSES = (1.0, 4.0)
# A body may take so many times url_timeout_seconds, however little comes at a time.
SLOWEST = 10
MEGABYTE = 1_000_000
PIECE = 1 << 16
STAMP = r"\d{8}T\d{6}Z"
# Bytes of a name taken from an answer; file systems take 255.
LONGEST_NAME = 200
ASK_THE_SUPPLIER = "the next run asks again; where it lasts, ask the supplier"
CORRECT_URL = "correct the feed's url"


@dataclass(frozen=True)
class State:
    """What is remembered of the last body, to ask only for another one."""

    url: str = ""
    url_sha256: str = ""  # of the whole URL: its query may hold a secret
    etag: str | None = None
    last_modified: str | None = None
    sha256: str = ""
    fetched_at: str = ""


@dataclass(frozen=True)
class Body:
    """What was received, and the names it may go by, the best first."""

    sha256: str
    size: int
    etag: str | None
    last_modified: str | None
    names: tuple[str, ...]


class _FaultError(Exception):
    """What went wrong in one try, what to do about it, and whether another try may help."""

    def __init__(self, problem: str, advice: str = ASK_THE_SUPPLIER, *, may_pass: bool = False) -> None:
        super().__init__(problem)
        self.advice = advice
        self.may_pass = may_pass


def fetch_new(context: Context) -> list[EndpointError]:
    """Ask the endpoint of every feed that has one; what went wrong is told and handed back, the others go on."""
    problems = []
    for feed in context.settings.feeds:
        # Of a folder that is missing the listing tells.
        if feed.url is None or not Path(feed.path).is_dir():
            continue
        try:
            fetch(feed, context.now, context.log)
        except EndpointError as problem:
            context.log.warning("endpoint failed", feed=feed.name, error=str(problem))
            problems.append(problem)
    return problems


def fetch(
    feed: Feed,
    now: datetime,
    log: Log,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> str | None:
    """Lay what is new at the feed's endpoint into its folder; the new file's path there, None where nothing is new.

    The body is renamed into place before it is remembered: a run killed in between receives it again, finds it lying
    there, and keeps no second copy.
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
            body = _tried(partial(_try, feed, _headers(feed, state), part, clock), feed, log, pause)
            path = _kept(feed, body, part, stamp) if body and body.sha256 != state.sha256 else None
        finally:
            part.unlink(missing_ok=True)
        if body:
            known = State(shown(url), _digest(url), body.etag, body.last_modified, body.sha256, stamp)
            _write_whole(folder / STATE, json.dumps(asdict(known), indent=1).encode())
    except _FaultError as fault:
        raise EndpointError(feed.name, shown(url), str(fault), fault.advice) from None
    except OSError as problem:
        said = f"was asked, but the landing folder cannot be written: {problem.strerror or problem}"
        raise EndpointError(feed.name, shown(url), said, f"make room or give leave to write in {folder}") from None
    if path:
        log.info("fetched", feed=feed.name, file=path, bytes=body.size if body else 0)
    else:
        log.info("nothing new fetched", feed=feed.name)
    return path


def shown(url: str) -> str:
    """The URL as it may be printed: without user, query and fragment."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _tried(once: Callable[[], Body | None], feed: Feed, log: Log, pause: Callable[[float], None]) -> Body | None:
    """What one of three tries gave; a fault that does not pass ends them."""
    for seconds in PAUSES:
        try:
            return once()
        except _FaultError as fault:
            if not fault.may_pass:
                raise
            log.warning("endpoint tried again", feed=feed.name, problem=str(fault), seconds=seconds)
        pause(seconds)
    return once()


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
            raise _FaultError(problem, "set it: one word of ASCII characters")
        headers["Authorization"] = f"Bearer {token}"
    return headers


def _try(feed: Feed, headers: dict[str, str], part: Path, clock: Callable[[], float]) -> Body | None:
    """The body, streamed to `part`; None where the endpoint has nothing new."""
    deadline = clock() + SLOWEST * feed.url_timeout_seconds
    try:
        response = _open(feed, headers)
    except HTTPError as answer:
        answer.close()
        if answer.code == HTTPStatus.NOT_MODIFIED and {"If-None-Match", "If-Modified-Since"} & set(headers):
            return None
        raise _refusal(answer.code, feed) from None
    except TimeoutError:
        raise _silence(feed) from None
    except (OSError, HTTPException) as problem:
        raise _unreachable(problem, feed) from None
    except ValueError:
        raise _FaultError("is no URL that can be asked, or redirects to one", CORRECT_URL) from None
    with response:
        if response.status == HTTPStatus.NO_CONTENT:
            return None
        coding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if response.status != HTTPStatus.OK or coding != "identity":
            what = _code(response.status) if coding == "identity" else "a compressed body that was not asked for"
            raise _FaultError(f"answered {what}", "have the endpoint answer 200 with the plain file")
        digest, size = hashlib.sha256(), 0
        with part.open("wb") as file:
            for piece in _pieces(response, feed, clock, deadline):
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            file.flush()
            os.fsync(file.fileno())
    told = response.headers.get_filename() if "Content-Disposition" in response.headers else None
    names = (told or "", unquote(urlsplit(response.url).path.rpartition("/")[2]))
    validators = [_printable(response.headers.get(name)) for name in ("ETag", "Last-Modified")]
    return Body(digest.hexdigest(), size, validators[0], validators[1], names)


def _open(feed: Feed, headers: dict[str, str]) -> HTTPResponse:
    """The answer's head. Only http and https are spoken: no file, no ftp, wherever a redirect leads."""
    opener = web.OpenerDirector()
    for handler in (
        web.ProxyHandler(),
        web.UnknownHandler(),
        web.HTTPHandler(),
        web.HTTPSHandler(),
        web.HTTPDefaultErrorHandler(),
        _Redirects(),
        web.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    request = web.Request(str(feed.url))  # noqa: S310 - the configuration lets only http and https pass
    for name, value in headers.items():
        # Unredirected: not handed on to another address but by _Redirects.
        (request.add_unredirected_header if name == "Authorization" else request.add_header)(name, value)
    return cast("HTTPResponse", opener.open(request, timeout=feed.url_timeout_seconds))


class _Redirects(web.HTTPRedirectHandler):
    """Follows to http and https, never from https down to http; the token goes to its own host, scheme and port."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - the signature is the library's
        self, req: web.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> web.Request | None:
        # Else its body, of whatever length, would be read to the end.
        fp.close()
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if after.scheme not in {"http", "https"} or (before.scheme, after.scheme) == ("https", "http"):
            return None  # the redirect itself is the answer then
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        token = req.get_header("Authorization")
        own = (before.scheme, before.hostname, before.port) == (after.scheme, after.hostname, after.port)
        if following and token and own:
            following.add_unredirected_header("Authorization", token)
        return following

    def http_error_302(
        self, req: web.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> web._UrlopenRet | None:
        """As the library does, but no connection stays open where the new address is no URL."""
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError:
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _pieces(response: HTTPResponse, feed: Feed, clock: Callable[[], float], deadline: float) -> Iterator[bytes]:
    """The body as it comes in, as long as it is neither too large nor too slow; whole, where its length is told."""
    expected, got = response.length, 0
    most = feed.url_max_megabytes * MEGABYTE
    large = _FaultError(f"sends more than {feed.url_max_megabytes} MB", "raise url_max_megabytes where that is right")
    if expected is not None and expected > most:
        raise large
    try:
        # Not read(): it would wait for all that was asked for, each drop of a dripping body beginning the time anew.
        while piece := response.read1(PIECE):
            got += len(piece)
            if got > most:
                raise large
            if clock() > deadline:
                raise _slow(feed)
            yield piece
    except TimeoutError:
        raise _silence(feed) from None
    except (OSError, HTTPException):
        raise _FaultError(f"broke off after {got} bytes", may_pass=True) from None
    if expected is not None and got < expected:
        raise _FaultError(f"broke off after {got} of {expected} bytes", may_pass=True)


def _kept(feed: Feed, body: Body, part: Path, stamp: str) -> str | None:
    """Rename the body into place; its path below the folder, None where the same delivery lies there already.

    Where the bare name is the identity, the answer names the file, and other bytes of a name go to a subfolder: what
    becomes of them is decided as of any other file. Else the name says when it came.
    """
    folder = Path(feed.path)
    lying = landing.find(feed)
    own = f"{stamp}-{body.sha256[:12]}"
    target = f"{feed.name}-{own}{ENDINGS[feed.format]}"
    if format_of(feed).identity_is_name:
        name = next((safe for safe in (_safe(told, feed) for told in body.names) if safe), target)
        same = [found.relative_path for found in lying if found.file_name == name]
        target = f"{own}/{name}" if os.path.lexists(folder / name) else name
    else:
        pattern = re.compile(rf"{feed.name}-{STAMP}-[0-9a-f]{{12}}{re.escape(ENDINGS[feed.format])}")
        # Only the last one: content A, B, A is three deliveries.
        same = [found.relative_path for found in lying if pattern.fullmatch(found.relative_path)][-1:]
    if any(_holds(folder / path, body) for path in same):
        return None
    (folder / target).parent.mkdir(exist_ok=True)
    part.replace(folder / target)
    _sync((folder / target).parent)
    return target


def _safe(name: str, feed: Feed) -> str:
    """A told name as the name of a file that is a delivery: the last part of a path, neither hidden nor unfinished."""
    last = name.replace("\\", "/").rpartition("/")[2]
    clean = "".join(each for each in last if each.isprintable()).strip().lstrip(". ")
    short = clean.encode()[-LONGEST_NAME:].decode(errors="ignore").lstrip(". ")
    return short + ENDINGS[feed.format] if short.endswith(landing.UNFINISHED) else short


def _holds(path: Path, body: Body) -> bool:
    try:
        with path.open("rb") as file:
            same = os.fstat(file.fileno()).st_size == body.size
            return same and hashlib.file_digest(file, "sha256").hexdigest() == body.sha256
    except OSError:
        return False


def _remembered(folder: Path, url: str) -> State:
    """The state of this URL; none where there is none, it cannot be understood, or it is of another URL."""
    try:
        known = json.loads((folder / STATE).read_bytes())
        state = State(**{name: known[name] for name in State.__dataclass_fields__})
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return State()
    sound = re.fullmatch(r"[0-9a-f]{64}", str(state.sha256)) and state.url_sha256 == _digest(url)
    texts = all(value is None or _printable(value) for value in (state.etag, state.last_modified))
    return state if sound and texts else State()


def _printable(value: object) -> str | None:
    """The text, if it can be sent as a header."""
    return value if isinstance(value, str) and re.fullmatch(r"[ -~]+", value) else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """Make a rename last."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _code(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}" if code in set(HTTPStatus) else str(code)


def _refusal(code: int, feed: Feed) -> _FaultError:
    """The fault of an answer that is no body."""
    said = f"answered {_code(code)}"
    if code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        where = feed.url_token_env or "an environment variable and name it in url_token_env"
        return _FaultError(said, f"put a valid token into {where}")
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR or code == HTTPStatus.TOO_MANY_REQUESTS:
        return _FaultError(said, may_pass=True)
    if code < HTTPStatus.BAD_REQUEST:
        rule = "redirects are followed to http and https, not from https to http, and not for ever"
        return _FaultError(f"{said}, which leads nowhere ({rule})", CORRECT_URL)
    return _FaultError(said, CORRECT_URL)


def _silence(feed: Feed) -> _FaultError:
    said = f"sent nothing for {feed.url_timeout_seconds:g} s"
    return _FaultError(said, "the next run asks again; where it lasts, raise url_timeout_seconds", may_pass=True)


def _slow(feed: Feed) -> _FaultError:
    said = f"was not done after {SLOWEST * feed.url_timeout_seconds:g} s"
    return _FaultError(said, "the next run asks again; where it lasts, raise url_timeout_seconds", may_pass=True)


def _unreachable(problem: Exception, feed: Feed) -> _FaultError:
    """The fault of a connection. Only what the system says of it is told: other texts may quote the URL."""
    inner = problem.reason if isinstance(problem, URLError) else problem
    if isinstance(inner, TimeoutError):
        return _silence(feed)
    if isinstance(inner, SSLCertVerificationError):
        said = f"has no certificate to trust: {inner.verify_message}"
        return _FaultError(said, "have it renewed, or name its authority in SSL_CERT_FILE")
    if isinstance(inner, OSError):
        return _FaultError(f"cannot be reached: {inner.strerror or inner}", may_pass=True)
    return _FaultError(f"gave no answer that is HTTP ({type(inner).__name__})", may_pass=True)
