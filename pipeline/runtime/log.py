"""Events of a run: readable lines on a terminal, JSON lines with the run id elsewhere. Always on standard error."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from rich.console import Console
from rich.text import Text

from pipeline.errors import printable
from pipeline.runtime.status_line import StatusLine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STDERR = 2
SECONDS_OF_A_PANIC = 0.5
SECONDS_OF_A_LONG_STEP = 2
_silence = threading.Lock()
_silenced: list[int] = []


@dataclass
class Log:
    """Writes events; `run_id` is in every JSON line."""

    run_id: str
    stream: TextIO = field(default_factory=lambda: sys.stderr)
    quiet: bool = False
    started: float = field(default_factory=time.monotonic)
    # Called with every event too, quiet or not.
    listener: Callable[[str, dict[str, Any]], None] | None = None

    def __post_init__(self) -> None:
        self._console = Console(file=self.stream, highlight=False, soft_wrap=True)
        self.line = StatusLine(self.stream, self.started)
        self._written = time.monotonic()

    def doing(self, what: str) -> None:
        """What the run is doing from now on, in a few words for a person.

        A terminal shows it until the next step or `rest`. Elsewhere it is an event, but only after a step that took
        some seconds: quick steps fill no log.
        """
        if self.quiet:
            return
        if self.stream.isatty():
            self.line.show(what)
        elif time.monotonic() - self._written >= SECONDS_OF_A_LONG_STEP:
            self._print("info", "doing", {"what": what})

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """The same for something that the step at work waits for."""
        before = self.line.text
        self.doing(what)
        try:
            yield
        finally:
            if self.line.text:
                self.line.show(before)

    def rest(self) -> None:
        """Nothing is being done any more: what is printed next stands on a line of its own."""
        if self.line.text:
            self.line.show("")

    def info(self, event: str, **facts: Any) -> None:  # noqa: ANN401 - facts are whatever JSON can hold
        """An event and its facts."""
        self._write("info", event, facts)

    def warning(self, event: str, **facts: Any) -> None:  # noqa: ANN401
        """An event that needs attention."""
        self._write("warning", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, Any]) -> None:
        if self.listener:
            self.listener(event, facts)
        if not self.quiet:
            self._print(level, event, facts)

    def _print(self, level: str, event: str, facts: dict[str, Any]) -> None:
        self._written = time.monotonic()
        if self.stream.isatty():
            told = ((name, value) for name, value in facts.items() if value not in (None, [], {}))
            details = "  ".join(f"{name} {_shown(value)}" for name, value in told)
            style = "yellow" if level == "warning" else "dim"
            line = Text.assemble((f"{time.monotonic() - self.started:6.1f} s  ", "cyan"), (f"{event:<22}", "bold"))
            with self.line.hidden():
                self._console.print(line.append(details, style=style))
        else:
            record = {"ts": datetime.now(UTC).isoformat(), "level": level, "run_id": self.run_id, "event": event}
            print(json.dumps(record | facts, default=str, ensure_ascii=False), file=self.stream, flush=True)


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_shown(of_it)} {name}" for name, of_it in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_shown, value)) if all(isinstance(each, str) for each in value) else f"{len(value):,}"
    return f"{value:,}" if isinstance(value, int) else printable(str(value))


@contextmanager
def without_native_noise() -> Iterator[None]:
    """Drop what a native library prints to standard error; it raises its errors as well.

    (On a full disk delta-rs prints a thread's panic and stack before the error that says what is wrong.) Our own lines
    from other threads are dropped too, so use it only for short calls. It earns no time: it keeps an error one line.
    Right as long as each caller restores what it found; tests/unit/runtime/test_error_messages.py checks it.
    """
    with _silence, suppress(OSError):  # a daemon may have closed it
        _silenced.append(os.dup(STDERR))
        if len(_silenced) == 1:
            sys.stderr.flush()
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, STDERR)
            os.close(nowhere)
    try:
        yield
    except Exception:
        time.sleep(SECONDS_OF_A_PANIC)  # the thread that panicked still prints its stack, later than the error comes
        raise
    finally:
        with _silence:
            if _silenced:
                # The first caller kept the real standard error; the last one restores it.
                kept = _silenced.pop()
                if not _silenced:
                    os.dup2(kept, STDERR)
                os.close(kept)
