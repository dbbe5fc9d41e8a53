"""The objects below a prefix of an object store."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pyarrow import fs

from pipeline.deliveries import dated_folders
from pipeline.deliveries.local_files import Seen
from pipeline.lake import stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date


def listed(system: fs.FileSystem, folder: str, since: date | None = None) -> Iterator[tuple[str, Seen]]:
    """Relative paths of all objects, with their sizes and times; not in folders whose names are of days before."""
    infos = list(_objects(system, folder, since))
    # Some tools make a folder by writing an empty object with its name: that is not a file.
    folders = {str(parent) for info in infos for parent in PurePosixPath(info.path).parents} | {folder}
    for info in infos:
        if info.type != fs.FileType.Directory and (info.size or info.path.rstrip("/") not in folders):
            yield info.path[len(folder) :].lstrip("/"), Seen(info.size, (info.mtime_ns or 0) // 1000)


def _objects(system: fs.FileSystem, folder: str, since: date | None, inside: str = "") -> Iterator[fs.FileInfo]:
    """All below the folder; with `since` a level at a time, down to folders of a day, to pass over older ones."""
    where = stores.inside(folder, inside) if inside else folder
    if since is None or dated_folders.is_of_a_day(inside):
        yield from system.get_file_info(fs.FileSelector(where, recursive=True))
        return
    for info in system.get_file_info(fs.FileSelector(where)):
        yield info
        below = info.path[len(folder) :].strip("/")
        if info.type == fs.FileType.Directory and not dated_folders.is_before(below, since):
            yield from _objects(system, folder, since, below)
