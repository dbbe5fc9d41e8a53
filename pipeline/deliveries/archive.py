"""The archive of a feed: where its files go once they are decided and in silver. Nothing is ever deleted or replaced.

A file goes there in two moves, each atomic: first to `.moving/<file_id>` in the archive, where no sender writes, then,
if it still is what the log knows by that number, to its own path. Where that is taken (the path was delivered again),
it goes to `_again/<file_id>`. What a killed run left in `.moving` is brought to its end by the next one. A file that
its sender replaced at that very moment goes back to where it came from.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.deliveries import landing, local_files
from pipeline.errors import ArchiveError
from pipeline.runtime import failpoints

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

MOVING, AGAIN = ".moving", "_again"
ELSEWHERE = "it is on another file system than the landing folder, where a move is not one step: name one beside it"


@dataclass
class Moved:
    """How many files went to a feed's archive, and which were replaced at that moment and went back."""

    archived: int = 0
    put_back: list[str] = field(default_factory=list)
    # Folders that are there: they are made once, not for each of very many files.
    made: set[str] = field(default_factory=set)


def left_over(feed: Feed) -> list[int]:
    """The file_ids of deliveries that a killed run left between their two moves."""
    moving = Path(f"{feed.archive}/{MOVING}")
    with _in_words(feed):
        return sorted(int(each.name) for each in moving.iterdir() if each.name.isdecimal()) if moving.is_dir() else []


def finish(feed: Feed, known: Iterable[Delivery], moved: Moved) -> None:
    """The second move of what a killed run left; `known` are the deliveries of `left_over`."""
    for delivery in known:
        with _in_words(feed):
            _settle(feed, delivery, moved)


def keep(feed: Feed, decided: Iterable[Delivery], moved: Moved) -> None:
    """Move the files of these deliveries from the landing folder to the archive. Links stay where they are."""
    for delivery in decided:
        source = f"{feed.path.rstrip('/')}/{delivery.relative_path}"
        with _in_words(feed), suppress(FileNotFoundError):  # its sender took it back
            if os.path.islink(source):  # noqa: PTH114 - of very many files
                continue
            _make(f"{feed.archive}/{MOVING}", moved)
            with failpoints.around(f"stage {feed.name}"):
                os.rename(source, _stage(feed, delivery))  # noqa: PTH104 - of very many files
            _settle(feed, delivery, moved)


def _settle(feed: Feed, delivery: Delivery, moved: Moved) -> None:
    """The second move: to the archive if the file is the delivery, else back, so that the next run looks at it."""
    stage = _stage(feed, delivery)
    entry = os.lstat(stage)
    if (entry.st_size, entry.st_mtime_ns // 1000) == (delivery.size_bytes, local_files.moment(delivery.modified_at)):
        _to_the_archive(feed, delivery, moved)
        moved.archived += 1
        return
    back = f"{feed.path.rstrip('/')}/{delivery.relative_path}"
    moved.put_back.append(back)
    try:
        # Unlike a move, a link replaces nothing: a still newer file may lie there.
        with failpoints.around(f"put back {feed.name}"):
            os.link(stage, back, follow_symlinks=False)
    except FileExistsError:
        _to_the_archive(feed, delivery, moved)
    else:
        os.unlink(stage)  # noqa: PTH108 - the file has its old name again


def _to_the_archive(feed: Feed, delivery: Delivery, moved: Moved) -> None:
    """Only a run that holds the lake writes to the archive: a free path stays free."""
    for place in _places(feed, delivery):
        target = f"{place}/{delivery.relative_path}"
        if os.path.lexists(target):
            continue
        try:
            _make(target.rpartition("/")[0], moved)
        except (FileExistsError, NotADirectoryError):  # a folder has the name of an archived file
            continue
        with failpoints.around(f"archive {feed.name}"):
            os.rename(_stage(feed, delivery), target)  # noqa: PTH104 - of very many files
        return


def _places(feed: Feed, delivery: Delivery) -> Iterator[str]:
    """Folders below which the delivery may lie, in the order in which they are tried; without end."""
    yield str(feed.archive)
    for n in count(1):
        yield f"{feed.archive}/{AGAIN}/{delivery.file_id}" + (f".{n}" if n > 1 else "")


def lies(feed: Feed, delivery: Delivery) -> Iterator[Feed]:
    """The feed with each folder as its path in which a file of the delivery's path lies, the landing folder first.

    Whether it is that delivery its bytes tell: a later one may have the same path.
    """
    if landing.at(feed, delivery.relative_path) is not None:
        yield feed
    for n, place in enumerate(_places(feed, delivery) if feed.archive else ()):
        if n and not Path(place).exists():
            return
        there = feed.model_copy(update={"path": place})
        if landing.at(there, delivery.relative_path) is not None:
            yield there


def where(feed: Feed, delivery: Delivery) -> str:
    """The path of the delivery's file, as its size and time tell; where it was found if it is no longer there."""
    for place in lies(feed, delivery):
        found = landing.at(place, delivery.relative_path)
        if found and (found.size_bytes, found.modified_at) == (delivery.size_bytes, delivery.modified_at):
            return found.file_path
    return delivery.file_path


def _stage(feed: Feed, delivery: Delivery) -> str:
    return f"{feed.archive}/{MOVING}/{delivery.file_id}"


def _make(folder: str, moved: Moved) -> None:
    if folder not in moved.made:
        os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - of very many files
        moved.made.add(folder)


@contextmanager
def _in_words(feed: Feed) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        said = ELSEWHERE if problem.errno == errno.EXDEV else problem.strerror or str(problem)
        raise ArchiveError(feed.name, str(feed.archive), said) from None
