"""What needs attention, from the log of deliveries: refusals that are not settled, numbers that are missing. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.deliveries.delivery import CONFLICT, DUPLICATE, LOADED, REJECTED, WITHDRAWN
from pipeline.deliveries.log_rows import objects, together

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.deliveries.delivery import Delivery
    from pipeline.deliveries.log_rows import LogRows

# (feed, prefix) -> numbers.
Numbers = dict[tuple[str, str], set[int]]
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


def refused_in(log: LogRows) -> list[Delivery]:
    """What `standing_refusals` needs of the log: refused deliveries, and at least what came later under their paths.

    The log is read once, in the order of arrival: what came before a refusal does not matter to it.
    """
    names = ("file_id", "feed", "relative_path", "status", "reason_code", "received_at")
    kept: list[pa.Table] = []
    paths, last = pa.array([], pa.string()), 0
    # Refused paths of which rows that came later may have been read before.
    late: list[str] = []
    for piece in log.in_order(names):
        is_refused = pc.is_in(piece["status"], pa.array([REJECTED, CONFLICT]))
        refused = piece["relative_path"].filter(is_refused)
        if pc.min(piece["file_id"]).as_py() < last:
            late += refused.to_pylist()
        paths = pa.concat_arrays([paths, *refused.chunks])
        kept.append(piece.filter(pc.or_(is_refused, pc.is_in(piece["relative_path"], paths))))
        last = max(last, pc.max(piece["file_id"]).as_py())
    found = {each.file_id: each for each in objects(together(names, kept))}
    if late:
        found |= {each.file_id: each for each in log.deliveries_with("relative_path", late, names)}
    return list(found.values())


def missing_generations(
    deliveries: Iterable[Delivery], never_sent: Iterable[tuple[str, str]] = ()
) -> list[dict[str, Any]]:
    """Gaps in the senders' own numbers: `{feed, first, last, count}`, between the lowest and the highest loaded.

    A refused delivery leaves a gap; a withdrawn one does not: it did arrive, or is settled. `never_sent`:
    (feed, "PN000004" or "PN000004-PN000009") of numbers that are not expected.
    """
    arrived: Numbers = {}
    settled = []
    for each in deliveries:
        found = GENERATION.fullmatch(each.generation or "")
        if found and (each.status == LOADED or each.was_taken_out):
            arrived.setdefault((each.feed, found[1]), set()).add(int(found[2]))
        elif found and each.status == WITHDRAWN:
            settled.append((each.feed, found[0]))
    return _gaps(arrived, [*never_sent, *settled])


def missing_from(log: LogRows, never_sent: Iterable[tuple[str, str]] = ()) -> list[dict[str, Any]]:
    """The same, of the whole log."""
    arrived: Numbers = {}
    settled: list[tuple[str, str]] = []
    numbered = pc.field("generation").is_valid() & pc.field("status").isin([LOADED, WITHDRAWN])
    for piece in log.pieces(("feed", "generation", "status", "reason_code"), numbered):
        sound = piece.filter(pc.match_substring_regex(piece["generation"], f"^(?:{GENERATION.pattern})$"))
        is_settled = pc.and_(pc.equal(sound["status"], WITHDRAWN), pc.is_valid(sound["reason_code"]))
        by_hand = sound.filter(is_settled)
        settled += zip(by_hand["feed"].to_pylist(), by_hand["generation"].to_pylist(), strict=True)
        came = sound.filter(pc.invert(is_settled))
        keys = pa.table({"feed": came["feed"], "prefix": pc.utf8_slice_codeunits(came["generation"], 0, 2)})
        numbers = pc.utf8_slice_codeunits(came["generation"], 2).cast(pa.int64())
        for key in keys.group_by(["feed", "prefix"]).aggregate([]).to_pylist():
            its = pc.and_(pc.equal(keys["feed"], key["feed"]), pc.equal(keys["prefix"], key["prefix"]))
            arrived.setdefault((key["feed"], key["prefix"]), set()).update(numbers.filter(its).to_pylist())
    return _gaps(arrived, [*never_sent, *settled])


def _gaps(arrived: Numbers, not_expected: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    for feed, unused in not_expected:
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
