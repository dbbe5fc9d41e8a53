"""What needs attention, from the log of deliveries: refusals that are not settled, numbers that are missing. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.deliveries.delivery import CONFLICT, DUPLICATE, LOADED, REJECTED, WITHDRAWN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.deliveries.delivery import Delivery

GENERATION = re.compile(r"([A-Z]{2})([0-9]{6})")


def standing(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Refused deliveries that have not been settled since, in the order of file_id; the newest of each feed and path.

    A refusal is settled by a later delivery of the same feed and path that was loaded or was a duplicate, or by
    `withdraw`.
    """
    standing: dict[tuple[str, str], Delivery] = {}
    for each in sorted(deliveries, key=lambda delivery: delivery.file_id):
        place = each.feed, each.relative_path
        if each.status in {REJECTED, CONFLICT}:
            standing[place] = each
        elif each.status in {LOADED, DUPLICATE} or (each.status == WITHDRAWN and each.reason_code):
            standing.pop(place, None)
    return sorted(standing.values(), key=lambda delivery: delivery.file_id)


def standing_refusals(deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """How many refused deliveries have not been settled since, by feed and reason: `{feed, reason_code, files}`."""
    return by_reason(standing(deliveries))


def by_reason(refused: Iterable[Delivery]) -> list[dict[str, Any]]:
    """How many there are by feed and reason: `{feed, reason_code, files}`."""
    counts = Counter((each.feed, each.reason_code or "") for each in refused)
    return [{"feed": feed, "reason_code": code, "files": count} for (feed, code), count in sorted(counts.items())]


def missing_generations(
    deliveries: Iterable[Delivery], never_sent: Iterable[tuple[str, str]] = ()
) -> list[dict[str, Any]]:
    """Gaps in the senders' own numbers: `{feed, first, last, count}`, between the lowest and the highest loaded.

    A refused delivery leaves a gap; a withdrawn one does not: it did arrive, or is settled. `never_sent`:
    (feed, "PN000004" or "PN000004-PN000009") of numbers that are not expected.
    """
    arrived: dict[tuple[str, str], set[int]] = {}
    settled = []
    for each in deliveries:
        found = GENERATION.fullmatch(each.generation or "")
        if found and (each.status == LOADED or each.was_taken_out):
            arrived.setdefault((each.feed, found[1]), set()).add(int(found[2]))
        elif found and each.status == WITHDRAWN:
            settled.append((each.feed, found[0]))
    for feed, unused in [*never_sent, *settled]:
        first, _, last = unused.partition("-")
        if loaded := arrived.get((feed, first[:2])):
            lowest, highest = min(loaded), max(loaded)
            loaded.update(range(max(lowest, int(first[2:])), min(highest, int((last or first)[2:])) + 1))
    gaps: list[dict[str, Any]] = []
    for (feed, prefix), numbers in sorted(arrived.items()):
        before: int | None = None
        for number in sorted(numbers):
            if before is not None and number > before + 1:
                first, last = f"{prefix}{before + 1:06d}", f"{prefix}{number - 1:06d}"
                gaps.append({"feed": feed, "first": first, "last": last, "count": number - before - 1})
            before = number
    return gaps
