"""What the JSON formats' oracles share: the document by Python's own parser, and what a value is as text."""

from __future__ import annotations

import json
import re

BLANKS = b" \t\r\n"
# The contract does not cover documents nested deeper than the parsers here can follow.
DEEPEST = 1000
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


class Number(str):
    """A number's digits as written; also NaN and the infinities, which all parsers here accept as numbers."""

    __slots__ = ()


class Object(list):
    """The (key, value) pairs of an object, doubled ones too."""

    def names(self):
        return [key for key, _ in self]


class Anything:
    """Equal to everything: a value that the contract does not define, in a row that is refused or odd anyway."""

    __hash__ = None

    def __eq__(self, other):
        return True


ANYTHING = Anything()


def parsed(name, content):
    """(code, None) of a document that is refused before its shape is looked at, (None, root) of the others."""
    if not content.removeprefix(b"\xef\xbb\xbf").strip(BLANKS):
        return "EMPTY_FILE", None
    # The contract names the ending; that Spark cannot read names with a leading `_` or a `:` is in the README.
    if not name.endswith(".json") or name[0] == "_" or ":" in name:
        return "BAD_FILE_NAME", None
    try:
        text = content.decode().removeprefix("\ufeff")
    except UnicodeDecodeError:
        return "NOT_UTF8", None
    if depth(text) > DEEPEST:
        return "MALFORMED_JSON", None
    exact = {"parse_float": Number, "parse_int": Number, "parse_constant": Number}
    try:
        return None, json.loads(text, object_pairs_hook=Object, **exact)
    except ValueError:
        return "MALFORMED_JSON", None


def depth(text):
    """How deep arrays and objects are nested, outside of texts."""
    deepest = now = 0
    for bracket in re.findall(r"[\[\]{}]", _TEXT.sub("", text)):
        now += 1 if bracket in "[{" else -1
        deepest = max(deepest, now)
    return deepest


def as_text(value):
    """A scalar as text, None for null; an array or object is ANYTHING (kept, but its spelling is not promised)."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ANYTHING
    # Half of a surrogate pair is no character that UTF-8 could hold.
    return value if value is None else value.encode("utf-8", "replace").decode()


def is_missing(text):
    """Whether a meter is null or blank; the contract does not mention blanks."""
    return text is None or (text is not ANYTHING and not text.strip(" \t\r\n"))
