"""What the Tab key offers at the prompt: tables and views, the columns of those that the query names, keywords."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prompt_toolkit.completion import Completer, Completion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from pipeline.queries.session import Session

COMMANDS = (r"\?", r"\d", r"\q", r"\timing", r"\x")
KEYWORDS = (
    "AND AS ASC BETWEEN BY CASE CAST COUNT DATE DESC DESCRIBE DISTINCT ELSE END EXISTS EXPLAIN FILTER FROM GROUP "
    "HAVING IN INTERVAL IS JOIN LEFT LIKE LIMIT MAX MIN NOT NULL ON OR ORDER OVER PARTITION SELECT SHOW SUM THEN "
    "TIMESTAMP UNION WHEN WHERE WITH"
).split()
WORD = re.compile(r"[\w.\\?]*$")


class Names(Completer):
    """Completions from the session's names; columns of views are asked of the engine once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._columns: dict[str, list[str]] = {}

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002
        """See Completer."""
        found = WORD.search(document.text_before_cursor)
        word = found[0] if found else ""
        for offered in self._offered(word, document.text):
            if offered.lower().startswith(word.lower()) and offered != word:
                yield Completion(offered, start_position=-len(word))

    def _offered(self, word: str, text: str) -> Iterable[str]:
        names = self._session.names
        if word.startswith("\\"):
            return COMMANDS
        if text.lstrip().startswith("\\"):
            return names.every
        named, aliases = names.named(text), names.aliases(text)
        before, dot, _ = word.rpartition(".")
        if dot and (whose := before if before in names.every else aliases.get(before.lower())):
            return [f"{before}.{column}" for column in self._columns_of(whose)]
        columns = {column: None for name in named for column in self._columns_of(name)}  # in their order, each once
        return [*columns, *names.every, *KEYWORDS]

    def _columns_of(self, name: str) -> list[str]:
        if name not in self._columns:
            self._columns[name] = [column.name for column in self._session.columns(name)]
        return self._columns[name]
