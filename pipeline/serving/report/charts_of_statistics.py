"""The pictures of statistics: autocorrelation and outliers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.serving.report.charts import energy, line
from pipeline.serving.report.local_time import DAY_MINUTES
from pipeline.serving.report.pictures import BLUE, GREY, ORANGE, PALE, DayAxis, blank, legend
from pipeline.serving.report.words import HOUR_MINUTES, WEEK_MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from matplotlib.figure import Figure

    from pipeline.serving.report.facts import Bin
    from pipeline.serving.report.local_time import LocalClock
    from pipeline.serving.report.statistics import Autocorrelation, Outlier

FEW_LAGS = 40  # each of which gets a dot
TICKS = 8


def autocorrelation(found: Autocorrelation) -> Figure:
    """Autocorrelation by lag, with the confidence band around zero and the lags of a day and a week."""
    figure, axes = blank()
    unit, name, step = (HOUR_MINUTES, "hours", 24) if found.minutes < DAY_MINUTES else (DAY_MINUTES, "days", 7)
    lags = np.arange(1, len(found.values) + 1) * found.minutes / unit
    band = np.array(found.band)
    axes.fill_between(lags, -band, band, color=PALE, linewidth=0, label="95 % band")
    axes.axhline(0, color=GREY, linewidth=0.8)
    dot = "o" if len(lags) < FEW_LAGS else None
    axes.plot(lags, found.values, color=BLUE, label="autocorrelation", marker=dot, markersize=3)
    lowest = float(np.nanmin([*found.values, *-band]))
    axes.set_ylim(-1 if lowest < -1 / 2 else -1 / 2, 1)
    end = max(lags[-1], DAY_MINUTES / unit)
    for text, minutes in (("a day", DAY_MINUTES), ("a week", WEEK_MINUTES)):
        at = minutes / unit
        if at > end:
            continue
        axes.axvline(at, color=ORANGE, linewidth=1, linestyle="--")
        side = "left" if at < end / TICKS else "right"
        away = 3 if side == "left" else -3
        where = {"xycoords": ("data", "axes fraction"), "xytext": (away, 3), "textcoords": "offset points"}
        axes.annotate(text, (at, 0), fontsize=8, color=ORANGE, ha=side, **where)  # type: ignore[arg-type]
        if value := found.at(minutes):
            axes.plot([at], [value[0]], "o", color=ORANGE, markersize=5)
    if end >= step:
        axes.set_xticks(np.arange(0, end + 1, step * max(1, round(end / step / TICKS))))
    axes.set_xlim(0, end * 1.03)
    axes.set_xlabel(f"lag ({name})")
    axes.set_ylabel("autocorrelation")
    legend(axes)
    return figure


def outliers(
    bins: Sequence[Bin], found: Sequence[Outlier], days: Sequence[date], clock: LocalClock, unit: str
) -> Figure:
    """The series with its outliers, each connected to the typical value of its clock time."""
    figure, axes = blank()
    axis = DayAxis(days, clock)
    line(axes, axis, bins, color="#9A9A9A")
    if found:
        places = [axis.of_instant(bins[each.place].start, bins[each.place].day) for each in found]
        typical, values = [float(each.typical) for each in found], [float(each.value) for each in found]
        axes.vlines(places, typical, values, color=ORANGE, linewidth=0.8)
        axes.plot(places, typical, "_", color=BLUE, markersize=8, label="typical")
        axes.plot(places, values, "o", color=ORANGE, markersize=4, label="outlier")
        legend(axes)
    energy(axes, unit)
    axis.draw(axes, centred=False)
    return figure
