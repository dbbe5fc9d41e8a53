"""Which energy a sheet holds: the keys `value`, `direction`, `unit`, `where`, and what would surprise in the values."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.guess import columns, numbers, words
from pipeline.guess.whose import in_preamble

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.guess.columns import Directions, Times
    from pipeline.guess.entry import Entry
    from pipeline.guess.sheet import Sheet
    from pipeline.guess.wide import Wide

# More labels than the hour of a clock change that stand twice, and the share of them that is no accident.
A_FEW = 4
ONE_IN = 100


def values(entry: Entry, sheet: Sheet, used: set[str], directions: Directions | None) -> list[str]:
    """Write the value columns of a long sheet, and note them as used; their names, none where none is found."""
    found = columns.values(sheet, used)
    if not found:
        return []
    into, out = _by_direction(found)
    if into and out and directions is None:
        both = _adding_up(into), _adding_up(out)
        chosen = [*both[0], *both[1]]
        entry.csv["value"] = {"import": both[0], "export": both[1]}
    else:
        chosen = _adding_up(sorted(found, key=lambda name: -found[name]))
        entry.csv["value"] = chosen[0] if len(chosen) == 1 else chosen
    if len(chosen) > 1 + bool(into and out and directions is None):
        entry.note("value", f"parts of a day by their names, so they add up: {', '.join(map(repr, chosen))}")
    used |= set(chosen)
    if others := [name for name, score in found.items() if name not in chosen and score > 1]:
        says = "A list adds columns up: right for parts of a day, not for the same energy twice"
        entry.note("value", f"not read: {', '.join(map(repr, others))}. {says}")
    return chosen


def _adding_up(names: list[str]) -> list[str]:
    """The first column, with those that differ from it only in the words of a tariff."""
    first = words.without_tariff(names[0])
    alike = [name for name in names if first and words.without_tariff(name) == first]
    return alike or names[:1]


def _by_direction(names: dict[str, int]) -> tuple[list[str], list[str]]:
    into, out = ([name for name in names if words.direction_of(name) == way] for way in ("import", "export"))
    # In Spain AE is what comes in, AS what goes out.
    incoming, outgoing = ([name for name in names if words.says(name, code)] for code in ("ae", "as"))
    return (into, out) if out or not (incoming and outgoing) else (incoming, outgoing)


def direction(entry: Entry, sheet: Sheet, directions: Directions | None) -> None:
    """Write the direction: of a column's values, or one for all, where a name or a line above the header says it."""
    if directions:
        into, out = directions.into, directions.out
        if not (into and out) and (others := [other for value in into + out if (other := words.opposite(value))]):
            into, out = (into, others) if into else (others, out)
            says = f"not in this file, but probably in others: {', '.join(map(repr, others))}"
            entry.note("direction", says, is_certain=True)
        known = {"import": into, "export": out, "ignore": directions.ignore}
        entry.csv["direction"] = {"column": directions.name} | {way: some for way, some in known.items() if some}
        if directions.unknown:
            says = f"neither import nor export, so ignored: {', '.join(map(repr, directions.unknown))}"
            entry.note("direction", says)
        return
    value = entry.csv["value"]
    if isinstance(value, dict):
        return
    said = words.direction_of(_value_names(entry)[0]) if entry.csv.get("layout") != "wide" else None
    above = words.direction_of(" ".join(cell for row in sheet.preamble for cell in row))
    entry.feed["direction"] = said or above or "import"
    if not said:
        entry.note("direction", "no column says it: import is energy taken from the grid, export is fed into it")


def unit(entry: Entry, sheet: Sheet, used: set[str], directions: Directions | None, wide: Wide | None) -> None:
    """Write the unit: of a column, a value column's name, a direction's name, or a line above the header."""
    for name, distinct in columns.few(sheet, words.UNIT, used).items():
        said = Counter(cell for cell in sheet.column(name) if words.unit_of(cell))
        if said:
            used.add(name)
            chosen = said.most_common(1)[0][0]
            _unit(entry, words.unit_of(chosen))
            if len(distinct) > 1:
                entry.csv["where"] = {name: [chosen]}
                entry.note("where", "rows of other units are accepted and give no reading", is_certain=True)
            return
    named = list(wide.names[:1]) if wide else _value_names(entry)
    named += [*directions.into, *directions.out] if directions else []
    named += [in_preamble(sheet, words.UNIT) or "", *(cell for row in sheet.preamble for cell in row)]
    _unit(entry, next((found for name in named if (found := words.unit_of(name))), None))


def _value_names(entry: Entry) -> list[str]:
    value = entry.csv["value"]
    if isinstance(value, dict):
        return [*value["import"], *value["export"]]
    return list(value) if isinstance(value, list) else [value]


def _unit(entry: Entry, found: str | None) -> None:
    entry.feed["unit"] = found or "kWh"
    if found is None:
        says = "nothing names it: kWh, Wh, or a mean power kW, W? A house takes 5 to 30 kWh a day: compare with `try`"
        entry.note("unit", says)
    elif found in {"kW", "W"}:
        says = f"{found} is a mean power: each value is multiplied by the length of its interval"
        entry.note("unit", says, is_certain=True)


def commodity(entry: Entry, sheet: Sheet, used: set[str]) -> None:
    """Where electricity and gas (or water, heat) stand in one file, only the rows of electricity."""
    for name, distinct in columns.few(sheet, words.COMMODITY, used, whole=False).items():
        electric = [value for value in distinct if words.says(value, words.ELECTRIC)]
        others = any(words.says(value, words.OTHER_FUEL) for value in set(distinct) - set(electric))
        if "where" not in entry.csv and electric and others:
            entry.csv["where"] = {name: electric}
            entry.note("where", "other rows are accepted and give no reading", is_certain=True)


def surprises(entry: Entry, labels: Times, keys: Sequence[object], cells: Sequence[str]) -> None:
    """Say what a long sheet's rows hold that is no energy of an interval: registers, labels that stand twice."""
    if numbers.counts_up(keys, labels.labels, cells):
        says = "values only grow: these look like register readings (a counter), and not the energy of each interval"
        entry.note("value", f"{says}, which Meterlake loads: ask for interval data")
    seen = Counter((key, label.at, label.offset) for key, label in zip(keys, labels.labels, strict=True) if label)
    twice = sum(count > 1 for count in seen.values())
    if twice > A_FEW and twice * ONE_IN > len(seen):
        says = f"{twice:,} times stand more than once for a meter and direction, and the last row counts"
        entry.note("value", f"{says}: are there rows of several registers? Then `where` chooses one")
