"""What was looked at, and what is wrong with it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Finding(NamedTuple):
    """A thing that the configuration names; `problem` says what is wrong and what to do, None where nothing is."""

    what: str
    says: str
    problem: str | None = None


def as_far_as_it_is(path: str | Path) -> Path:
    """The path, or the nearest folder above it that exists."""
    found = Path(path).absolute()
    while not os.path.exists(found) and found != found.parent:  # noqa: PTH110 - False where it may not be looked at
        found = found.parent
    return found


def objection_to_writing(folder: str | Path) -> str | None:
    """Why a folder of this machine cannot be written or made; None if it can. Nothing is written."""
    found = as_far_as_it_is(folder)
    if not found.is_dir():
        return f"{found} is a file, not a folder"
    if not os.access(found, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        return f"{found} cannot be written: grant permission, or name another folder"
    return None
