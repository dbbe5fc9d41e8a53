"""Which configuration a command uses."""

from __future__ import annotations

import os
from pathlib import Path

NAME = "meterlake.toml"
USUAL = Path("conf/local.toml")
ROOT_USER = 0


def of_here() -> tuple[Path, Path | None]:
    """(the nearest meterlake.toml from here upwards, else conf/local.toml; what its paths are relative to).

    None is the working folder. Above it only a file of this user or of root is taken: in a shared folder such as /tmp
    anybody could lay one down.
    """
    if Path(NAME).is_file():
        return Path(NAME), None
    for folder in Path.cwd().parents:
        try:
            owner = (folder / NAME).stat().st_uid
        except OSError:  # not there, or not to be looked at
            continue
        if owner in {os.geteuid(), ROOT_USER} and (folder / NAME).is_file():
            return folder / NAME, folder
    return USUAL, None


def feeds(config: Path | None) -> list[str]:
    """Names of the feeds in a configuration, for a shell's completion: read, not checked; none if it is unreadable."""
    import tomllib

    try:
        found = tomllib.loads((config or of_here()[0]).read_text(encoding="utf-8-sig")).get("feeds", [])
        return [each["name"] for each in found if isinstance(each["name"], str)]
    except (OSError, ValueError, LookupError, TypeError):
        return []
