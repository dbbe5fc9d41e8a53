"""The elements of an array in a JSON document, one after the other: rows without the whole document in memory."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pipeline.formats.json_document import Number, Pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLANKS = re.compile(r"[ \t\r\n]*+")
_DECODER = json.JSONDecoder(parse_float=Number, parse_int=Number, object_pairs_hook=Pairs)


def elements(text: str, key: str) -> Iterator[Any]:
    """The elements of the root object's array of that name, numbers as written.

    ValueError, or RecursionError, where the document turns out to be none, after the elements before that place.
    """
    return (element for _, element in _placed(text, key))


class Sources:
    """Elements of an array once more, in their order, with the arrays and objects in them as their source text.

    So Spark writes such values; nearly no document holds any, and to keep their places costs much time.
    """

    def __init__(self, text: str, key: str) -> None:
        self._text, self._placed, self._number = text, _placed(text, key), 0

    def of(self, number: int) -> list[tuple[str, Any]]:
        """The members of that element, counted from 1: (key, value), of an array ('', value); later ones only."""
        for start, _ in self._placed:
            self._number += 1
            if self._number == number:
                return list(_members(self._text, start))
        raise ValueError(number)


def _placed(text: str, key: str) -> Iterator[tuple[int, Any]]:
    """Each element with where it begins."""
    at, more = _past(text, 0, "{"), True
    while more:
        name, at = _value(text, at)
        at = _past(text, at, ":")
        if name == key:
            at, inside = _past(text, at, "["), True
            if text[at : at + 1] == "]":
                at, inside = at + 1, False
            while inside:
                element, behind = _value(text, at)
                yield at, element
                at, inside = _separated(text, behind, "]")
        else:
            _, at = _value(text, at)
        at, more = _separated(text, at, "}")
    if _blank(text, at) != len(text):
        message = f"more after the document: character {at}"
        raise ValueError(message)


def _members(text: str, at: int) -> Iterator[tuple[str, Any]]:
    sign = text[at]
    end = {"[": "]", "{": "}"}.get(sign)
    if end is None:
        return
    at, inside = _past(text, at, sign), True
    while inside and text[at : at + 1] != end:
        name = ""
        if sign == "{":
            name, at = _value(text, at)
            at = _past(text, at, ":")
        value, behind = _value(text, at)
        yield name, text[at:behind] if isinstance(value, (Pairs, list)) else value
        at, inside = _separated(text, behind, end)


def _blank(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    return found.end() if found else at


def _past(text: str, at: int, sign: str) -> int:
    """Past a sign and the blanks around it."""
    at = _blank(text, at)
    if text[at : at + 1] != sign:
        message = f"no {sign} at character {at}"
        raise ValueError(message)
    return _blank(text, at + 1)


def _value(text: str, at: int) -> tuple[Any, int]:
    return _DECODER.raw_decode(text, at)


def _separated(text: str, at: int, end: str) -> tuple[int, bool]:
    """Past a comma, or the end of an array or object: (where, whether more comes)."""
    at = _blank(text, at)
    if text[at : at + 1] == end:
        return at + 1, False
    return _past(text, at, ","), True


def as_text(value: object) -> str | None:
    """A value as text, numbers as written, None for null; of a nested value only its kind."""
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    if isinstance(value, (Pairs, list)):
        return "[…]" if isinstance(value, list) else "{…}"
    return json.dumps(value)  # true, false, NaN
