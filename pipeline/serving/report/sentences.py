"""One sentence for each picture, computed from the figures below it. Pure."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.errors import printable
from pipeline.serving.report import words
from pipeline.serving.report.facts import Total
from pipeline.serving.report.local_time import DAY_MINUTES, LocalClock, clock_text, interval_name
from pipeline.serving.report.statistics import FAR, FEWEST, Autocorrelation, Outlier, average
from pipeline.serving.report.words import WEEK_MINUTES, count, kwh

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from pipeline.serving.report.facts import Bin, Gaps, MeterDay
    from pipeline.serving.report.statistics import Slot


def totals(unit: str, found: Sequence[Total | Bin], clock: LocalClock) -> str:
    """For one direction: the sum, and the highest and lowest hour, day, week or month."""
    if not found:
        return f"No reading is of an hour or less, so there are no totals by {unit}."
    total = sum((each.kwh for each in found), Decimal())
    low, high = min(found, key=lambda each: each.kwh), max(found, key=lambda each: each.kwh)
    begin = f"{found[0].direction.capitalize()}: {kwh(total)} in {count(len(found), unit)} with readings"
    if len(found) == 1:
        return f"{begin}, {_period(unit, high, clock)}."
    if low.kwh == high.kwh:
        return f"{begin}, each of them {kwh(high.kwh)}."
    return (
        f"{begin}; the highest is {_period(unit, high, clock)} with {kwh(high.kwh)}, "
        f"the lowest {_period(unit, low, clock)} with {kwh(low.kwh)}."
    )


def _period(unit: str, total: Total | Bin, clock: LocalClock) -> str:
    name = words.period(unit, total.start, clock)
    if unit in {"week", "month"} and isinstance(total, Total):
        return f"{name} ({count(total.days, 'day')} with readings)"
    return name


def shape(weekday: Sequence[Slot], weekend: Sequence[Slot], days: Mapping[bool, Sequence[Decimal]], grain: int) -> str:
    """Weekdays against weekends: when each peaks, and by how much their average days differ.

    `days` holds the day totals, with those of weekends under True; `grain` is the length of a slot in minutes.
    """
    parts = [
        f"{name} peak at {clock_text(top.minute)} ({kwh(top.average)} in the {interval_name(grain)})"
        for name, some in (("weekdays", weekday), ("weekends", weekend))
        if grain < DAY_MINUTES and some and (top := max(some, key=lambda slot: slot.average))
    ]
    for weekends, missing in ((False, "no weekday has readings"), (True, "no weekend day has readings")):
        if not days[weekends]:
            parts.append(f"an average day holds {kwh(average(days[not weekends]))}, and {missing}")
            return _sentence(parts)
    usual, free = average(days[False]), average(days[True])
    end = f"an average weekend day holds {kwh(free)}, "
    if usual == free:
        end += "as much as an average weekday"
    elif usual:
        more = "more" if free > usual else "less"
        end += f"{words.percent(abs(free - usual), usual)} {more} than an average weekday ({kwh(usual)})"
    else:
        end += "an average weekday nothing"
    return _sentence([*parts, end])


def profile(found: Sequence[Slot], grain: int) -> str:
    """The typical day: when its median is highest and lowest, and when the days differ most."""
    quantiles = {slot.minute: slot.quantiles for slot in found}
    high = max(found, key=lambda slot: quantiles[slot.minute][2])
    low = min(found, key=lambda slot: quantiles[slot.minute][2])
    wide = max(found, key=lambda slot: quantiles[slot.minute][4] - quantiles[slot.minute][0])
    least, _, median, _, most = high.quantiles
    name = interval_name(grain)
    if median == low.quantiles[2]:
        return f"The median {name} holds {kwh(median)} at every clock time."
    spread = f"{kwh(wide.quantiles[4] - wide.quantiles[0])} between the 5 % and the 95 % quantile"
    return (
        f"The median {name} is highest at {clock_text(high.minute)} with {kwh(median)} (nine in ten lie between "
        f"{kwh(least)} and {kwh(most)}) and lowest at {clock_text(low.minute)} with {kwh(low.quantiles[2])}; "
        f"days differ most at {clock_text(wide.minute)}: {spread}."
    )


def heat_map(bins: Sequence[Bin], grain: int, empty: int) -> str:
    """The highest cell, and how many cells of days with readings are empty."""
    top = max(bins, key=lambda each: each.kwh)
    gaps = f"{count(empty, 'cell')} of these days {'has' if empty == 1 else 'have'} no reading"
    gaps = gaps if empty else "no cell of these days is empty"
    name = interval_name(grain)
    return f"The highest {name} is {words.day(top.day)} {clock_text(top.minute)} with {kwh(top.kwh)}; {gaps}."


def autocorrelation(found: Autocorrelation | str) -> str:
    """The highest peak, the lags of a day and a week, and what is missing; or why there is no autocorrelation."""
    if isinstance(found, str):
        return f"The series is {found}."
    first = "no lag stands above its neighbours"
    if (peak := found.peak) and (at := found.at(peak)):
        inside = "outside" if abs(at[0]) > at[1] else "within"
        first = f"highest lag: {words.lag(peak)}, {at[0]:.2f}, {inside} the 95 % band of ±{at[1]:.2f}"
    known = []
    for name, minutes in (("a day", DAY_MINUTES), ("a week", WEEK_MINUTES)):
        at = found.at(minutes)
        known.append(f"{name}: {at[0]:.2f}" if at else f"{name}: the series does not reach so far")
    intervals = interval_name(found.minutes, 2)
    end = f"none of {found.observed:,} {intervals} is missing"
    if found.missing:
        every = found.observed + found.missing
        end = f"{found.missing:,} of {every:,} {intervals} are missing and left out, not filled"
    return _sentence([first, *known, end])


def missing(by_day: Sequence[Gaps], by_meter: Sequence[Gaps], received: int) -> str:
    """How many intervals, of which meters, and the worst day; `received` readings are there."""
    if not by_day:
        return f"No expected interval is missing: {count(received, 'reading')}, no gap."
    total = sum(each.intervals for each in by_day)
    days, meters = _summed(by_day), _summed(by_meter)
    worst_day, worst_meter = max(days, key=lambda key: days[key]), max(meters, key=lambda key: meters[key])
    return (
        f"{count(total, 'interval')} of {total + received:,} expected are missing "
        f"({words.percent(total, total + received)}), of {count(len(meters), 'meter')} on {count(len(days), 'day')}; "
        f"the most on {words.day(worst_day)} ({days[worst_day]:,}) "
        f"and of meter {printable(worst_meter)} ({meters[worst_meter]:,})."
    )


def _summed(gaps: Sequence[Gaps]) -> dict[Any, int]:
    sums: dict[Any, int] = {}
    for each in gaps:
        sums[each.key] = sums.get(each.key, 0) + each.intervals
    return sums


def outlying_bins(bins: Sequence[Bin], found: Sequence[Outlier], grain: int, clock: LocalClock) -> str:
    """How many intervals are far from the median of their clock time, and the farthest one."""
    names = interval_name(grain, 2)
    most = max(Counter(each.minute for each in bins).values())
    if most < FEWEST:
        return f"No clock time has {FEWEST} values, too few to say which {names} are unusual."
    kind = "the median day" if grain == DAY_MINUTES else f"the median of their clock time ({most} values at most)"
    if not found:
        return f"None of {len(bins):,} {names} lies further than {FAR} robust deviations from {kind}."
    far = found[0]
    at = bins[far.place]
    when = words.day(at.day) if grain == DAY_MINUTES else clock.both(at.start)
    return (
        f"{len(found):,} of {len(bins):,} {names} {'lies' if len(found) == 1 else 'lie'} further than {FAR} robust "
        f"deviations from {kind}; the farthest is {when} with {kwh(far.value)} against a typical {kwh(far.typical)} "
        f"(score {far.score:+.1f})."
    )


def outlying_days(days: Sequence[MeterDay], found: Sequence[Outlier]) -> str:
    """How many meter-days are far from the same meter's median day, and the farthest one."""
    if max(Counter((each.meter_id, each.direction) for each in days).values()) < FEWEST:
        return f"No meter has {FEWEST} days with readings, too few to say which are unusual."
    if not found:
        return f"None of {count(len(days), 'day')} of meters lies further than {FAR} robust deviations from its median."
    far = found[0]
    at = days[far.place]
    meters = len({days[each.place].meter_id for each in found})
    return (
        f"{len(found):,} of {count(len(days), 'day')} of meters, of {count(meters, 'meter')}, "
        f"{'lies' if len(found) == 1 else 'lie'} further than {FAR} robust deviations from the meter's median day; the "
        f"farthest is {at.direction} of meter {printable(at.meter_id)} on {words.day(at.day)} with {kwh(far.value)} "
        f"against a typical {kwh(far.typical)} (score {far.score:+.1f})."
    )


def balance(imports: Mapping[date, Decimal], exports: Mapping[date, Decimal], directions: Sequence[str]) -> str:
    """Import against export by local day, or the only direction there is."""
    if not (imports and exports):
        only = words.listed(directions)
        return f"There is only {only}, so there is no import to set against an export."
    bought, sold = sum(imports.values(), Decimal()), sum(exports.values(), Decimal())
    days = sorted({*imports, *exports})
    more = sum(exports.get(day, Decimal()) > imports.get(day, Decimal()) for day in days)
    share = f", {words.percent(sold, bought)} of the import" if bought else ""
    net = "more was imported than exported" if bought > sold else "more was exported than imported"
    total = f"{kwh(abs(bought - sold))} {net}" if bought != sold else "as much was exported as imported"
    return (
        f"{kwh(bought)} of import stand against {kwh(sold)} of export{share}: {total}; "
        f"export was the larger on {more:,} of {count(len(days), 'day')}."
    )


def _sentence(parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
