"""Local folders and object stores, through one client: delta-rs's own.

What a cloud needs (credentials, region, endpoint) is set once for tables and deliveries, in the environment variables
of its own tools (AWS_…, GOOGLE_…, AZURE_…).
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake.exceptions import DeltaError
from deltalake.fs import DeltaStorageHandler
from pyarrow import fs

from pipeline.config.folders import SPARKS_SCHEME, is_volume

_UNCHECKED = {"fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem", "fs.file.impl.disable.cache": "true"}


class _Written:
    """The client's file for writing: it accepts only bytes, and pyarrow has buffers."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - the client's class has no public name
        self._file = file

    def write(self, data: bytes | memoryview | pa.Buffer) -> int:
        """Write all of it."""
        self._file.write(bytes(data))
        return memoryview(data).nbytes

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - close, flush and the like, unchanged
        return getattr(self._file, name)


class _Store(DeltaStorageHandler):
    """The client, with what it lacks and pyarrow and we need.

    `_handler` is the client's own name for what opens files, pinned with the client: without this no table can be made
    in an object store (its checksum file is a buffer). tests/cluster makes lakes on one.
    """

    def open_output_stream(self, path: str, metadata: dict[str, str] | None = None) -> pa.PythonFile:
        """A file to write; it appears when it is closed."""
        return pa.PythonFile(_Written(self._handler.open_output_stream(path, metadata)), "wb")

    def delete_dir(self, path: str) -> None:
        """Delete everything below the path; a store has no real folders."""
        found = self.get_file_info_selector(fs.FileSelector(path, recursive=True))
        for entry in found:
            if entry.type == fs.FileType.File:
                self.delete_file(entry.path)


def is_remote(path: str) -> bool:
    """Whether the path is a URI of an object store, not a folder of this machine."""
    return "://" in path


def as_the_driver_names(location: str) -> str:
    """A table's location as Spark tells it (`file:/folder`, or a URI), as path or URI for delta-rs."""
    return re.sub(r"^file:/+", "/", location)


def opened(path: str) -> tuple[fs.FileSystem, str]:
    """The file system of a folder or URI, and the folder's path in it ("" in a store); raises OSError."""
    if not is_remote(path):
        return fs.LocalFileSystem(), str(Path(path).absolute())
    try:
        return fs.PyFileSystem(_Store(path)), ""
    except DeltaError as problem:
        raise OSError(str(problem)) from None


def inside(folder: str, relative: str) -> str:
    """A path below the folder that `opened` gave."""
    return f"{folder}/{relative}" if folder else relative


def spark_name(path: str) -> str:
    """A path or URI as Spark reports it, undecoded: `file:/folder/name`, in a volume `dbfs:/Volumes/…`."""
    if is_remote(path):
        return path
    absolute = str(Path(path).absolute())
    return (SPARKS_SCHEME if is_volume(absolute) else "file:") + absolute


def sync_folder(folder: Path) -> None:
    """Make a rename in a local folder durable; a mounted store or volume may have no such operation."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as problem:
        if problem.errno not in {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}:
            raise
    finally:
        os.close(number)


def unchecked(paths: list[str]) -> dict[str, str]:
    """Options for a Spark reader, so that it takes the bytes of local files as they are.

    Hadoop's own local file system checks them against a `.NAME.crc` beside them, and a stale one ends the job. There
    are none for files in a store: its client would keep the options and later fail when it stages a write locally.
    """
    is_local = all(path.startswith(("file:", "/")) for path in paths)
    return dict(_UNCHECKED) if is_local else {}


def as_pattern(path: str) -> str:
    """The path as a pattern that matches only itself: Spark treats every path as a pattern."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)
