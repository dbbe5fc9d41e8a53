"""One GET: the body of a response streamed into a file, complete, in time and not too large, in up to three tries.

It uses the standard library's client: most of the work is refusing (a truncated or very slow body, a redirect from
https to http, a token sent on to another host), which a larger library would not do either without being told.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage, HTTPResponse
from ssl import SSLCertVerificationError
from typing import IO, TYPE_CHECKING, cast
from urllib import request as web
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.config.feeds import Feed
    from pipeline.runtime.log import Log

# Seconds before the second and the third try.
PAUSES = (1.0, 4.0)
# A body may take so many times url_timeout_seconds, even if it comes in tiny pieces.
SLOWEST = 10
MEGABYTE = 1_000_000
PIECE = 1 << 16
ASK_THE_SUPPLIER = "the next run asks again; if this persists, ask the supplier"
CORRECT_URL = "correct the feed's url"


@dataclass(frozen=True)
class Body:
    """What was received, and possible names for it, the best first."""

    sha256: str
    size: int
    etag: str | None
    last_modified: str | None
    names: tuple[str, ...]


class FaultError(Exception):
    """What went wrong in one try, what to do about it, and whether another try may help."""

    def __init__(self, problem: str, advice: str = ASK_THE_SUPPLIER, *, may_pass: bool = False) -> None:
        super().__init__(problem)
        self.advice = advice
        self.may_pass = may_pass


def tried(once: Callable[[], Body | None], feed: Feed, log: Log, pause: Callable[[float], None]) -> Body | None:
    """The result of up to three tries; a fault that will not pass by itself ends them."""
    for seconds in PAUSES:
        try:
            return once()
        except FaultError as fault:
            if not fault.may_pass:
                raise
            log.warning("endpoint tried again", feed=feed.name, problem=str(fault), seconds=seconds)
        pause(seconds)
    return once()


def body_of(feed: Feed, headers: dict[str, str], part: Path, clock: Callable[[], float]) -> Body | None:
    """The body, streamed to `part`; None if the endpoint has nothing new."""
    deadline = clock() + SLOWEST * feed.url_timeout_seconds
    response = _response(feed, headers)
    if response is None:
        return None
    with response:
        if response.status == HTTPStatus.NO_CONTENT:
            return None
        _check(response)
        digest, size = hashlib.sha256(), 0
        with part.open("wb") as file:
            for piece in _pieces(response, feed, clock, deadline):
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            file.flush()
            os.fsync(file.fileno())
    given = response.headers.get_filename() if "Content-Disposition" in response.headers else None
    names = (given or "", unquote(urlsplit(response.url).path.rpartition("/")[2]))
    validators = [printable(response.headers.get(name)) for name in ("ETag", "Last-Modified")]
    return Body(digest.hexdigest(), size, validators[0], validators[1], names)


def asked(feed: Feed, headers: dict[str, str]) -> None:
    """Ask, and close the connection before the body; a fault where it would be no delivery."""
    response = _response(feed, headers)
    if response is not None:
        with response:
            _check(response)


def _response(feed: Feed, headers: dict[str, str]) -> HTTPResponse | None:
    """The response's head; None if the endpoint has nothing new."""
    try:
        return _open(feed, headers)
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
        raise FaultError("is not a valid URL, or redirects to an invalid one", CORRECT_URL) from None


def _check(response: HTTPResponse) -> None:
    """A fault for a response that holds no plain file; one without content has nothing new."""
    coding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if response.status not in {HTTPStatus.OK, HTTPStatus.NO_CONTENT} or coding != "identity":
        what = _code(response.status) if coding == "identity" else "a compressed body that was not asked for"
        raise FaultError(f"answered {what}", "have the endpoint answer 200 with the plain file")


def _open(feed: Feed, headers: dict[str, str]) -> HTTPResponse:
    """The response's head. Only http and https are used, never file or ftp, wherever a redirect leads."""
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
        # Unredirected: only _Redirects passes it on to another address.
        (request.add_unredirected_header if name == "Authorization" else request.add_header)(name, value)
    return cast("HTTPResponse", opener.open(request, timeout=feed.url_timeout_seconds))


