"""Words that a shell may complete. Nothing here imports more than the command line itself, so that TAB is quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from jobs.cli import configuration

if TYPE_CHECKING:
    from collections.abc import Callable

REFERENCE = "reference"
LAYERS = ("bronze", "silver", "gold")
STATUSES = ("loaded", "rejected", "duplicate", "conflict", "withdrawn")


def feeds(context: typer.Context, incomplete: str) -> list[str]:
    """Feeds of the configuration."""
    return _beginning(incomplete, configuration.feeds(context.params.get("config")))


def feeds_and_reference(context: typer.Context, incomplete: str) -> list[str]:
    """The same, and the reference database."""
    return _beginning(incomplete, [*configuration.feeds(context.params.get("config")), REFERENCE])


def one_of(*words: str) -> Callable[[str], list[str]]:
    """A fixed set of words."""
    return lambda incomplete: _beginning(incomplete, words)


def _beginning(incomplete: str, words: list[str] | tuple[str, ...]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
