"""What a run says of itself while it runs: a line at the foot of a terminal, events elsewhere."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import termios
import time
from typing import TYPE_CHECKING, TextIO

import pytest

from pipeline.runtime import log, status_line
from pipeline.runtime.log import Log

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS = 70


class Terminal:
    """A pseudo-terminal of COLUMNS columns."""

    def __init__(self) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
        self.stream: TextIO = os.fdopen(theirs, "w")

    def said(self) -> str:
        """All that was written until now."""
        os.set_blocking(self.ours, False)
        found = b""
        try:
            while chunk := os.read(self.ours, 65536):
                found += chunk
        except BlockingIOError:
            pass
        return found.decode().replace("\r\n", "\n")

    def until(self, word: str, before: str = "") -> str:
        """All that is written until a word comes, for ten seconds at most; `before` was read already."""
        deadline = time.monotonic() + 10
        while word not in before and time.monotonic() < deadline:
            before += self.said()
        return before


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.stream.close()
    os.close(made.ours)


def test_a_terminal_shows_what_is_done_at_once_and_then_the_seconds(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_line, "EVERY_SECONDS", 0.01)
    told = Log("", stream=terminal.stream)
    told.line.detail = lambda: "3 of 24 tasks"
    told.doing("Looking into the landing folders")
    said = terminal.said()  # drawn at once; the first with tasks may stand behind it already
    assert re.match(r"\r\x1b\[K +0 s  Looking into the landing folders …", said)
    said = terminal.until("3 of 24 tasks", before=said)
    assert re.search(r" 0 s  Looking into the landing folders · 3 of 24 tasks …", said)
    told.rest()
    time.sleep(0.05)
    said = terminal.said()
    assert said.endswith(status_line.EMPTIED)
    time.sleep(0.05)
    assert not terminal.said()


def test_other_lines_stand_above_it_and_it_is_never_wider_than_the_terminal(terminal: Terminal) -> None:
    told = Log("", stream=terminal.stream)
    told.doing("Loading " + "very " * 30 + "much")
    told.info("bronze", rows=12)
    told.rest()
    lines = [part for part in terminal.said().replace("\n", status_line.EMPTIED).split(status_line.EMPTIED) if part]
    bare = [re.sub(r"\x1b\[[0-9;]*m", "", part) for part in lines]
    assert [len(bare[0]), len(bare[-1])] == [COLUMNS - 1] * 2
    assert re.fullmatch(r" +0\.\d s  bronze +rows 12", bare[1])


def test_of_a_line_that_is_too_long_the_words_are_cut_and_not_the_tasks(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_line, "EVERY_SECONDS", 0.01)
    told = Log("", stream=terminal.stream)
    told.line.detail = lambda: "3 of 24 tasks"
    told.doing("Loading " + "very " * 30 + "much")
    said = terminal.until("tasks")
    told.rest()
    assert re.search(r" 0 s  Loading very very [very ]+… · 3 of 24 tasks …", said)


def test_counts_by_name_and_lists_of_facts_are_told_in_words(terminal: Terminal) -> None:
    told = Log("", stream=terminal.stream)
    told.info("done", status={"loaded": 1200, "rejected": 8}, checks=[{"name": "a"}, {"name": "b"}], feeds=["gas", "b"])
    line = re.sub(r"\x1b\[[0-9;]*m", "", terminal.said()).strip()
    assert "status 1,200 loaded, 8 rejected  checks 2  feeds gas, b" in line


def test_what_a_step_waits_for_is_shown_only_so_long(terminal: Terminal) -> None:
    told = Log("", stream=terminal.stream)
    told.doing("Loading")
    with told.waiting("Starting Spark"):
        assert "Starting Spark" in terminal.said()
    assert "Loading" in terminal.said()
    told.rest()


def test_a_fault_of_the_detail_ends_nothing(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status_line, "EVERY_SECONDS", 0.01)
    told = Log("", stream=terminal.stream)
    told.line.detail = lambda: str(1 // 0)
    told.doing("Loading")
    terminal.said()
    time.sleep(0.1)
    assert "Loading" in terminal.said()
    told.rest()


def test_elsewhere_only_what_follows_a_long_step_is_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    told = Log("r1", stream=stream)
    told.doing("Looking into the landing folders")
    told.doing("Starting Spark")
    assert stream.getvalue() == ""
    monkeypatch.setattr(log, "SECONDS_OF_A_LONG_STEP", 0)
    told.doing("Merging the readings of 12 rows on 2 days into silver")
    told.rest()
    (event,) = map(json.loads, stream.getvalue().splitlines())
    assert event | {"ts": ""} == {
        "ts": "", "level": "info", "run_id": "r1", "event": "doing",
        "what": "Merging the readings of 12 rows on 2 days into silver",
    }  # fmt: skip


def test_a_quiet_run_shows_nothing(terminal: Terminal) -> None:
    told = Log("", stream=terminal.stream, quiet=True)
    told.doing("Loading")
    told.rest()
    assert not terminal.said()
