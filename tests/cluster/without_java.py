"""Commands that look at a lake, and `serve`, as processes on a machine without Java."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from tests.cluster.servers import HERE, ROOT, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECONDS = 120
NO_JAVA = {"PATH": "/nowhere", "JAVA_HOME": "/nowhere", "METERLAKE_JARS": "/nowhere"}


def _command(config: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "main.py"), *arguments, "--config", str(config)]


def told(config: Path, *arguments: str, code: int = 0, **more: str) -> str:
    """What a command says as JSON; where it must fail, its last line."""
    done = subprocess.run(
        _command(config, *arguments, "--json"), cwd=config.parent, env=environment(**more) | NO_JAVA,
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr.splitlines()[-1] if code else done.stdout


@contextmanager
def served(config: Path, **more: str) -> Iterator[Callable[[str], Any]]:
    """`serve` on a free port, until the end of the block: a function from an address to the answer's data."""
    process = subprocess.Popen(
        _command(config, "serve", "--port", "0"), cwd=config.parent, env=environment(**more) | NO_JAVA,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def ask(address: str) -> Any:
        with urlopen(f"http://{HERE}:{port}{address}", timeout=SECONDS) as answer:
            return json.load(answer)["data"]

    try:
        banner = process.stdout.readline() if process.stdout else ""
        assert f"http://{HERE}:" in banner, process.communicate(timeout=SECONDS)
        port = banner.split(f"{HERE}:")[1].split("/")[0]
        yield ask
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)
