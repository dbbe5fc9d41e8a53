"""A separate process: main.py, where /Volumes refuses what volumes of Databricks refuse of files.

These take a file that is written from its beginning to its end, and renames; not appends, writes at a place, or links.
"""

from __future__ import annotations

import errno
import os
import runpy
import sys
from pathlib import Path
from typing import Any

VOLUMES = "/Volumes/"
ROOT = Path(__file__).parents[2]


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: what it raises is what the call ends with."""
    if event not in {"open", "os.link", "os.symlink", "sqlite3.connect"}:
        return
    paths = [os.fsdecode(each) for each in arguments[:2] if isinstance(each, (str, bytes, os.PathLike))]
    if not any(path.startswith(VOLUMES) for path in paths):
        return
    if event == "open":
        flags = int(arguments[2])
        writes = flags & os.O_ACCMODE != os.O_RDONLY
        whole = flags & os.O_ACCMODE == os.O_WRONLY and flags & (os.O_TRUNC | os.O_EXCL) and not flags & os.O_APPEND
        if not writes or whole:
            return
    raise OSError(errno.EOPNOTSUPP, f"a volume does not do this: {event} {arguments}")


if __name__ == "__main__":
    sys.addaudithook(refuse)
    sys.path.insert(0, str(ROOT))
    runpy.run_path(str(ROOT / "main.py"), run_name="__main__")
