"""`guess FILE`: a `[[feeds]]` entry for a file of an unknown supplier, and what the file cannot say. No JVM."""

from __future__ import annotations

import json
import textwrap
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pydantic import ValidationError

from pipeline.config.feeds import Feed
from pipeline.errors import FileError, MissingPackageError, printable

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.guess.entry import Entry

WIDTH = 78


def run(file: Path, name: str | None, *, as_json: bool) -> None:
    """Print the entry: as TOML with comments, or as JSON."""
    entry = guessed(file, name)
    if as_json:
        notes = [{"key": note.key, "says": note.says, "certain": note.is_certain} for note in entry.notes]
        facts = {"file": str(file), "feed": entry.values(), "notes": notes, "toml": entry.toml()}
        print(json.dumps(facts, ensure_ascii=False))
        return
    print(heading(file, entry), entry.toml(), sep="\n", end="")


def heading(file: Path, entry: Entry, *, is_placed: bool = False) -> str:
    """Comments for the top of an entry: where it comes from, how much is to be looked at, and what comes next.

    `is_placed` where a configuration holds it already.
    """
    unsure = sum(not note.is_certain for note in entry.notes)
    lines = {0: "nothing to CHECK", 1: "one line to CHECK"}.get(unsure, f"{unsure} lines to CHECK")
    about = textwrap.wrap(printable(f"A guess from {file.name}, with {lines}."), WIDTH, break_on_hyphens=False)
    about += ["Then:" if is_placed else "Put it into the configuration, then:"]
    about += [f"  main.py try FILE --feed {entry.feed['name']}"]
    return "\n".join(f"# {line}" for line in about)


def guessed(file: Path, name: str | None) -> Entry:
    """The entry, as the configuration accepts it; FileError where none can be guessed."""
    if find_spec("duckdb") is None:
        raise MissingPackageError("duckdb")
    from pipeline.guess import guessing  # noqa: PLC0415 - after the check above
    from pipeline.guess.csv_entry import UnknownFileError  # noqa: PLC0415

    try:
        entry = guessing.guess(file, name)
        Feed(**entry.values())
    except UnknownFileError as problem:
        raise FileError(str(file), f"no feed can be guessed from it: {problem}") from None
    except OSError as problem:
        raise FileError(str(file), f"cannot be read: {problem.strerror or problem}") from None
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise FileError(str(file), f"no feed can be guessed from it: {where}: {first['msg']}") from None
    return entry
