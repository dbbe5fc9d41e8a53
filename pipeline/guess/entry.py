"""A `[[feeds]]` entry as TOML of at most 80 columns, with what is not certain as comments above its key."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.errors import printable

WIDTH = 80


class Note(NamedTuple):
    """What is said of a key; `is_certain` where the file itself says it, else a person should look."""

    key: str
    says: str
    is_certain: bool = False


@dataclass
class Entry:
    """The keys of a feed and of its `[feeds.csv]`, in their order, and what is said of them."""

    feed: dict[str, Any]
    csv: dict[str, Any] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)

    def note(self, key: str, says: str, *, is_certain: bool = False) -> None:
        """Say something of a key, or of the file where it is empty."""
        self.notes.append(Note(key, says, is_certain))

    def values(self) -> dict[str, Any]:
        """The entry as the configuration reads it."""
        return self.feed | ({"csv": self.csv} if self.csv else {})

    def toml(self) -> str:
        """The entry as text."""
        lines = [*self._said(""), "[[feeds]]", *self._keys(self.feed)]
        if self.csv:
            lines += ["", "[feeds.csv]", *self._keys(self.csv, "csv.")]
        return "\n".join(lines) + "\n"

    def _keys(self, values: dict[str, Any], place: str = "") -> list[str]:
        """Lines of keys, then their tables."""
        plain = {key: value for key, value in values.items() if not isinstance(value, dict)}
        lines = [line for key, value in plain.items() for line in (*self._said(key), *_line(key, value))]
        for key, table in values.items():
            if isinstance(table, dict):
                own = [line for name, value in table.items() for line in _line(name, value)]
                lines += ["", *self._said(key), f"[feeds.{place}{key}]", *own]
        return lines

    def _said(self, key: str) -> list[str]:
        lines = []
        for note in self.notes:
            if note.key == key:
                text = printable(note.says if note.is_certain else f"CHECK: {note.says}")
                lines += textwrap.wrap(
                    text, WIDTH, initial_indent="# ", subsequent_indent="#   ", break_on_hyphens=False
                )
        return lines


def _line(key: str, value: Any) -> list[str]:  # noqa: ANN401 - what TOML can hold
    name = key if key.replace("_", "").isalnum() and key.isascii() else text(key)
    whole = f"{name} = {_value(value)}"
    if len(whole) <= WIDTH or not isinstance(value, list):
        return [whole]
    return [f"{name} = [", *(f"    {_value(each)}," for each in value), "]"]


def _value(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return text(value)


def text(value: str) -> str:
    """A text in TOML's quotes: as it is where that is easy to read, else with escapes.

    >>> print(text("dd'T'HH"), text('a "b"'))
    "dd'T'HH" 'a "b"'
    """
    easy = value.isprintable() and "'" not in value
    if easy and ('"' in value or "\\" in value):
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(each if each.isprintable() else _escaped(each) for each in escaped) + '"'


def _escaped(letter: str) -> str:
    return {"\t": "\\t", "\n": "\\n", "\r": "\\r"}.get(letter, f"\\U{ord(letter):08X}")
