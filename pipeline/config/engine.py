"""What the engines of a configuration can do: Sail, an experiment, is for lakes on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pipeline.config.reference import SQLITE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.config.feeds import Feed

Engine = Literal["spark", "sail"]


def objection_to_sail(
    root: str | None, feeds: Iterable[Feed], reference: str | None, *, has_spark: bool, has_checks: bool
) -> str | None:
    """Why Sail cannot do what the settings ask for, or None; `root` is None in a catalog, `reference` is its URL."""
    away = [feed.name for feed in feeds if "://" in feed.path]
    others = {
        "a lake in a catalog": root is None,
        "a lake in an object store": "://" in (root or ""),
        f"a landing folder in an object store (of feed {', '.join(away)})": bool(away),
        "a reference that is no SQLite file here": reference is not None and not _is_here(reference),
        "settings of Spark's ([spark])": has_spark,
        "your own checks ([[checks]]), which are Spark SQL": has_checks,
    }
    refused = next((what for what, given in others.items() if given), None)
    return refused and f'engine = "sail" is not for {refused}: say engine = "spark", or leave the other out'


def _is_here(url: str) -> bool:
    return url.startswith(SQLITE) and "://" not in url
