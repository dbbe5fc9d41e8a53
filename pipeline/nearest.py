"""The word that was probably meant, where one of several was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that is most like the word, whatever its case; None if none is like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - imported only once something is wrong

    by_lower = {each.lower(): each for each in known}
    near = get_close_matches(word.lower(), by_lower, 1)
    return by_lower[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'gas'?)`, for a message; nothing if none of `known` is like the word."""
    near = nearest(word, known)
    return f" (did you mean {near!r}?)" if near else ""
