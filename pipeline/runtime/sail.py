"""Sail (pysail, experimental): an engine without a JVM. Its server of Spark Connect runs in this very process.

It reads no table and writes none: the driver hands it rows and takes its answers (pipeline/lake/path).
"""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigurationError, LakeError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


# The version whose answers were compared with Spark's; another one may answer differently.
VERSION = "0.7.2"
# Its log goes to standard error.
LOG_LEVEL = "RUST_LOG"
_servers: list[Any] = []
_folders: list[tempfile.TemporaryDirectory[str]] = []


def is_used() -> bool:
    """Whether this process has a server of Sail."""
    return bool(_servers)


def version() -> str:
    """The version of pysail that is installed; ConfigurationError for none, or one whose answers are not known."""
    from importlib import metadata  # noqa: PLC0415 - takes tenths of a second

    try:
        found = metadata.version("pysail")
    except metadata.PackageNotFoundError:
        raise ConfigurationError("engine", "sail is not installed: pip install 'meterlake[sail]'") from None
    if found != VERSION:
        raise ConfigurationError(
            "engine", f"sail needs pysail {VERSION}, this is {found}: pip install 'meterlake[sail]'"
        )
    return found


def opened() -> SparkSession:
    """A session on a server of this process, on a free port of loopback; the server is started with the first one."""
    version()
    os.environ.setdefault(LOG_LEVEL, "off")
    try:
        from pysail.spark import SparkConnectServer  # noqa: PLC0415 - an extra, for those who ask for it
        from pyspark.sql import SparkSession  # noqa: PLC0415

        if not _servers:
            server = SparkConnectServer("127.0.0.1", 0)
            server.start(background=True)
            _servers.append(server)
        host, port = _servers[0].listening_address
        session: SparkSession = SparkSession.builder.remote(f"sc://{host}:{port}").create()
    except ImportError as problem:
        said = f"sail lacks a package ({str(problem).splitlines()[0]}): pip install 'meterlake[sail]'"
        raise ConfigurationError("engine", said) from None
    except (OSError, RuntimeError) as problem:
        raise LakeError("session", f"Sail did not start: {str(problem).splitlines()[0]}") from problem
    return session


def scratch_file() -> Path:
    """A name for a file that the engine reads, in a folder of this process; see `tidy`."""
    if not _folders:
        _folders.append(tempfile.TemporaryDirectory(prefix="meterlake_sail_"))
    return Path(_folders[0].name, f"{uuid.uuid4().hex}.parquet")


def tidy() -> None:
    """Remove the files that the engine was given: nothing that was asked of it is still to be answered."""
    while _folders:
        _folders.pop().cleanup()


def end(session: SparkSession) -> None:
    """End the session and its server."""
    with suppress(Exception):
        session.stop()
    finish()


def finish() -> None:
    """End the server, and remove what it was given."""
    tidy()
    while _servers:
        _servers.pop().stop()
