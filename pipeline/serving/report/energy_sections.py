"""Sections on energy: totals, load shape, daily profile, heat map, import against export."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.serving.report import charts, sentences, statistics, words
from pipeline.serving.report.exhibits import Exhibit, Section, table
from pipeline.serving.report.facts import HOUR_MINUTES
from pipeline.serving.report.local_time import clock_text, interval_name, utc
from pipeline.serving.report.pictures import DayAxis

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pipeline.serving.report.exhibits import Material, Table
    from pipeline.serving.report.facts import Bin, Total
    from pipeline.serving.report.statistics import Slot

# For a bar chart: the format of a period's first day, and the label of the axis.
PERIODS = {"week": ("%d %b\n%Y", "week from Monday"), "month": ("%b\n%Y", "month")}
QUANTILE_NAMES = [f"{int(at * 100)} %" for at in statistics.QUANTILES]


def totals(material: Material) -> Section:
    """Energy by hour, day, week and month."""
    exhibits = (_hours(material), *(_periods(material, unit) for unit in ("day", "week", "month")))
    note = "Hours are instants: the repeated hour in autumn counts as two. Weeks begin on Monday; days are local."
    return Section("totals", "Totals by hour, day, week and month", exhibits, note)


def _hours(material: Material) -> Exhibit:
    clock = material.clock
    hours: dict[str, list[Bin]] = defaultdict(list)
    for each in material.figures.series(HOUR_MINUTES):
        hours[each.direction].append(each)
    found = {name: hours[name] for name in material.extent.directions if name in hours}
    if not found:
        return Exhibit("totals-hour", sentences.totals("hour", [], clock))
    rows = [
        (each.direction, clock.exact(each.start), utc(each.start), each.kwh, each.readings)
        for bins in found.values()
        for each in bins
    ]
    headers = ("direction", "local hour", "UTC", "kWh", "readings")
    said = " ".join(sentences.totals("hour", bins, clock) for bins in found.values())
    picture = material.picture(charts.lines(found, material.extent.days, clock, "kWh per hour"))
    return Exhibit("totals-hour", said, picture, (table("totals-hour", "kWh by hour", headers, rows),))


def _periods(material: Material, unit: str) -> Exhibit:
    totals_by: dict[str, list[Total]] = {name: [] for name in material.extent.directions}
    for each in material.figures.totals(unit):
        totals_by[each.direction].append(each)
    said = " ".join(sentences.totals(unit, some, material.clock) for some in totals_by.values())
    headers: tuple[str, ...] = ("direction", unit, "kWh", "readings", "days with readings")
    rows = [
        (each.direction, f"{each.start:%Y-%m}" if unit == "month" else each.start, each.kwh, each.readings, each.days)
        for some in totals_by.values()
        for each in some
    ]
    if unit == "day":
        headers, rows = headers[:-1], [row[:-1] for row in rows]  # type: ignore[misc]
    shown = table(f"totals-{unit}", f"kWh by {unit}", headers, rows)
    starts = sorted({each.start for some in totals_by.values() for each in some})
    heights = {}
    for name, some in totals_by.items():
        values = {each.start: float(each.kwh) for each in some}
        heights[name] = [values.get(start, 0.0) for start in starts]
    labels: DayAxis | list[str] = DayAxis(material.extent.days, material.clock)
    form, what = PERIODS.get(unit, ("", ""))
    if form:
        labels = [start.strftime(form) for start in starts]
    picture = material.picture(charts.bars(heights, labels, f"kWh per {unit}", what))
    return Exhibit(f"totals-{unit}", said, picture, (shown,))


def shape(material: Material) -> Section:
    """Weekdays against weekends."""
    days: dict[str, dict[bool, list[Decimal]]] = {name: {False: [], True: []} for name in material.extent.directions}
    for total in material.figures.totals("day"):
        days[total.direction][statistics.is_weekend(total.start)].append(total.kwh)
    exhibits = tuple(_shape(material, name, days[name]) for name in material.extent.directions)
    note = "Averages over all days with readings; public holidays count as ordinary weekdays or weekend days."
    return Section("shape", "Load shape: weekday against weekend", exhibits, note)


def _shape(material: Material, name: str, days: dict[bool, list[Decimal]]) -> Exhibit:
    grain, bins = material.extent.grain, material.series.get(name, [])
    slots = {
        free: statistics.slots([each for each in bins if statistics.is_weekend(each.day) is free]) for free in days
    }
    said = sentences.shape(slots[False], slots[True], days, grain)
    kinds = {"weekday": days[False], "weekend": days[True]}
    averages = {kind: statistics.average(some) for kind, some in kinds.items() if some}
    rows = [(kind, len(kinds[kind]), sum(kinds[kind], Decimal()), average) for kind, average in averages.items()]
    headers = ("day", "days", "kWh", "average kWh per day")
    tables = [table(f"shape-days-{name}", f"average day, {name}", headers, rows)]
    if material.is_daily or not bins:
        figure = charts.day_types({kind: float(average) for kind, average in averages.items()})
    else:
        figure = charts.shape(slots[False], slots[True], grain, material.clock)
        tables.append(_table_of_shape(name, slots[False], slots[True], grain))
    return Exhibit(f"shape-{name}", words.about(name, said), material.picture(figure), tuple(tables))


def _table_of_shape(name: str, weekday: Sequence[Slot], weekend: Sequence[Slot], grain: int) -> Table:
    by_minute = [{slot.minute: slot for slot in slots} for slots in (weekday, weekend)]
    rows = []
    for minute in sorted({*by_minute[0], *by_minute[1]}):
        row: list[object] = [clock_text(minute)]
        for slot in (slots.get(minute) for slots in by_minute):
            row += [slot.average, len(slot.values)] if slot else [None, 0]
        rows.append(row)
    headers = ("clock time", "weekday kWh", "weekday intervals", "weekend kWh", "weekend intervals")
    return table(f"shape-{name}", f"average kWh per {interval_name(grain)}, {name}", headers, rows)


def profile(material: Material) -> Section:
    """The typical day, with quantiles."""
    note = f"By clock time over all {interval_name(material.extent.grain, 2)} of the feed; quantiles are interpolated."
    if material.is_daily:
        return Section("profile", "Daily profile", (_daily("profile"),))
    exhibits = []
    for name, bins in material.series.items():
        slots = statistics.slots(bins)
        rows = [(clock_text(slot.minute), slot.average, *slot.quantiles, len(slot.values)) for slot in slots]
        headers = ("clock time", "average kWh", *QUANTILE_NAMES, "intervals")
        said = words.about(name, sentences.profile(slots, material.extent.grain))
        picture = material.picture(charts.profile(slots, material.extent.grain, material.clock))
        shown = table(f"profile-{name}", f"{material.per_interval}, {name}", headers, rows)
        exhibits.append(Exhibit(f"profile-{name}", said, picture, (shown,)))
    return Section("profile", "Daily profile", tuple(exhibits), note)


def _daily(name: str) -> Exhibit:
    return Exhibit(name, "Readings are of whole days, so there is nothing to show within a day.")


def heat_map(material: Material) -> Section:
    """Days by clock times."""
    if material.is_daily:
        return Section("heat", "Heat map", (_daily("heat"),))
    note = "A repeated clock time shows the average of both; grey has no reading, or the clock skipped it."
    exhibits = tuple(_heat_map(material, name, bins) for name, bins in material.series.items())
    return Section("heat", "Heat map", exhibits, note)


def _heat_map(material: Material, name: str, bins: Sequence[Bin]) -> Exhibit:
    grain, clock = material.extent.grain, material.clock
    values: dict[tuple[date, int], list[Decimal]] = defaultdict(list)
    for each in bins:
        values[each.day, each.minute].append(each.kwh)
    days = sorted({each.day for each in bins})
    minutes = range(0, 24 * 60, grain)
    cells = [[statistics.average(some) if (some := values.get((day, at))) else None for at in minutes] for day in days]
    empty = sum(
        cell is None and clock.shows(datetime.combine(day, time()) + timedelta(minutes=at))
        for day, row in zip(days, cells, strict=True)
        for at, cell in zip(minutes, row, strict=True)
    )
    headers = ("local day", *(clock_text(at) for at in minutes))
    rows = [(day, *row) for day, row in zip(days, cells, strict=True)]
    shown = table(f"heat-{name}", f"{material.per_interval}, {name}", headers, rows)
    said = words.about(name, sentences.heat_map(bins, grain, empty))
    return Exhibit(f"heat-{name}", said, material.picture(charts.heat_map(cells, days, grain, clock)), (shown,))


def balance(material: Material) -> Section:
    """Import against export."""
    found: dict[str, dict[date, Decimal]] = {name: {} for name in ("import", "export", *material.extent.directions)}
    for total in material.figures.totals("day"):
        found[total.direction][total.start] = total.kwh
    imports, exports = found["import"], found["export"]
    said = sentences.balance(imports, exports, material.extent.directions)
    if not (imports and exports):
        return Section("balance", "Import against export", (Exhibit("balance", said),))
    days = sorted({*imports, *exports})
    pairs = [(imports.get(day, Decimal()), exports.get(day, Decimal())) for day in days]
    rows = [(day, bought, sold, bought - sold) for day, (bought, sold) in zip(days, pairs, strict=True)]
    headers = ("local day", "import kWh", "export kWh", "import - export kWh")
    shown = table("balance", "kWh by day", headers, rows)
    sides = [[float(pair[n]) for pair in pairs] for n in (0, 1)]
    picture = material.picture(charts.balance(sides[0], sides[1], days, material.clock))
    return Section("balance", "Import against export", (Exhibit("balance", said, picture, (shown,)),))
