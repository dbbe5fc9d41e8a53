"""The pictures of energy: totals, load shape, profile, heat map, import against export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.serving.report.local_time import DAY, DAY_MINUTES, clock_text, interval_name
from pipeline.serving.report.pictures import BLUE, COLOURS, GREY, MOST_TICKS, ORANGE, DayAxis, blank, legend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pipeline.serving.report.facts import Bin
    from pipeline.serving.report.local_time import LocalClock
    from pipeline.serving.report.statistics import Slot

DASHES = {"import": "-", "export": "--", "consumption": "-", "production": "--"}
CLOCK_TICKS = list(range(0, DAY_MINUTES + 1, 180))
FEWEST_BARS = 4  # wide enough that a single bar does not fill the picture
MANY_DAYS = 60
MANY_VALUES = 2000
HATCHED: dict[str, Any] = {"hatch": "///", "edgecolor": "white", "linewidth": 0}


def lines(series: Mapping[str, Sequence[Bin]], days: Sequence[date], clock: LocalClock, unit: str) -> Figure:
    """The series of each direction over time, with breaks where days are missing."""
    figure, axes = blank()
    axis = DayAxis(days, clock)
    for name, bins in series.items():
        line(axes, axis, bins, color=COLOURS[name], linestyle=DASHES[name], label=name)
    energy(axes, unit)
    axis.draw(axes, centred=False)
    if len(series) > 1:
        legend(axes)
    return figure


def line(axes: Axes, axis: DayAxis, bins: Sequence[Bin], **style: str) -> None:
    """A line through the values of intervals, with breaks between days that are not adjacent."""
    places: list[float] = []
    values: list[float] = []
    for n, each in enumerate(bins):
        if n and each.day - bins[n - 1].day > DAY:
            places.append(np.nan)
            values.append(np.nan)
        places.append(axis.of_instant(each.start, each.day))
        values.append(float(each.kwh))
    width = 1.4 if len(places) < MANY_VALUES else 0.5
    axes.plot(places, values, linewidth=width, **style)  # type: ignore[arg-type]


def bars(heights: Mapping[str, Sequence[float]], labels: Sequence[str] | DayAxis, unit: str, what: str = "") -> Figure:
    """Bars of each direction side by side, over names or on an axis of days. `unit` and `what` label the axes."""
    figure, axes = blank()
    many = len(labels) > MANY_DAYS  # too thin for gaps and hatches
    width = (1 if many else 0.8) / len(heights)
    for n, (name, values) in enumerate(heights.items()):
        places = np.arange(len(values)) + width * (n + 0.5 - len(heights) / 2)
        axes.bar(places, values, width, color=COLOURS[name], label=name, **(HATCHED if n % 2 and not many else {}))
    if isinstance(labels, DayAxis):
        labels.draw(axes, centred=True)
    else:
        shown = range(0, len(labels), -(-len(labels) // MOST_TICKS))
        axes.set_xticks(list(shown), [labels[n] for n in shown])
        beside = max(0.5, (FEWEST_BARS - len(labels)) / 2)
        axes.set_xlim(-beside, len(labels) - 1 + beside)
        axes.grid(visible=False, axis="x")
        axes.set_xlabel(what)
    energy(axes, unit)
    if len(heights) > 1:
        legend(axes)
    return figure


def shape(weekday: Sequence[Slot], weekend: Sequence[Slot], grain: int, clock: LocalClock) -> Figure:
    """The average weekday and the average weekend day, by clock time."""
    figure, axes = blank()
    for name, some, colour, dashes in (("weekday", weekday, BLUE, "-"), ("weekend", weekend, ORANGE, "--")):
        if some:
            averages = [float(slot.average) for slot in some]
            _steps(axes, some, averages, grain, color=colour, linestyle=dashes, label=name)
    energy(axes, f"average kWh per {interval_name(grain)}")
    _clock(axes, clock)
    legend(axes)
    return figure


def day_types(averages: Mapping[str, float]) -> Figure:
    """The average weekday and weekend day, for daily readings."""
    figure, axes = blank()
    axes.bar(list(averages), list(averages.values()), 0.5, color=[BLUE, ORANGE][: len(averages)])
    axes.grid(visible=False, axis="x")
    axes.margins(x=0.4)
    energy(axes, "average kWh per day")
    return figure


def profile(found: Sequence[Slot], grain: int, clock: LocalClock) -> Figure:
    """Median, middle half and middle nine tenths by clock time."""
    figure, axes = blank()
    quantiles = np.array([[float(value) for value in slot.quantiles] for slot in found])
    closed = np.vstack([quantiles, quantiles[-1:]])
    for low, high, shade, name in ((0, 4, 0.2, "5 % to 95 %"), (1, 3, 0.45, "25 % to 75 %")):
        style: dict[str, Any] = {"step": "post", "color": BLUE, "alpha": shade, "linewidth": 0, "label": name}
        axes.fill_between(_edges(found, grain), closed[:, low], closed[:, high], **style)
    _steps(axes, found, quantiles[:, 2].tolist(), grain, color="#003A5C", label="median")
    energy(axes, f"kWh per {interval_name(grain)}")
    _clock(axes, clock)
    legend(axes)
    return figure


def heat_map(cells: Sequence[Sequence[Decimal | None]], days: Sequence[date], grain: int, clock: LocalClock) -> Figure:
    """Days side by side, clock times from top to bottom; grey means no reading. `cells` is by day."""
    figure, axes = blank(height=4.2)
    values = np.array([[np.nan if cell is None else float(cell) for cell in row] for row in cells]).T
    axes.set_facecolor("#BDBDBD")
    place: dict[str, Any] = {"aspect": "auto", "interpolation": "nearest", "extent": (0, len(days), DAY_MINUTES, 0)}
    image = axes.imshow(np.ma.masked_invalid(values), cmap="cividis", **place)
    DayAxis(days, clock).draw(axes, centred=False)
    axes.grid(visible=False)
    axes.set_yticks(CLOCK_TICKS, [clock_text(minute) for minute in CLOCK_TICKS])
    axes.set_ylabel("local clock time")
    figure.colorbar(image, ax=axes, label=f"kWh per {interval_name(grain)}", pad=0.02)
    return figure


def balance(imports: Sequence[float], exports: Sequence[float], days: Sequence[date], clock: LocalClock) -> Figure:
    """Import upwards, export downwards, and the difference, by local day."""
    figure, axes = blank()
    places = np.arange(len(days))
    axes.bar(places, imports, 0.8, color=COLOURS["import"], label="import")
    axes.bar(places, -np.array(exports), 0.8, color=COLOURS["export"], label="export", **HATCHED)
    net = np.array(imports) - np.array(exports)
    axes.plot(places, net, "D", color="black", markersize=4 if len(days) < MANY_DAYS else 1.5, label="import - export")
    axes.axhline(0, color=GREY, linewidth=0.8)
    low = axes.get_ylim()[0]
    energy(axes, "kWh per day")
    axes.set_ylim(bottom=low)
    DayAxis(days, clock).draw(axes, centred=True)
    legend(axes)
    return figure


def energy(axes: Axes, unit: str) -> None:
    """Label an axis of energy and start it at zero, so that heights can be compared."""
    axes.set_ylabel(unit)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")


def _edges(found: Sequence[Slot], grain: int) -> list[int]:
    return [*(slot.minute for slot in found), found[-1].minute + grain]


def _steps(axes: Axes, found: Sequence[Slot], values: Sequence[float], grain: int, **style: str) -> None:
    axes.plot(_edges(found, grain), [*values, values[-1]], drawstyle="steps-post", **style)  # type: ignore[arg-type]


def _clock(axes: Axes, clock: LocalClock) -> None:
    axes.set_xticks(CLOCK_TICKS, [clock_text(minute) for minute in CLOCK_TICKS])
    axes.set_xlim(0, DAY_MINUTES)
    axes.set_xlabel(f"local clock time ({clock.name})")
