"""What needs attention, from the log of deliveries: refusals that are not settled, numbers that are missing. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.deliveries.delivery import CONFLICT, DUPLICATE, LOADED, REJECTED, WITHDRAWN
from pipeline.deliveries.log_rows import objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.deliveries.delivery import Delivery
    from pipeline.deliveries.log_rows import LogRows

# (feed, prefix) -> numbers.
Numbers = dict[tuple[str, str], set[int]]
GENERATION = re.compile(r"([A-Z]{2})([0-9]{6})")


def standing_refusals(deliveries: Iterable[Delivery]) -> list[dict[str, Any]]:
    """Refused deliveries that have not been settled since, by feed and reason: `{feed, reason_code, files}`.

    A refusal is settled by a later delivery of the same feed and path that was loaded or was a duplicate, or by
    `withdraw`.
    """
    standing: dict[tuple[str, str], str] = {}
    for each in sorted(deliveries, key=lambda delivery: delivery.file_id):
        place = each.feed, each.relative_path
        if each.status in {REJECTED, CONFLICT}:
            standing[place] = each.reason_code or ""
        elif each.status in {LOADED, DUPLICATE} or (each.status == WITHDRAWN and each.reason_code):
            standing.pop(place, None)
    counts = Counter((feed, code) for (feed, _), code in standing.items())
    return [{"feed": feed, "reason_code": code, "files": count} for (feed, code), count in sorted(counts.items())]


def refused_in(log: LogRows) -> list[Delivery]:
    """What `standing_refusals` needs of the log: refused deliveries, and what came later under their paths."""
    names = ("file_id", "feed", "relative_path", "status", "reason_code")
    refused = log.table(names, pc.field("status").isin([REJECTED, CONFLICT]))
    if not refused.num_rows:
        return []
    after = pc.field("file_id") > pc.min(refused["file_id"])
    pieces = log.pieces_with(["file_id"], "relative_path", refused["relative_path"].to_pylist(), after)
    ids = {number for piece in pieces for number in piece["file_id"].to_pylist()}
    return objects(refused) + log.deliveries_with("file_id", ids.difference(refused["file_id"].to_pylist()), names)


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
