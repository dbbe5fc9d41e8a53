"""Folders here and in object stores, by one client: delta-rs's own.

What a cloud wants (credentials, region, endpoint) is said once for tables and deliveries alike, in the environment
variables of its own tools (AWS_…, GOOGLE_…, AZURE_…).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake.exceptions import DeltaError
from deltalake.fs import DeltaStorageHandler
from pyarrow import fs

_UNCHECKED = {"fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem", "fs.file.impl.disable.cache": "true"}


class _Written:
    """The client's file for writing: it takes bytes only, and pyarrow has buffers."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - the client's class has no public name
        self._file = file

    def write(self, data: bytes | memoryview | pa.Buffer) -> int:
        """Write all of it."""
        self._file.write(bytes(data))
        return memoryview(data).nbytes

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - close, flush and the like, as they are
        return getattr(self._file, name)


class _Store(DeltaStorageHandler):
    """The client with what pyarrow and we want of it, and it lacks."""

    def open_output_stream(self, path: str, metadata: dict[str, str] | None = None) -> pa.PythonFile:
        """The file to write; it appears when it is closed."""
        return pa.PythonFile(_Written(self._handler.open_output_stream(path, metadata)), "wb")

    def delete_dir(self, path: str) -> None:
        """Everything below the path; a store has no folders of their own."""
        found = self.get_file_info_selector(fs.FileSelector(path, recursive=True))
        for entry in found:
            if entry.type == fs.FileType.File:
                self.delete_file(entry.path)


def is_remote(path: str) -> bool:
    """Whether the path is a URI of an object store, and not a folder of this machine."""
    return "://" in path


def opened(path: str) -> tuple[fs.FileSystem, str]:
    """The file system of a folder or URI, and the folder's path in it ("" in a store); OSError where that fails."""
    if not is_remote(path):
        return fs.LocalFileSystem(), str(Path(path).absolute())
    try:
        return fs.PyFileSystem(_Store(path)), ""
    except DeltaError as problem:
        raise OSError(str(problem)) from None


def inside(folder: str, relative: str) -> str:
    """A path below the folder that `opened` gave."""
    return f"{folder}/{relative}" if folder else relative


def unchecked(paths: list[str]) -> dict[str, str]:
    """Options of a reader of Spark's, which then takes the bytes of local files as they lie there.

    Hadoop's own local file system checks them against `.NAME.crc` beside them, and a stale one ends the job. None for
    files of a store: its client would keep the options and fail where it stages in a local file what it writes later.
    """
    is_local = all(path.startswith("file:") or "://" not in path for path in paths)
    return dict(_UNCHECKED) if is_local else {}


def as_pattern(path: str) -> str:
    """The path as the pattern that matches it alone: Spark takes every path for a pattern."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)
