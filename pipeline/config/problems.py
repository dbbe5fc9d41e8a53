"""What is wrong with a configuration, in one line: the feed, the key, what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from pipeline.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import ValidationError


def in_words(problem: ValidationError, of: type[BaseModel], values: Mapping[str, Any]) -> str:
    """The first problem as `feed 'gas': feeds.0.path: message`, with the number of further ones.

    `values` are those of the file; a key that is unknown is told with the nearest of its table.
    """
    errors = problem.errors()
    place = errors[0]["loc"]
    message = errors[0]["msg"].removeprefix("Value error, ")
    if errors[0]["type"] == "extra_forbidden":
        message = f"unknown key{did_you_mean(str(place[-1]), _keys(of, place[:-1]))}"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    named = _named(place, values)
    parts = (named if named not in message else "", ".".join(map(str, place)), message + more)
    return ": ".join(filter(None, parts))


def _named(place: tuple[int | str, ...], values: Mapping[str, Any]) -> str:
    """`feed 'gas'` or `check 'flat'`: the entry of a list that a place is in, where the file names it."""
    if len(place) < 2 or not isinstance(place[1], int):  # noqa: PLR2004 - the list, and the entry's position
        return ""
    try:
        name = values[str(place[0])][place[1]]["name"]
    except (LookupError, TypeError):  # from the environment, or nothing that could have a name
        return ""
    return f"{str(place[0]).removesuffix('s')} {name!r}" if isinstance(name, str) else ""


def _keys(of: type[BaseModel], place: Iterable[int | str]) -> list[str]:
    """The keys of the table at that place; none where it has no fixed ones."""
    table: type[BaseModel] | None = of
    for part in place:
        if isinstance(part, str) and table is not None:
            fields = {field.alias or name: field for name, field in table.model_fields.items()}
            table = _table_in(fields[part].annotation) if part in fields else None
    return [] if table is None else [field.alias or name for name, field in table.model_fields.items()]


def _table_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - a type, or a form of typing's
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _table_in(part))), None)
