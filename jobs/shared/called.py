"""Commands in what is said to a person, written as that person started the program, so that they can be copied."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

SCRIPT, INSTALLED = "main.py", "meterlake"
_COMMAND = re.compile(rf"(?<![\w./]){re.escape(SCRIPT)}(?= [a-z-])")
_CONFIG = "--config"


def as_typed(said: str) -> str:
    """The words with `main.py` written as it was typed: `meterlake`, or `.venv/bin/python main.py`."""
    return _COMMAND.sub(lambda _: _program(), said)


def to_copy(command: str) -> str:
    """A whole command as it would be typed here, with the configuration that this one was given."""
    given = _configuration(sys.argv[1:])
    return as_typed(command) + (f" {_CONFIG} {shlex.quote(given)}" if given else "")


def _program() -> str:
    called = Path(sys.argv[0]).name
    if called == INSTALLED:
        return INSTALLED
    # Not by spark-submit, a test or `python -m`, whose first words are no command that can be typed again.
    if called == SCRIPT and sys.orig_argv[1:2] == sys.argv[:1]:
        return shlex.join(sys.orig_argv[:2])
    return SCRIPT


def _configuration(arguments: list[str]) -> str | None:
    """The last --config of the command line."""
    given = None
    for before, word in zip(["", *arguments], arguments, strict=False):
        if word.startswith(f"{_CONFIG}="):
            given = word.partition("=")[2]
        elif before == _CONFIG:
            given = word
    return given
