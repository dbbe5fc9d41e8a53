"""Landing folders, the lake, the folders of responses and of metrics, and the disk below them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.checks.finding import Finding, as_far_as_it_is, objection_to_writing
from pipeline.deliveries import landing
from pipeline.deliveries.archive import ELSEWHERE
from pipeline.errors import LakeError, LandingFolderError
from pipeline.lake import access, schema_version, stores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.config.feeds import Feed
    from pipeline.config.settings import Settings
    from pipeline.runtime.context import Context

GIGABYTE = 10**9
# A run keeps the rows of a delivery twice, and the old versions of what it changed.
TIMES_A_DELIVERY = 4


def found(context: Context) -> Iterator[Finding]:
    """All of them; those of an object store are listed, and not written to."""
    settings = context.settings
    waiting = 0
    for feed in settings.feeds:
        finding, size = _landing(feed)
        waiting += size
        yield finding
        if feed.acknowledge:
            problem = objection_to_writing(feed.acknowledge)
            yield Finding(f"feed {feed.name}: acknowledge", feed.acknowledge, problem)
        if feed.archive:
            yield Finding(f"feed {feed.name}: archive", feed.archive, _objection_to_archiving(feed, feed.archive))
    if textfile := settings.metrics.textfile:
        yield Finding("metrics: textfile", textfile, objection_to_writing(Path(textfile).parent))
    yield _lake(context)
    if settings.is_in_a_folder:
        yield _disk(settings, waiting)


def _landing(feed: Feed) -> tuple[Finding, int]:
    """The feed's folder, and the bytes of the files in it."""
    what = f"feed {feed.name}: folder"
    try:
        files = landing.find(feed)
    except LandingFolderError as problem:
        return Finding(what, feed.path, f"{feed.path} {str(problem).partition(feed.path)[2].strip()}"), 0
    unreadable = [each for each in files if each.reason_code]
    objection = None
    if unreadable:
        first = unreadable[0]
        objection = f"{len(unreadable)} of {len(files)} files cannot be read: {first.file_path}: {first.reason}"
    elif feed.url and (unwritable := objection_to_writing(feed.path)):
        objection = f"what is fetched cannot be written: {unwritable}"
    return Finding(what, f"{feed.path}, {len(files)} files", objection), sum(each.size_bytes or 0 for each in files)


def _objection_to_archiving(feed: Feed, archive: str) -> str | None:
    """Why files cannot be moved from the feed's folder to its archive; None if they can."""
    if objection := objection_to_writing(archive) or objection_to_writing(feed.path):
        return objection
    one, other = (as_far_as_it_is(path).stat().st_dev for path in (feed.path, archive))
    return None if one == other else ELSEWHERE


def _lake(context: Context) -> Finding:
    settings, what = context.settings, "lake"
    if access.needs_spark(context):
        return Finding(what, f"catalog {settings.where}: asked by the first run, which needs Spark")
    try:
        if settings.is_in_a_folder:
            if objection := objection_to_writing(settings.root):
                return Finding(what, settings.root, objection)
        else:
            system, folder = stores.opened(settings.root)
            system.get_file_info(folder or "/")
        form = schema_version.check(context)
    except LakeError as problem:
        return Finding(what, settings.root, str(problem))
    except OSError as problem:
        return Finding(what, settings.root, f"{settings.root} cannot be opened: {' '.join(str(problem).split())[:300]}")
    state = "no tables yet" if form is None else f"form {form}"
    return Finding(what, f"{settings.root}, {state}")


def _disk(settings: Settings, waiting: int) -> Finding:
    free = shutil.disk_usage(as_far_as_it_is(settings.root)).free
    needed = max(GIGABYTE, TIMES_A_DELIVERY * waiting)
    says = f"{free / GIGABYTE:,.1f} GB free"
    short = f"{says}, and {needed / GIGABYTE:,.1f} GB may be needed: free space, or move the lake"
    return Finding("disk of the lake", says, short if free < needed else None)
