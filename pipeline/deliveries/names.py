"""Finds a delivery by the name that a person gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.deliveries.delivery import REFERENCE
from pipeline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pipeline.deliveries.delivery import Delivery


def delivery_named(
    known: Iterable[Delivery], name: str, statuses: set[str], verb: str, otherwise: Collection[str] = ()
) -> Delivery:
    """The newest delivery that `name` means with one of these statuses, else with one of `otherwise`.

    A name is `#file_id`, a path, or a bare name, with the feed in front if needed. `gas/resent/PN000001.SMRT`,
    `resent/PN000001.SMRT`, `PN000001.SMRT` and `#17` may be the same one. A name that is one delivery's path is not
    matched with the bare names of others.
    """
    candidates = [each for each in known if each.feed != REFERENCE]
    meant = [each for each in candidates if name in _exact_names(each)]
    meant = meant or [each for each in candidates if name in {each.file_name, f"{each.feed}/{each.file_name}"}]
    feeds = sorted({each.feed for each in meant})
    if len(feeds) > 1:
        raise UsageError(f"{name!r} is a delivery of {', '.join(feeds)}: add the feed, such as {feeds[0]}/{name}")
    if not meant:
        raise UsageError(f"no delivery {name!r} in the log: `main.py files` lists all deliveries")
    fit = [each for each in meant if each.status in statuses] or [each for each in meant if each.status in otherwise]
    paths = sorted({each.relative_path for each in fit})
    if len(paths) > 1:
        raise UsageError(f"{name!r} means {len(paths)} deliveries ({', '.join(paths[:3])}): give the path or #file_id")
    if not fit:
        last = meant[-1]
        raise UsageError(f"file {last.file_id} ({last.relative_path}) is {last.status}: there is nothing to {verb}")
    return fit[-1]


def _exact_names(delivery: Delivery) -> set[str]:
    path = delivery.relative_path
    return {f"#{delivery.file_id}", path, f"{delivery.feed}/{path}"}
