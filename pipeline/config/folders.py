"""Folders and URIs of a configuration: which lie one in the other, and which are in a volume of Databricks."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

# A volume is /Volumes/CATALOG/SCHEMA/NAME to Python and SQL, and dbfs:/Volumes/… in what Spark reports.
ON_DATABRICKS = "DATABRICKS_RUNTIME_VERSION"
VOLUMES = "/Volumes/"
SPARKS_SCHEME = "dbfs:"


def is_volume(path: str) -> bool:
    """Whether a folder lies in a volume of Databricks; on other machines /Volumes is a folder like any other."""
    return ON_DATABRICKS in os.environ and os.path.abspath(path).startswith(VOLUMES)  # noqa: PTH100 - it may hold `..`


def as_opened(path: str) -> str:
    """The path; ValueError if it is Spark's name of a folder that Python opens under another."""
    if path.startswith(SPARKS_SCHEME):
        below = "/" + path.removeprefix(SPARKS_SCHEME).lstrip("/")
        opened = below if below.startswith(VOLUMES) else "/dbfs" + below
        message = f"{path!r} is how Spark names it: write it as Python opens it, {opened!r}"
        raise ValueError(message)
    return path


def lie_one_in_the_other(one: str, other: str) -> bool:
    """Whether two folders are the same or one is inside the other; on this machine links are followed."""
    here, there = (_folder(path) or _of_store(path) for path in (one, other))
    if isinstance(here, Path) != isinstance(there, Path):
        return False
    return here.is_relative_to(there) or there.is_relative_to(here)


def _of_store(uri: str) -> PurePosixPath:
    """A folder of an object store: the scheme is its first part, so that folders of two stores always differ."""
    parts = urlsplit(uri)
    return PurePosixPath("/", parts.scheme.replace("s3a", "s3"), parts.netloc, unquote(parts.path).strip("/"))


def _folder(path: str) -> Path | None:
    if path.startswith("file://"):
        path = unquote(urlsplit(path).path)
    # Not Path.resolve(), which fails at a link that leads to itself.
    return None if "://" in path else Path(os.path.realpath(path))