class _Redirects(web.HTTPRedirectHandler):
    """Follows redirects to http and https, never from https to http; the token goes only to its own host and port."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - the signature is the library's
        self, req: web.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> web.Request | None:
        # Otherwise its body, of any length, would be read to the end.
        fp.close()
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if after.scheme not in {"http", "https"} or (before.scheme, after.scheme) == ("https", "http"):
            return None  # then the redirect itself is the response
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        token = req.get_header("Authorization")
        own = (before.scheme, before.hostname, before.port) == (after.scheme, after.hostname, after.port)
        if following and token and own:
            following.add_unredirected_header("Authorization", token)
        return following

    def http_error_302(
        self, req: web.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage
    ) -> web._UrlopenRet | None:
        """As the library does, but closes the connection if the new address is not a URL."""
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except ValueError:
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _pieces(response: HTTPResponse, feed: Feed, clock: Callable[[], float], deadline: float) -> Iterator[bytes]:
    """The body as it comes in; a fault if it is too large, too slow, or shorter than announced."""
    expected, got = response.length, 0
    most = feed.url_max_megabytes * MEGABYTE
    large = FaultError(f"sends more than {feed.url_max_megabytes} MB", "raise url_max_megabytes if that is right")
    if expected is not None and expected > most:
        raise large
    try:
        # Not read(): it waits for the full amount, and the timeout would start again with each byte that comes.
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
        raise FaultError(f"broke off after {got} bytes", may_pass=True) from None
    if expected is not None and got < expected:
        raise FaultError(f"broke off after {got} of {expected} bytes", may_pass=True)


def printable(value: object) -> str | None:
    """The text, if it can be sent as a header."""
    return value if isinstance(value, str) and re.fullmatch(r"[ -~]+", value) else None


def _code(code: int) -> str:
    return f"{code} {HTTPStatus(code).phrase}" if code in set(HTTPStatus) else str(code)


def _refusal(code: int, feed: Feed) -> FaultError:
    """The fault of a response without a usable body."""
    said = f"answered {_code(code)}"
    if code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        where = feed.url_token_env or "an environment variable and name it in url_token_env"
        return FaultError(said, f"put a valid token into {where}")
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR or code == HTTPStatus.TOO_MANY_REQUESTS:
        return FaultError(said, may_pass=True)
    if code < HTTPStatus.BAD_REQUEST:
        rule = "redirects are followed to http and https, not from https to http, and not for ever"
        return FaultError(f"{said}, which leads nowhere ({rule})", CORRECT_URL)
    return FaultError(said, CORRECT_URL)


def _silence(feed: Feed) -> FaultError:
    said = f"sent nothing for {feed.url_timeout_seconds:g} s"
    return FaultError(said, "the next run asks again; if this persists, raise url_timeout_seconds", may_pass=True)


def _slow(feed: Feed) -> FaultError:
    said = f"had not finished after {SLOWEST * feed.url_timeout_seconds:g} s"
    return FaultError(said, "the next run asks again; if this persists, raise url_timeout_seconds", may_pass=True)


def _unreachable(problem: Exception, feed: Feed) -> FaultError:
    """The fault of a connection. Only the system's own words are passed on: other texts may quote the URL."""
    inner = problem.reason if isinstance(problem, URLError) else problem
    if isinstance(inner, TimeoutError):
        return _silence(feed)
    if isinstance(inner, SSLCertVerificationError):
        said = f"has no trusted certificate: {inner.verify_message}"
        return FaultError(said, "have it renewed, or name its authority in SSL_CERT_FILE")
    if isinstance(inner, OSError):
        return FaultError(f"cannot be reached: {inner.strerror or inner}", may_pass=True)
    return FaultError(f"did not answer in HTTP ({type(inner).__name__})", may_pass=True)
