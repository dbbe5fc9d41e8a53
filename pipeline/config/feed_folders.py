"""Folders of the feeds: no file in them may be the delivery of two feeds, or come again as another one."""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

from pipeline.config.folders import lie_one_in_the_other

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.config.feeds import Feed


def must_be_apart(feeds: Sequence[Feed]) -> None:
    """Raise ValueError for the first two folders of which one lies in the other."""
    for feed, other in combinations(feeds, 2):
        if lie_one_in_the_other(feed.path, other.path):
            message = (
                f"the landing folders of feeds {feed.name!r} ({feed.path}) and {other.name!r} ({other.path}) "
                "overlap: files would be deliveries of both; give each feed its own folder"
            )
            raise ValueError(message)
    for feed, other in product(feeds, feeds):
        _archive(feed, other)
    for feed, other in product(feeds, feeds):
        _responses(feed, other)


def _archive(feed: Feed, other: Feed) -> None:
    others = [other.path] if feed is other else [other.path, other.archive]
    for folder in filter(None, others):
        if feed.archive and lie_one_in_the_other(feed.archive, folder):
            message = (
                f"archive of feed {feed.name!r} ({feed.archive}) and {folder} of feed {other.name!r} lie one "
                "in the other: what is archived would come again; name a folder beside it"
            )
            raise ValueError(message)


def _responses(feed: Feed, other: Feed) -> None:
    if feed.acknowledge and lie_one_in_the_other(feed.acknowledge, other.path):
        message = (
            f"acknowledge of feed {feed.name!r} ({feed.acknowledge}) and the landing folder of feed "
            f"{other.name!r} ({other.path}) lie one in the other: responses would become deliveries; "
            "name a folder beside it"
        )
        raise ValueError(message)
