"""The entries of a local folder: files, and what only looks like one. Links may not lead out of the folder."""

from __future__ import annotations

import errno
import os
import stat
from array import array
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pipeline.deliveries import dated_folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

EPOCH = datetime.fromtimestamp(0, UTC)
READ_BY_ALL = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
# A regular file that everybody may read, among these bits of its mode: of it nothing else is asked.
PLAIN = stat.S_IFREG | READ_BY_ALL
LOOKED_AT = stat.S_IFMT(0o177777) | READ_BY_ALL
SECOND = 1_000_000
BY_EFFECTIVE_IDS = os.access in os.supports_effective_ids


class Seen(NamedTuple):
    """What the file system says about an entry; `objection` is why it may not or cannot be read."""

    size: int | None
    # Microseconds since 1970.
    moment: int | None
    objection: str | None = None

    @property
    def modified(self) -> datetime | None:
        """The same as an instant."""
        return None if self.moment is None else EPOCH + timedelta(microseconds=self.moment)

    def to_the_second(self) -> Seen:
        """The same, its time without fractions."""
        return self._replace(moment=None if self.moment is None else self.moment // SECOND * SECOND)


class Entries:
    """Entries of a folder as columns: of hundreds of thousands of files, an object each would take most of the time.

    `odd`: place -> what is seen, of entries without a size or with an objection; in the columns they are 0.
    """

    def __init__(self, found: Iterable[tuple[str, Seen]] = ()) -> None:
        self.paths: list[str] = []
        self.sizes, self.moments = array("q"), array("q")
        self.odd: dict[int, Seen] = {}
        for path, seen in found:
            self.add(path, seen)

    def add(self, path: str, seen: Seen) -> None:
        """One more entry."""
        size, moment, objection = seen
        if size is None or moment is None or objection is not None:
            self.odd[len(self.paths)] = seen
            size = moment = 0
        self.paths.append(path)
        self.sizes.append(size)
        self.moments.append(moment)

    def seen(self, place: int) -> Seen:
        """What is seen of the entry at that place."""
        return self.odd.get(place) or Seen(self.sizes[place], self.moments[place])

    def in_order(self, is_wanted: Callable[[str], bool]) -> Entries:
        """Those whose paths are wanted, in the order of paths."""
        places = [place for place, path in enumerate(self.paths) if is_wanted(path)]
        places.sort(key=self.paths.__getitem__)
        found = Entries()
        found.paths = [self.paths[place] for place in places]
        found.sizes = array("q", [self.sizes[place] for place in places])
        found.moments = array("q", [self.moments[place] for place in places])
        if self.odd:
            found.odd = {new: self.odd[place] for new, place in enumerate(places) if place in self.odd}
        return found


def listed(folder: str, since: date | None = None) -> Entries:
    r"""Relative paths of everything but folders (but also links to folders and unreadable folders), with their facts.

    Not pyarrow's listing, which leaves out broken links and stops at a name that is not UTF-8. Such a name is given
    with its odd bytes as `\xff`, and refused under that name. Folders of days before `since` are passed over.
    """
    unlisted: list[OSError] = []
    found = Entries()
    # A link to a folder is not followed: it could lead anywhere, or in a circle.
    for parent, folders, names in os.walk(folder, onerror=unlisted.append):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]  # noqa: PTH114, PTH118
        # Of hundreds of thousands of files each call counts: what is the same for a folder is done once.
        inside = os.path.join(parent, "")  # noqa: PTH118
        below = "" if parent == folder else os.path.join(os.path.relpath(parent, folder), "")  # noqa: PTH118
        if since is not None:
            folders[:] = [name for name in folders if not dated_folders.is_before(below + name, since)]
        for name in [*names, *links]:
            relative = below + name
            if not relative.isascii():
                relative = relative.encode("utf-8", "backslashreplace").decode()
            # Not a Path: a name may hold bytes that it would have to encode.
            path = inside + name
            try:
                entry = os.lstat(path)
            except OSError:
                found.add(relative, seen(path, folder))
                continue
            if entry.st_mode & LOOKED_AT == PLAIN:  # so is nearly every one
                found.paths.append(relative)
                found.sizes.append(entry.st_size)
                found.moments.append(entry.st_mtime_ns // 1000)
            else:
                found.add(relative, seen(path, folder))
    for problem in unlisted:
        relative = os.path.relpath(str(problem.filename), folder)
        if relative == ".":
            raise problem
        found.add(relative, Seen(None, None, f"a folder that cannot be listed: {problem.strerror}"))
    return found


def seen(path: str, folder: str) -> Seen:
    """What a local entry is. A link may only lead to a file in the same landing folder.

    For a link that leads elsewhere, the time is the link's own: nothing outside is looked at, and a new link to
    another place is another delivery.
    """
    try:
        entry = os.lstat(path)
        if stat.S_ISLNK(entry.st_mode):
            made, leads_to = entry.st_mtime_ns // 1000, os.path.realpath(path)
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
    modified = entry.st_mtime_ns // 1000
    # The system is not asked again about a file that everybody may read.
    if entry.st_mode & READ_BY_ALL != READ_BY_ALL and not os.access(path, os.R_OK, effective_ids=BY_EFFECTIVE_IDS):
        return Seen(entry.st_size, modified, f"cannot be read: {os.strerror(errno.EACCES)}")
    return Seen(entry.st_size, modified)


def moment(at: datetime | None) -> int | None:
    """An instant as microseconds since 1970."""
    return None if at is None else (at - EPOCH) // timedelta(microseconds=1)


def instant(nanoseconds: int) -> datetime:
    """A UTC instant from nanoseconds since 1970, cut to microseconds."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)
