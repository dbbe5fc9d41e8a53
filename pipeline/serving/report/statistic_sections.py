"""Sections on statistics and quality: autocorrelation, missing intervals, outliers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.serving.report import charts, charts_of_statistics, sentences, statistics, words
from pipeline.serving.report.exhibits import Exhibit, Section, table
from pipeline.serving.report.local_time import utc
from pipeline.serving.report.pictures import DayAxis

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pipeline.serving.report.exhibits import Material
    from pipeline.serving.report.facts import Bin, Gaps
    from pipeline.serving.report.screens import Picture
    from pipeline.serving.report.statistics import Autocorrelation

SHOWN = 10
DIGITS = 6
NOTE_ON_LAGS = (
    "Sums over all existing pairs, divided by the number of values: if gaps leave few pairs at a lag, its value moves "
    "towards zero, and a lag with fewer pairs than a quarter of the values is not shown. Bartlett's 95 % band."
)
NOTE_ON_OUTLIERS = (
    "Score: distance from the median of the same kind in robust standard deviations: 1.4826 times the median "
    "absolute deviation (modified z-score, Iglewicz and Hoaglin 1993). Totals are also low if meters are silent."
)


def autocorrelation(material: Material) -> Section:
    """How well an interval predicts one a day or a week later."""
    found = {name: statistics.autocorrelation(bins, material.extent.grain) for name, bins in material.series.items()}
    exhibits = tuple(_autocorrelation(material, name, each) for name, each in found.items())
    return Section("autocorrelation", "Autocorrelation", exhibits, NOTE_ON_LAGS)


def _autocorrelation(material: Material, name: str, found: Autocorrelation | str) -> Exhibit:
    said = words.about(name, sentences.autocorrelation(found))
    if isinstance(found, str):
        return Exhibit(f"autocorrelation-{name}", said)
    rows = [
        (n * found.minutes / 60, f"{value:.{DIGITS}f}", f"{band:.{DIGITS}f}")
        for n, (value, band) in enumerate(zip(found.values, found.band, strict=True), start=1)
    ]
    shown = table(f"autocorrelation-{name}", f"by lag, {name}", ("lag (h)", "autocorrelation", "band \u00b1"), rows)
    picture = material.picture(charts_of_statistics.autocorrelation(found))
    return Exhibit(f"autocorrelation-{name}", said, picture, (shown,))


def missing(material: Material) -> Section:
    """Expected intervals that are missing."""
    by_day, by_meter = material.figures.gaps_by_day(), material.figures.gaps_by_meter()
    said = sentences.missing(by_day, by_meter, material.extent.readings)
    note = "A meter is expected on a day if it delivered in the week before, or has a valid agreement."
    if not by_day:
        return Section("missing", "Missing intervals", (Exhibit("missing", said),), note)
    headers = ("direction", "local day", "intervals", "meters", "minutes of each")
    rows = [(each.direction, each.key, each.intervals, each.meters, each.minutes) for each in by_day]
    of_days = table("missing", "missing intervals by day", headers, rows)
    most = sorted(by_meter, key=lambda each: (-each.intervals, each.key, each.direction, each.minutes))
    worst = [(each.direction, each.key, each.intervals, each.minutes) for each in most[:SHOWN]]
    caption = f"the {len(worst)} of {len(most)} meters and directions with the most missing"
    of_meters = table("missing-meters", caption, ("direction", "meter", "intervals", "minutes of each"), worst)
    picture = _picture_of_gaps(material, by_day)
    return Section("missing", "Missing intervals", (Exhibit("missing", said, picture, (of_days, of_meters)),), note)


def _picture_of_gaps(material: Material, by_day: Sequence[Gaps]) -> Picture:
    days: list[date] = sorted({each.key for each in by_day})
    heights = {each.direction: dict.fromkeys(days, 0.0) for each in by_day}
    for each in by_day:
        heights[each.direction][each.key] += each.intervals
    values = {name: list(some.values()) for name, some in sorted(heights.items(), reverse=True)}
    return material.picture(charts.bars(values, DayAxis(days, material.clock), "missing intervals per day"))


def outliers(material: Material) -> Section:
    """Intervals and meter-days that are far from the usual."""
    exhibits = [_outlying_bins(material, name, bins) for name, bins in material.series.items()]
    days = material.figures.meter_days()
    found = statistics.outlying_days(days)
    rows = [
        (at.meter_id, at.direction, at.day, far.value, far.typical, f"{far.score:+.1f}", at.readings)
        for far in found[:SHOWN]
        for at in [days[far.place]]
    ]
    headers = ("meter", "direction", "local day", "kWh", "median kWh", "score", "readings")
    tables = (table("outlying-days", _caption(len(rows), len(found)), headers, rows),) if rows else ()
    exhibits.append(Exhibit("outlying-days", sentences.outlying_days(days, found), None, tables))
    return Section("outliers", "Outliers", tuple(exhibits), NOTE_ON_OUTLIERS)


def _outlying_bins(material: Material, name: str, bins: Sequence[Bin]) -> Exhibit:
    clock, grain = material.clock, material.extent.grain
    found = statistics.outlying_bins(bins)
    said = words.about(name, sentences.outlying_bins(bins, found, grain, clock))
    rows = [
        (
            at.day if material.is_daily else clock.exact(at.start),
            "" if material.is_daily else utc(at.start),
            far.value,
            far.typical,
            f"{far.score:+.1f}",
            at.readings,
        )
        for far in found[:SHOWN]
        for at in [bins[far.place]]
    ]
    headers = ("local time", "UTC", "kWh", "median kWh", "score", "readings")
    tables = (table(f"outliers-{name}", _caption(len(rows), len(found)), headers, rows),) if rows else ()
    days = sorted({each.day for each in bins})
    picture = charts_of_statistics.outliers(bins, found, days, clock, material.per_interval)
    return Exhibit(f"outliers-{name}", said, material.picture(picture), tables)


def _caption(shown: int, found: int) -> str:
    return f"the {shown} farthest of {found}" if found > shown else "all of them, the farthest first"
