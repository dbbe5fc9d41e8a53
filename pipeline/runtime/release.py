"""Which release this is: its version and its pins are only in pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

NAME = "meterlake"
ENGINE = {"pyspark": "Spark", "delta-spark": "Delta"}
PROJECT = Path(__file__).parents[2] / "pyproject.toml"
UNKNOWN = "0+unknown"  # for modules that were copied without their metadata


def version() -> str:
    """The version, such as 0.1.0: of this checkout, else of the installed package."""
    return _release()[0]


def in_words() -> str:
    """`meterlake 0.1.0 (Spark 4.2.0, Delta 4.4.0)`; with the installed version too, if it is not the pinned one."""
    number, requirements = _release()
    pins = dict(re.findall(r"^([\w-]+)==([\w.]+)$", "\n".join(requirements), re.MULTILINE))
    return f"{NAME} {number} ({', '.join(_engine(package, pins.get(package)) for package in ENGINE)})"


def _engine(package: str, pinned: str | None) -> str:
    try:
        here = metadata.version(package)
    except metadata.PackageNotFoundError:  # reading needs neither, and a platform may have its own
        here = None
    words = f"{ENGINE[package]} {pinned or here or 'unknown'}"
    return words if pinned is None or here == pinned else f"{words} but {here or 'none'} here"


def _release() -> tuple[str, list[str]]:
    """The version, and what it requires."""
    if PROJECT.is_file():
        project = tomllib.loads(PROJECT.read_text(encoding="utf-8")).get("project", {})
        if project.get("name") == NAME:
            return project["version"], project["dependencies"]
    try:
        return metadata.version(NAME), metadata.requires(NAME) or []
    except metadata.PackageNotFoundError:
        return UNKNOWN, []
