"""What needs attention: one list for `status`, the page, the API, the metrics and notices. No JVM in path mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.attention import facts, items
from pipeline.attention.item import Item

if TYPE_CHECKING:
    from pipeline.runtime.context import Context

__all__ = ["Item", "found"]


def found(context: Context) -> list[Item]:
    """What needs attention now, the most urgent first."""
    return items.of(facts.found(context))
