"""What the engines of a configuration can do: Sail, an experiment, is for lakes on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pipeline.config.reference import SQLITE

if TYPE_CHECKING:
    from pipeline.config.settings import Settings

Engine = Literal["spark", "sail"]


def objection(settings: Settings) -> str | None:
    """Why the engine cannot do what the settings ask for, or None."""
    if settings.engine == "spark":
        return None
    away = [feed.name for feed in settings.feeds if "://" in feed.path]
    reference = settings.reference
    others = {
        "a lake in a catalog": settings.catalog is not None,
        "a lake in an object store": "://" in settings.root,
        f"a landing folder in an object store (of feed {', '.join(away)})": bool(away),
        "a reference that is no SQLite file here": reference is not None and not _is_here(reference.url or ""),
        "settings of Spark's ([spark])": bool(settings.spark),
        "checks of one's own ([[checks]]), which are Spark SQL": bool(settings.checks),
    }
    refused = next((what for what, given in others.items() if given), None)
    return refused and f'engine = "sail" is not for {refused}: say engine = "spark", or leave the other out'


def _is_here(url: str) -> bool:
    return url.startswith(SQLITE) and "://" not in url
