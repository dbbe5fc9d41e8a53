"""One writer at a time on a lake in a folder: a lock of the operating system on a file in it.

The kernel releases the lock when its holder dies, so there is never a stale lock: what a dead run left in the file only
says which run it was. The file is cleared on every normal exit. The JVM inherits the lock: a run that was killed while
Spark was working ends when that JVM ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import BusyLakeError, LakeError
from pipeline.runtime import error_messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.runtime.context import Context

FILE = "_meterlake.lock"
LOOK_AGAIN_SECONDS = 0.2


@contextmanager
def held(context: Context, command: str, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the lake, waiting up to so many seconds for another run; only a lake in a local folder has a lock."""
    if not has_lock(context):
        yield
        return
    path = Path(context.settings.root) / FILE
    file = opened(context) if context.lock_file is None else context.lock_file
    try:
        # A run that is turned away does not change what the holder wrote.
        context.is_alone = _take(context, file, path, wait_seconds)
        with _named_in(file, path, context, command):
            yield
    finally:
        context.lock, context.is_alone = None, False
        # By the name in the file, because a JVM of ours that is still alive holds the same lock.
        fcntl.flock(file, fcntl.LOCK_UN)
        if file != context.lock_file:
            os.close(file)


@contextmanager
def _named_in(file: int, path: Path, context: Context, command: str) -> Iterator[None]:
    """Write the holder's name into the file. It is cleared on every normal exit; only a killed run's name stays."""
    if before := _holder(path):
        context.log.warning("a run before this one was killed", **before)
    _write(file, {"run_id": context.run_id, "command": command, "process": os.getpid(), "host": socket.gethostname()})
    context.lock = file
    try:
        yield
    except Exception:
        _write(file, None)
        raise
    _write(file, None)


def opened(context: Context) -> int:
    """Open the lock file of a lake in a folder, without locking it."""
    path = Path(context.settings.root) / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as problem:
        said = error_messages.in_words(problem) or problem.strerror
        raise LakeError(str(path.parent), f"cannot be written: {said}") from None


def has_lock(context: Context) -> bool:
    """Whether the lake is a folder of this machine."""
    return context.settings.is_in_a_folder


def _take(context: Context, file: int, path: Path, wait_seconds: float) -> bool:
    """Take the lock; False if the file system has no locks."""
    deadline = time.monotonic() + wait_seconds
    reported = False
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(path)
            if time.monotonic() >= deadline:
                raise BusyLakeError(str(path.parent), _named(holder)) from None
            if not reported:
                context.log.info("waiting for another run", seconds=wait_seconds, **holder)
                context.log.doing("Waiting for another run on this lake")
                reported = True
            time.sleep(LOOK_AGAIN_SECONDS)
        except OSError as problem:
            context.log.warning("no lock on this file system", error=problem.strerror)
            return False
        else:
            return True


def _holder(path: Path) -> dict[str, Any]:
    """The holder according to the file; {} if there is none, or if it is just being written."""
    try:
        said = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {f"holder_{name}": value for name, value in said.items()} if isinstance(said, dict) else {}


def _named(holder: dict[str, Any]) -> str:
    if not holder:
        return "another run"
    named = {name.removeprefix("holder_"): value for name, value in holder.items()}
    return "`{command}` (run {run_id}, process {process} on {host})".format_map(
        dict.fromkeys(("command", "run_id", "process", "host"), "?") | named
    )


def _write(file: int, holder: dict[str, Any] | None) -> None:
    os.ftruncate(file, 0)
    if holder:
        os.pwrite(file, json.dumps(holder).encode(), 0)
