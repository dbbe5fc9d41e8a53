"""The text of SQL: where a statement ends, what it begins with, which words it has. No engine is asked."""

from __future__ import annotations

import re
from typing import NamedTuple

SPACE, COMMENT, QUOTED, WORD, NUMBER, END, OTHER, OPEN = (
    "space", "comment", "quoted", "word", "number", "end", "other", "open",
)  # fmt: skip
# Quotes are the one thing that the dialects' tokens differ in.
_SPARK_QUOTES = r"""[rR](?:'[^']*'|"[^"]*")|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`"""
_DUCKDB_QUOTES = r"""[eE]'(?:[^'\\]|\\.|'')*'|'[^']*'|"[^"]*"|(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)"""
_PIECE = (
    r"(?P<space>\s+)|(?P<comment>--[^\n]*)|(?P<quoted>{quotes})|(?P<word>[^\W\d]\w*)|(?P<number>\d[\w.]*)|"
    r"(?P<end>;)|(?P<open>{opening})|(?P<other>.)"
)
SPARK = re.compile(_PIECE.format(quotes=_SPARK_QUOTES, opening=r"""['"`].*"""), re.DOTALL)
DUCKDB = re.compile(_PIECE.format(quotes=_DUCKDB_QUOTES, opening=r"""['"].*"""), re.DOTALL)


class Token(NamedTuple):
    """A piece of a text: what it is, how it is written, and where it begins."""

    kind: str
    text: str
    start: int

    @property
    def says_something(self) -> bool:
        """Whether it is more than a blank or a comment."""
        return self.kind not in {SPACE, COMMENT}


def tokens(text: str, dialect: re.Pattern[str]) -> list[Token]:
    """The whole text in pieces; a quote or comment that does not end is one OPEN piece."""
    found, at = [], 0
    while at < len(text):
        if text.startswith("/*", at):
            end = _end_of_comment(text, at)
            piece = Token(COMMENT if end else OPEN, text[at : end or len(text)], at)
        else:
            match = dialect.match(text, at)
            if match is None:  # `.` matches any character
                break
            kind = next(name for name, value in match.groupdict().items() if value is not None and name != "tag")
            piece = Token(kind, match[0], at)
        found.append(piece)
        at += len(piece.text)
    return found


def _end_of_comment(text: str, start: int) -> int | None:
    """Where a comment ends that may hold others; None if it does not."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text[start:]):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return start + mark.end()
    return None


class Split(NamedTuple):
    """The whole statements of a text, without their semicolons, and what follows the last semicolon."""

    statements: list[str]
    rest: str


def split(text: str, dialect: re.Pattern[str]) -> Split:
    """The text at its semicolons, those in quotes and comments aside; statements of comments only are left out."""
    found, rest, said = [], "", False
    for token in tokens(text, dialect):
        if token.kind == END:
            if said:
                found.append(rest.strip())
            rest, said = "", False
        else:
            rest, said = rest + token.text, said or token.says_something
    return Split(found, rest.strip() if said else "")


def all_of(text: str, dialect: re.Pattern[str]) -> list[str]:
    """Every statement of a text; the last one needs no semicolon."""
    found = split(text, dialect)
    return found.statements + ([found.rest] if found.rest else [])


def words(text: str, dialect: re.Pattern[str]) -> list[Token]:
    """The bare words of a text: names and keywords, not those in quotes and comments."""
    return [token for token in tokens(text, dialect) if token.kind == WORD]


def first_word(statement: str, dialect: re.Pattern[str]) -> str:
    """What the statement begins with, opening parentheses aside; "" where that is no word."""
    said = (token for token in tokens(statement, dialect) if token.says_something and token.text != "(")
    first = next(said, None)
    return first.text if first is not None and first.kind == WORD else ""
