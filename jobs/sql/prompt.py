"""`sql` without a query: a prompt in one warm session, as users of psql know it."""

from __future__ import annotations

import difflib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory, InMemoryHistory

from jobs.shared.output import fitted
from jobs.sql import answers, completion
from pipeline.errors import MeterlakeError, printable
from pipeline.queries import statements
from pipeline.runtime import error_messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.history import History

    from pipeline.queries.session import Session

LEAVE = frozenset({"exit", "quit"})
HELP = r"""Queries may have several lines and end at a semicolon; nothing is ever changed. Tab completes names.
  \d [TABLE]        tables and views, or the columns of one
  \x [on|off|auto]  a line for each value; auto: where a row is too wide
  \timing           show how long each query took
  \?                this help
  \q                leave (also Ctrl-D)"""


class Prompt:
    """A session with a person; `wait` returns when the engine is ready."""

    def __init__(self, session: Session, wait: Callable[[], None], form: str, limit: int, expanded: str) -> None:
        self._session, self._wait = session, wait
        self._form, self._limit, self._expanded = form, limit, expanded
        self._timing = False

    def run(self) -> None:
        """Ask and answer until the person leaves."""
        asking: PromptSession[str] = PromptSession(
            history=history(),
            completer=completion.Names(self._session),
            complete_while_typing=False,
            multiline=Condition(lambda: not self.is_whole(asking.default_buffer.text)),
            prompt_continuation=lambda width, number, wrapped: "-> ".rjust(width),  # noqa: ARG005 - see prompt_toolkit
        )
        print(r"SQL over the lake; reads only. \? for help, \q to leave.")
        while True:
            try:
                text = asking.prompt("meterlake> ")
            except KeyboardInterrupt:  # Ctrl-C: another query
                continue
            except EOFError:
                return
            if not self.answer(text):
                return

    def is_whole(self, text: str) -> bool:
        """Whether Enter ends the text: a command, or nothing after the last semicolon."""
        said = text.strip()
        is_command = said.startswith("\\") or said.lower() in LEAVE
        return is_command or not statements.split(said, self._session.dialect).rest

    def answer(self, text: str) -> bool:
        """Do what the text says; returns whether to go on."""
        said = text.strip()
        if said.lower().rstrip(";") in LEAVE or said == r"\q":
            return False
        try:
            if said.startswith("\\"):
                self._obey(*said.rstrip(";").split())
            else:
                for statement in statements.split(said, self._session.dialect).statements:
                    self._ask(statement)
        except KeyboardInterrupt:
            self._session.stop()
            _complain("interrupted")
        except Exception as problem:  # noqa: BLE001 - whatever it is, the person can ask again
            _complain(_in_words(problem))
        return True

    def _ask(self, statement: str) -> None:
        self._wait()
        begun = time.monotonic()
        answer = self._session.ask(statement, self._limit + 1 if self._form == "table" else None)
        seconds = time.monotonic() - begun
        answers.show(answer, self._form, self._limit, self._expanded)
        if self._timing:
            print(f"Time: {seconds:.3f} s")

    def _obey(self, command: str, *given: str) -> None:
        if command == r"\d":
            self._describe(*given[:1])
        elif command == r"\x":
            self._expand(*given[:1])
        elif command == r"\timing":
            self._timing = given[0] != "off" if given else not self._timing
            print(f"Timing is {'on' if self._timing else 'off'}.")
        elif command == r"\?":
            print(HELP)
        else:
            _complain(rf"no command {command}: \? lists them")

    def _expand(self, wanted: str = "") -> None:
        if wanted not in {"", *answers.EXPANDED}:
            _complain(rf"\x {wanted}: use {', '.join(answers.EXPANDED)}, or nothing to switch")
            return
        self._expanded = wanted or ("off" if self._expanded == "on" else "on")
        print(f"A line for each value: {self._expanded}.")

    def _describe(self, wanted: str | None = None) -> None:
        names = self._session.names
        if wanted is None:
            fitted(["name", "a row is"], [[name, names.comment(name)] for name in names.every])
            return
        alone = {name.rpartition(".")[2]: name for name in names.every} | {name: name for name in names.every}
        name = alone.get(wanted.lower())
        if name is None:
            guess = difflib.get_close_matches(wanted.lower(), alone, 1)
            _complain(f"no table {wanted!r}" + (f": did you mean {alone[guess[0]]}?" if guess else r": \d lists them"))
            return
        if names.table(name) is None:
            self._wait()
        print(f"{name}: {names.comment(name)}")
        columns = [[column.name, column.type, column.comment] for column in self._session.columns(name)]
        fitted(["column", "type", "meaning"], columns)


def history() -> History:
    """What was asked before: a file in the user's state folder that only the user may read, or nothing."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "meterlake"
    file = folder / "sql_history"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.open("a").close()
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(file))


def _complain(said: str) -> None:
    sys.stdout.flush()
    print(printable(" ".join(said.split())), file=sys.stderr, flush=True)


def _in_words(problem: Exception) -> str:
    return str(problem) if isinstance(problem, MeterlakeError) else error_messages.one_line(problem)
