"""What answers by a connection: endpoints, the reference database; and the tokens and passwords for them."""

from __future__ import annotations

import os
import re
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from pipeline.checks.finding import Finding
from pipeline.config.notify import secret
from pipeline.config.reference import SQLITE
from pipeline.deliveries import endpoint
from pipeline.errors import ConfigurationError, EndpointError, ReferenceDatabaseError
from pipeline.formats import reference_dialects
from pipeline.formats.reference_sqlite import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.config.feeds import Feed
    from pipeline.config.notify import Mail, Notify
    from pipeline.config.reference import Reference
    from pipeline.config.settings import Settings

SECONDS = 5
# `//host:port` of most drivers, and Oracle's `@host:port`. A URL without a port is not tried.
_ADDRESS = re.compile(r"(?://|@)(?:[^/@]*@)?(?P<host>\[[0-9A-Fa-f:]+\]|[\w.-]+):(?P<port>[0-9]{1,5})")


def found(settings: Settings) -> Iterator[Finding]:
    """Each endpoint, the reference, the token of the read API, and who is told what needs attention."""
    for feed in settings.feeds:
        if feed.url:
            yield _endpoint(feed)
    if settings.reference:
        yield _reference(settings.reference, settings.reference_tables)
    if name := settings.api.token_env:
        unset = f"the environment variable {name} holds no token: set it where `serve` is started"
        yield Finding("api: token_env", name, None if os.environ.get(name) else unset)
    if settings.notify:
        yield from _notify(settings.notify)


def _notify(wanted: Notify) -> Iterator[Finding]:
    """Whether the webhook's and the mail server's port answer, and the variables hold something. Nothing is sent."""
    if wanted.has_webhook:
        yield _asked("notify: webhook", lambda: _webhook(wanted))
    if mail := wanted.mail:
        yield _asked("notify: mail", lambda: _mail_server(mail))


def _asked(what: str, look: Callable[[], tuple[str, str | None]]) -> Finding:
    try:
        return Finding(what, *look())
    except ConfigurationError as problem:
        return Finding(what, "", str(problem))


def _webhook(wanted: Notify) -> tuple[str, str | None]:
    if wanted.token_env:
        secret("notify.token_env", wanted.token_env)
    parts = urlsplit(wanted.webhook())
    host, port = str(parts.hostname), parts.port or (443 if parts.scheme.lower() == "https" else 80)
    return f"{host}:{port} answers", _no_answer(host, port, "correct the webhook's address")


def _mail_server(mail: Mail) -> tuple[str, str | None]:
    if mail.password_env:
        secret("notify.mail.password_env", mail.password_env)
    return f"{mail.host}:{mail.port} answers", _no_answer(mail.host, mail.port, "correct host and port")


def _endpoint(feed: Feed) -> Finding:
    what, url = f"feed {feed.name}: url", endpoint.shown(str(feed.url))
    try:
        endpoint.answers(feed)
    except EndpointError as problem:
        return Finding(what, url, str(problem).partition(": ")[2])
    return Finding(what, f"{url} answers")


def _reference(reference: Reference, tables: Mapping[str, str]) -> Finding:
    what = "reference"
    if reference.url is None:
        return Finding(what, f"{', '.join(tables.values())}: asked by the first run, which needs Spark")
    try:
        if reference.url.startswith(SQLITE):
            return _sqlite(SqliteFile(reference.url, reference.names))
        reference.password()
        shown = reference_dialects.shown(reference.url)
        return Finding(what, shown, _silence(reference.url))
    except ConfigurationError as problem:
        return Finding(what, "", str(problem))


def _sqlite(file: SqliteFile) -> Finding:
    """A local file is opened, and must have the three tables; one in a store or a volume must be there."""
    what = "reference"
    try:
        size, _ = file.stat()
        if file.is_plain:
            address = f"file:{quote(os.path.abspath(file.location))}?mode=ro"  # noqa: PTH100 - as the reader does
            with closing(sqlite3.connect(address, uri=True, timeout=SECONDS)) as connection:
                names = {str(name).lower() for (name,) in connection.execute("SELECT name FROM sqlite_master")}
            if lost := [each for each in file.names.values() if each.lower().rpartition(".")[2] not in names]:
                return Finding(
                    what, file.address, f"{file.address} has no table {', '.join(lost)}: see reference.tables"
                )
    except ReferenceDatabaseError as problem:
        return Finding(what, file.address, str(problem).partition(";")[0])
    except (sqlite3.Error, OSError) as problem:
        return Finding(what, file.address, f"{file.address} cannot be opened: {' '.join(str(problem).split())}")
    return Finding(what, f"{file.address}, {size / 1e6:,.1f} MB")


def _silence(url: str) -> str | None:
    """Why a database server cannot be reached; None where its port answers or the URL names none."""
    found = _ADDRESS.search(url)
    if found is None:
        return None
    advice = "start the database, or correct reference.url"
    return _no_answer(found["host"].strip("[]"), int(found["port"]), advice)


def _no_answer(host: str, port: int, advice: str) -> str | None:
    try:
        socket.create_connection((host, port), timeout=SECONDS).close()
    except (OSError, OverflowError) as problem:
        why = getattr(problem, "strerror", None) or problem
        return f"{host}:{port} does not answer ({why}): {advice}"
    return None
