"""What the value columns hold: the decimal sign, what stands for no reading, and numbers that are no energy."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.guess.columns import MISSING, is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from pipeline.guess.entry import Entry
    from pipeline.guess.times import Label

_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_POINT = re.compile(r"[+-]?[0-9]*\.[0-9]+")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(?:[.,' ][0-9]{3})+(?:[.,][0-9]+)?")
# More different texts than this among the numbers are no markers.
FEW_MARKERS = 5
# A counter's first reading is far above what an interval adds to it.
MANY_INTERVALS = 20
FEWEST_READINGS = 10


def into(entry: Entry, cells: Iterable[str]) -> None:
    """Write `decimal` and `missing` for these cells, and say what of them would be rejected."""
    seen = Counter(cells)
    commas = sum(count for cell, count in seen.items() if _COMMA.fullmatch(cell))
    points = sum(count for cell, count in seen.items() if _POINT.fullmatch(cell))
    if commas > points:
        entry.csv["decimal"] = ","
        if points:
            entry.note("decimal", f"{points:,} numbers have a point all the same: they would be rejected")
    elif commas:
        entry.note("value", f"{commas:,} numbers have a decimal comma among {points:,} with a point: rejected rows")
    odd = [cell for cell in seen if cell not in MISSING and not is_number(cell)]
    thousands = [cell for cell in odd if _THOUSANDS.fullmatch(cell)]
    markers = [cell for cell in odd if cell not in thousands]
    if thousands:
        entry.note("value", f"numbers with thousands separators ({thousands[0]}) would be rejected: have them left out")
    if 0 < len(markers) <= FEW_MARKERS:
        entry.csv["missing"] = [*MISSING, *sorted(markers)]
        entry.note("missing", f"taken for no reading: {', '.join(map(repr, sorted(markers)))}")
    elif markers:
        entry.note("value", f"{len(markers):,} different texts are no numbers ({markers[0][:20]!r}): rejected rows")
    if negative := sum(count for cell, count in seen.items() if cell.startswith("-") and is_number(cell)):
        entry.note(
            "value", f"{negative:,} values are negative and would be rejected: export is a direction, not a sign"
        )


def value_of(cell: str) -> float | None:
    """A cell's number, for looking at its size only."""
    return float(cell.replace(",", ".")) if is_number(cell) else None


def counts_up(keys: Sequence[object], labels: Sequence[Label | None], cells: Sequence[str]) -> bool:
    """Whether values only grow, as those of a register do, and never fall back to the size of their steps."""
    of_key: defaultdict[object, list[tuple[datetime, float]]] = defaultdict(list)
    for key, label, cell in zip(keys, labels, cells, strict=True):
        value = value_of(cell)
        if label is not None and value is not None:
            of_key[key].append((label.at, value))
    found = [_is_counter([value for _, value in sorted(series)]) for series in of_key.values()]
    return bool(found) and all(found)


def _is_counter(values: list[float]) -> bool:
    if len(values) < FEWEST_READINGS or values[-1] <= values[0]:
        return False
    steps = [after - before for before, after in pairwise(values)]
    return min(steps) >= 0 and values[0] > MANY_INTERVALS * sum(steps) / len(steps)
