"""The entries of a local folder: files, and what only looks like one. Links may not lead out of the folder."""

from __future__ import annotations

import errno
import os
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Seen(NamedTuple):
    """What the file system says about an entry; `objection` is why it may not or cannot be read."""

    size: int | None
    modified: datetime | None
    objection: str | None = None

    def to_the_second(self) -> Seen:
        """The same, its time without fractions."""
        return self._replace(modified=self.modified.replace(microsecond=0) if self.modified else None)


def listed(folder: str) -> Iterator[tuple[str, Seen]]:
    r"""Relative paths of everything but folders (but also links to folders and unreadable folders), with their facts.

    Not pyarrow's listing, which leaves out broken links and stops at a name that is not UTF-8. Such a name is given
    with its odd bytes as `\xff`, and refused under that name.
    """
    unlisted: list[OSError] = []
    # A link to a folder is not followed: it could lead anywhere, or in a circle.
    for parent, folders, names in os.walk(folder, onerror=unlisted.append):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]  # noqa: PTH114, PTH118
        for name in [*names, *links]:
            path = os.path.join(parent, name)  # noqa: PTH118 - a name may hold bytes that Path would have to encode
            relative = os.path.relpath(path, folder).encode("utf-8", "backslashreplace").decode()
            yield relative, seen(path, folder)
    for problem in unlisted:
        relative = os.path.relpath(str(problem.filename), folder)
        if relative == ".":
            raise problem
        yield relative, Seen(None, None, f"a folder that cannot be listed: {problem.strerror}")


def seen(path: str, folder: str) -> Seen:
    """What a local entry is. A link may only lead to a file in the same landing folder.

    For a link that leads elsewhere, the time is the link's own: nothing outside is looked at, and a new link to
    another place is another delivery.
    """
    try:
        entry = os.lstat(path)
        if stat.S_ISLNK(entry.st_mode):
            made, leads_to = instant(entry.st_mtime_ns), os.path.realpath(path)
            # Both paths are resolved: the landing folder itself may be a link.
            if not leads_to.startswith(os.path.join(os.path.realpath(folder), "")):  # noqa: PTH118
                return Seen(None, made, f"a link that leads out of the landing folder, to {leads_to}")
            entry = os.stat(path)  # noqa: PTH116
            if stat.S_ISDIR(entry.st_mode):
                return Seen(None, made, f"a link to a folder, {leads_to}: links to folders are not followed")
    except OSError as problem:
        return Seen(None, None, f"cannot be read: {problem.strerror}")
    if not stat.S_ISREG(entry.st_mode):
        return Seen(None, None, "not a file that can be read (a pipe, a socket, a device)")
    modified = instant(entry.st_mtime_ns)
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        return Seen(entry.st_size, modified, f"cannot be read: {os.strerror(errno.EACCES)}")
    return Seen(entry.st_size, modified)


def instant(nanoseconds: int) -> datetime:
    """A UTC instant from nanoseconds since 1970, cut to microseconds."""
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=nanoseconds // 1000)
