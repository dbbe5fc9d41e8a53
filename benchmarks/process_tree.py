"""Run a command and measure its whole process tree: wall clock, CPU seconds, peak memory. Linux only.

PySpark starts the JVM as a child that Python does not wait for: if Python ends first, the ordinary `times` of
a parent miss the JVM's CPU seconds. This process makes itself the sub-reaper, so that every orphan of the
command becomes its own child and is waited for: each process is counted once, by its parent or by this one.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

PR_SET_CHILD_SUBREAPER = 36
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
POLL_S, SAMPLE_S, LINGER_S = 0.01, 0.2, 60.0


class Measured(NamedTuple):
    """The figures of one command."""

    exit_code: int
    wall_s: float
    """From the start to the end of the command itself: what a user waits for."""
    linger_s: float
    """From then to the end of its last descendant."""
    cpu_s: float
    """User and system time of the whole tree, to the end of the last descendant."""
    peak_mb: float
    """Highest sum of the tree's resident memory, in 10^6 bytes; pages that processes share count in each."""


def run_measured(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Measured:
    """Run `command` in `folder`, with its output in `log`, until it and all its descendants have ended."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this process cannot become a sub-reaper (Linux only)")
    with log.open("wb") as output:
        started = time.monotonic()
        command_process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        return _wait_for_all(command_process, started)
    finally:
        for pid, _ in _descendants(os.getpid()):  # none, unless interrupted or lingering
            os.kill(pid, signal.SIGKILL)


def _wait_for_all(command: "subprocess.Popen[bytes]", started: float) -> Measured:
    cpu_s = wall_s = sampled = 0.0
    peak_bytes = 0
    while True:
        now = time.monotonic() - started
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return Measured(command.returncode, wall_s, now - wall_s, cpu_s, peak_bytes / 1e6)
        if pid:
            cpu_s += usage.ru_utime + usage.ru_stime  # its own and that of the children it waited for
            if pid == command.pid:
                wall_s, command.returncode = now, os.waitstatus_to_exitcode(status)
            continue
        if wall_s and now > wall_s + LINGER_S:
            left = _descendants(os.getpid())
            raise TimeoutError(f"the command ended {LINGER_S:.0f} s ago and left (pid, bytes) behind: {left}")
        if now >= sampled + SAMPLE_S:
            sampled = now
            peak_bytes = max(peak_bytes, sum(rss for _, rss in _descendants(os.getpid())))
        time.sleep(POLL_S)


def _descendants(root: int) -> list[tuple[int, int]]:
    """Process id and resident bytes of every process below `root`."""
    children: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for parent, pid, rss in _processes():
        children[parent].append((pid, rss))
    found: list[tuple[int, int]] = []
    below = [root]
    while below:
        of_one = children[below.pop()]
        found += of_one
        below += [pid for pid, _ in of_one]
    return found


def _processes() -> Iterator[tuple[int, int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # ended meanwhile
        fields = stat[stat.rindex(")") + 2 :].split()  # the name before may hold blanks and brackets
        yield int(fields[1]), int(folder.name), int(fields[21]) * PAGE_BYTES
