"""Where the artefacts and the tools are that validate them, and how one is asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.runtime import fetch_jars

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "conf" / "deploy"
TOOLS = ROOT / ".venv-deploy" / "bin"
SECONDS = 600
OF_NO_REGISTRY = "it is of no registry that we use"


def needs(program: str, because: str, *, unless: bool = False) -> pytest.MarkDecorator:
    """The mark of tests that are skipped where a program is not on PATH, with the reason.

    What `make test-deploy` makes with that program may be there without it: `unless` says so. Where the program is there
    and what it makes is not, nothing is skipped: the tests fail, since that step of `make test-deploy` failed.
    """
    missing = shutil.which(program) is None and not unless
    return pytest.mark.skipif(missing, reason=f"no {program} on this machine: {because}")


def tool(name: str) -> str:
    """The path of a tool that `make test-deploy` has installed."""
    path = TOOLS / name
    assert path.is_file(), f"no {path}: `make test-deploy` installs it"
    return str(path)


def done(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command, ended, with what it said."""
    settings = {"capture_output": True, "text": True, "timeout": SECONDS} | options
    return subprocess.run([str(part) for part in command], check=False, **settings)


def accepted(*command: str | Path, **options: Any) -> str:
    """The standard output of a command that ended well; a failure with all that it said where it did not."""
    ended = done(*command, **options)
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-4000:]
    return ended.stdout


def asked(script: str, *arguments: str | Path) -> Any:
    """What a script prints as JSON, in the environment of the tools."""
    return json.loads(accepted(tool("python"), "-c", script, *arguments))


def environment(**more: str) -> dict[str, str]:
    """This process's variables without those that would lead a run elsewhere; the JARs are where they are."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYSPARK", "SPARK", "METERLAKE"))}
    return kept | {"METERLAKE_JARS": str(fetch_jars.jar_folder().absolute())} | more


def installed(folder: Path) -> Path:
    """A folder with the command `meterlake`, as an installed wheel has it; its code is this one's."""
    folder.mkdir(parents=True)
    command = folder / "meterlake"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT / "main.py"} "$@"\n')
    command.chmod(0o755)
    return folder
