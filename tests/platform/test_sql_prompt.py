"""`sql` as a person has it: in a terminal (a pseudo-terminal of 80 columns), and at the end of a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.small_lake import small_lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
# A blank follows it, which may come as a movement of the cursor.
PROMPT = "meterlake>"
COUNT = "SELECT count(*) AS n FROM gold.meter_day;\r"
# What a terminal answers when it is asked where its cursor is.
ASKED, ANSWERED = b"\x1b[6n", b"\x1b[1;1R"
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r")


class Terminal:
    """A process in a pseudo-terminal; `said` is what it has written since it was last asked."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process, self._master, self._said = process, master, b""

    def until(self, text: str, seconds: float = 120) -> str:
        """What was written up to and with the text, without control sequences."""
        last = time.monotonic() + seconds
        while text not in self._plain():
            ready, _, _ = select.select([self._master], [], [], max(0.0, last - time.monotonic()))
            assert ready, f"{text!r} did not come: {self._plain()[-2000:]!r}"
            try:
                new = os.read(self._master, 65536)
            except OSError:  # the process has ended
                new = b""
            assert new, f"the process ended before {text!r}: {self._plain()[-2000:]!r}"
            if ASKED in new:
                os.write(self._master, ANSWERED)
            self._said += new
        found, self._said = self._plain(), b""
        return found

    def type(self, keys: str) -> None:
        """Type keys."""
        os.write(self._master, keys.encode())

    def ask(self, keys: str, answer: str, seconds: float = 120) -> str:
        """Type a query, and give what is written up to the answer and the next prompt."""
        self.type(keys)
        found = self.until(answer, seconds)
        return found if PROMPT in found.rpartition(answer)[2] else found + self.until(PROMPT, seconds)

    def _plain(self) -> str:
        return CONTROLS.sub("", self._said.decode(errors="replace"))


def _as_a_terminal_s() -> None:
    """Ctrl-C is a signal, and is not ignored, as it is in what a shell starts in the background."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def terminal(config: Path, state: Path, *arguments: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    environment |= {"TERM": "xterm-256color", "XDG_STATE_HOME": str(state)}
    command = [sys.executable, str(ROOT / "main.py"), "sql", *arguments, "--config", str(config)]
    process = subprocess.Popen(
        command,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment,
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=_as_a_terminal_s,  # noqa: PLW1509 - Ctrl-C must be a signal
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)
        os.close(master)


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lake")
    small_lake(folder)
    path = folder / "my.toml"
    path.write_text(
        f'lake = "{folder}/lake"\n[[feeds]]\nname = "electricity"\nformat = "split_json"\npath = "{folder}/in"\n'
        'time_zone = "Europe/London"\n'
    )
    return path


def test_a_person_at_a_terminal(config, tmp_path):
    with terminal(config, tmp_path, "--engine", "duckdb") as screen:
        screen.until(PROMPT)
        assert " 3 \n" in screen.ask(COUNT, "(1 row)")
        # Tab, and a second line.
        screen.type("SELECT sum(consumption) AS kwh FROM gold.meter_da")
        screen.until("gold.meter_da")
        screen.type("\t")
        screen.until("y")  # only what is new is written
        assert "1.800001" in screen.ask("\rWHERE true;\r", "(1 row)")
        # Eighty columns are too few for a whole row.
        assert "-[ row 1 ]-" in screen.ask("SELECT * FROM gold.meter_day LIMIT 1;\r", "(1 row)")
        assert "did you mean consumption?" in screen.ask(
            "SELECT consumtion FROM gold.meter_day;\r", "(gold.meter_day has"
        )
        assert "Timing is on." in screen.ask("\\timing\r", "Timing")
        assert "Time: 0." in screen.ask(COUNT, "Time: ")
        # Ctrl-C drops what was typed, Ctrl-D leaves.
        screen.type("SELECT nonsense")
        screen.until("nonsense")
        screen.ask("\x03", PROMPT)
        screen.type("\x04")
        assert screen.process.wait(60) == 0
    with terminal(config, tmp_path, "--engine", "duckdb") as screen:  # what was asked is remembered
        screen.until(PROMPT)
        screen.type("\x1b[A")
        screen.until("gold.meter_day")
        screen.ask("\r", "(1 row)")
        screen.type("\\q\r")
        assert screen.process.wait(60) == 0


def test_a_query_that_takes_long_is_stopped_by_control_c(config, tmp_path):
    with terminal(config, tmp_path, "--engine", "duckdb") as screen:
        screen.until(PROMPT)
        screen.type("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range % 7 = b.range % 11;\r")
        time.sleep(2)
        screen.ask("\x03", "interrupted")
        assert " 3 \n" in screen.ask(COUNT, "(1 row)")


def piped(config, text, *arguments):
    command = [sys.executable, str(ROOT / "main.py"), "sql", *arguments, "--config", str(config)]
    return subprocess.run(command, input=text, text=True, capture_output=True, cwd=ROOT, timeout=600, check=False)


@pytest.mark.parametrize("arguments", [[], ["-"]], ids=["", "-"])
def test_a_pipe_has_no_prompt(config, arguments):
    found = piped(config, "SELECT ';' AS a; SELECT 2 AS b -- c;", *arguments, "--engine", "duckdb", "--format", "csv")
    assert (found.returncode, found.stdout, found.stderr) == (0, "a\n;\nb\n2\n", "")


def test_a_pipe_ends_with_the_first_that_fails(config):
    found = piped(
        config, "SELECT 1 AS a; SELECT b FROM gold.nothing; SELECT 3", "--engine", "duckdb", "--format", "csv"
    )
    assert (found.returncode, found.stdout) == (2, "a\n1\n")
    assert found.stderr.startswith("meterlake: no table 'gold.nothing'")


def test_a_prompt_of_spark_keeps_its_session(tmp_path, config):
    with terminal(config, tmp_path) as screen:
        screen.until(PROMPT)
        screen.ask("\\timing\r", "Timing is on.")
        assert " 3 \n" in screen.ask(COUNT, "Time: ", seconds=600)
        assert " 3 \n" in screen.ask(COUNT, "Time: ", seconds=600)
        assert "did you mean consumption?" in screen.ask(
            "SELECT consumtion FROM gold.meter_day;\r", "has feed", seconds=600
        )
        assert "reads only" in screen.ask("DROP TABLE gold.meter_day;\r", "reads only")
        screen.type("\\q\r")
        assert screen.process.wait(120) == 0
