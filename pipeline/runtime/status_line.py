"""One line at the foot of a terminal: what a run is doing now, and for how long it has been running."""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How often the seconds are drawn again.
EVERY_SECONDS = 0.5
USUAL_WIDTH = 80
# To the beginning of the line, and empty to its end.
EMPTIED = "\r\x1b[K"


class StatusLine:
    """Draws `text` again and again while something is being done; other lines are printed while it is hidden.

    `detail` is asked for more whenever the line is drawn (Spark's tasks); a fault in it ends nothing.
    """

    def __init__(self, stream: TextIO, started: float) -> None:
        self.stream, self.started = stream, started
        self.text = ""
        self.detail: Callable[[], str] = str
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def show(self, text: str) -> None:
        """Show this text from now on; none: no line at all."""
        with self._lock:
            self.text = text
            self._draw("")
        if text and self._thread is None:
            self._ended.clear()
            self._thread = threading.Thread(target=self._again, daemon=True, name="status-line")
            self._thread.start()
        elif not text and self._thread is not None:
            self._ended.set()
            self._thread = None

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """The line is not there while other lines are printed."""
        with self._lock:
            self._write(EMPTIED if self.text else "")
            try:
                yield
            finally:
                self._draw("")

    def _again(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            detail = ""
            with suppress(Exception):  # the session may be ending
                detail = self.detail()
            with self._lock:
                if not self._ended.is_set():
                    self._draw(detail)

    def _draw(self, detail: str) -> None:
        before, after = f"{time.monotonic() - self.started:6.0f} s  ", f"{detail and f' · {detail}'} …"
        room = self._width() - 1 - len(before) - len(after)
        # Of a line that is too long the words are cut, not what changes.
        text = self.text if len(self.text) <= room else self.text[: max(0, room - 1)] + "…"
        self._write(EMPTIED + ((before + text + after)[: self._width() - 1] if self.text else ""))

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or USUAL_WIDTH
        except (OSError, ValueError):
            return USUAL_WIDTH

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # the terminal may be gone
            self.stream.write(text)
            self.stream.flush()
