"""Named places where a test kills or stops a run: before and after every commit and every move of a file.

METERLAKE_FAILPOINT says what happens where: `kill:NAME` ends the process as a power cut would, `raise:NAME` raises
Killed, `stop:NAME` stops the process until SIGCONT, `list:FILE` writes the names that are passed to a file. `NAME#2` is
the second time that the name is passed. Without the variable, a place costs one look at the environment.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "METERLAKE_FAILPOINT"
_passed: Counter[str] = Counter()


class Killed(BaseException):
    """A run ends here, as if killed; only a test catches it."""


@contextmanager
def around(step: str) -> Iterator[None]:
    """The places before and after a step that changes the lake or a folder."""
    reached(f"before {step}")
    yield
    reached(f"after {step}")


def reached(name: str) -> None:
    """Called when a run passes this place."""
    if wanted := os.environ.get(VARIABLE):
        _passed[name] += 1
        number = _passed[name]
        _act(wanted, name if number == 1 else f"{name}#{number}")


def forget() -> None:
    """Start counting again: another run begins in this process."""
    _passed.clear()


def _act(wanted: str, place: str) -> None:
    action, _, argument = wanted.partition(":")
    if action == "list":
        with Path(argument).open("a") as names:
            names.write(place + "\n")
    elif argument == place and action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif argument == place and action == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif argument == place:
        raise Killed(place)
