"""How pictures look and are saved: the same figures give the same bytes, without a display or pyplot."""

from __future__ import annotations

import io
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from matplotlib.axes import Axes

    from pipeline.serving.report.local_time import LocalClock

# Okabe and Ito's palette, which colour-blind people can distinguish; lines also differ in dashes, bars in hatches.
BLUE, ORANGE, GREEN, PURPLE, GREY, PALE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#666666", "#E5E5E5"
COLOURS = {"import": BLUE, "export": ORANGE, "consumption": GREEN, "production": PURPLE}
WIDE, HIGH = 7.0, 3.3  # inches
PNG_DPI = 144
MOST_TICKS = 8
STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "DejaVu Sans",  # part of matplotlib: the same picture on every machine
    "font.size": 10,
    "grid.color": PALE,
    "hatch.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "svg.hashsalt": "meterlake",
}
NOTHING: dict[str, dict[str, Any]] = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}


@contextmanager
def drawing() -> Iterator[None]:
    """Use our style, whatever the user's matplotlib settings are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield


def blank(height: float = HIGH) -> tuple[Figure, Axes]:
    """A figure with one empty pair of axes."""
    figure = Figure(figsize=(WIDE, height), layout="constrained", facecolor="white")
    return figure, figure.add_subplot()


def saved(figure: Figure, form: str) -> bytes:
    """The picture as `svg` or `png`, without the time or the program that made it."""
    out = io.BytesIO()
    figure.savefig(out, format=form, dpi=PNG_DPI, metadata=NOTHING[form])
    return out.getvalue()


def legend(axes: Axes, columns: int = 4) -> None:
    """Put the legend above the axes, where it hides nothing."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2, handlelength=1.8)


class DayAxis:
    """An axis of the local days with figures: long gaps shrink to a marked break instead of filling the picture."""

    def __init__(self, days: Sequence[date], clock: LocalClock) -> None:
        self._days = list(days)
        self._place = {day: n for n, day in enumerate(self._days)}
        self._clock = clock

    def __len__(self) -> int:
        return len(self._days)

    def of_instant(self, instant: datetime, day: date) -> float:
        """The position of an instant of a local day: days of 23 and 25 hours are as wide as others."""
        return self._place[day] + self._clock.part_of_day(instant, day)

    def draw(self, axes: Axes, *, centred: bool) -> None:
        """Draw dates below the middle of their days (bars: `centred` on whole numbers) and a mark at every break."""
        step = -(-len(self._days) // MOST_TICKS)
        shown = range(0, len(self._days), step)
        labels, year = [], 0
        for day in (self._days[n] for n in shown):
            labels.append(f"{day.day} {day:%b}" + (f"\n{day.year}" if day.year != year else ""))
            year = day.year
        left = 0.5 if centred else 0.0
        axes.set_xticks([n + 0.5 - left for n in shown], labels)
        axes.set_xlim(-left, len(self._days) - left)
        axes.grid(visible=False, axis="x")
        axes.set_xlabel(f"local day ({self._clock.name})")
        breaks = [(n, after - before) for n, (before, after) in enumerate(pairwise(self._days), start=1)]
        breaks = [(n, distance) for n, distance in breaks if distance > timedelta(days=1)]
        for n, distance in breaks:
            axes.axvline(n - left, color=GREY, linewidth=0.9, linestyle=(0, (2, 2)))
            if len(breaks) <= MOST_TICKS:
                _name_break(axes, n - left, distance.days - 1)


def _name_break(axes: Axes, at: float, days: int) -> None:
    axes.annotate(
        f"{days} day{'' if days == 1 else 's'} left out",
        (at, 0.98),
        xycoords=("data", "axes fraction"),
        xytext=(2, 0),
        textcoords="offset points",
        fontsize=7,
        rotation=90,
        va="top",
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1},
    )
