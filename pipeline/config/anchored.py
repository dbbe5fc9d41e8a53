"""Relative paths of a configuration that was found above the working folder: they are relative to its own folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pipeline.config.reference import SQLITE
from pipeline.config.values import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEFAULT_LAKE = "data_lake"
# Table or list of tables -> its keys that are paths of this machine.
PATHS = {"feeds": ("path", "acknowledge", "archive"), "metrics": ("textfile",), "reference": ("url",)}


def anchored(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The values of a file with the relative paths in them below the folder; what is no path is left to be refused."""
    found = dict(values)
    if not {"lake", "catalog"} & found.keys() and f"{ENVIRONMENT_PREFIX}CATALOG" not in os.environ:
        found["lake"] = DEFAULT_LAKE
    if "lake" in found:
        found["lake"] = _below(found["lake"], folder)
    for name, keys in PATHS.items():
        part = found.get(name)
        if isinstance(part, dict):
            found[name] = _table(part, keys, folder)
        elif isinstance(part, list):
            found[name] = [_table(each, keys, folder) if isinstance(each, dict) else each for each in part]
    return found


def _table(given: Mapping[str, Any], keys: tuple[str, ...], folder: Path) -> dict[str, Any]:
    return {key: _below(value, folder) if key in keys else value for key, value in given.items()}


def _below(value: object, folder: Path) -> object:
    """The path below the folder; URIs, names of Spark's, other databases and absolute paths as they are."""
    if not isinstance(value, str) or not value:
        return value
    before = SQLITE if value.startswith(SQLITE) else ""
    path = value.removeprefix(before)
    return value if ":" in path.partition("/")[0] else before + str(folder / path)
