"""A picture for every screen: as wide as a page or as narrow as a phone, on a light or a dark ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.ticker import FixedFormatter

from pipeline.serving.report.pictures import legend, saved

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches; a phone shows it at about its own size, so that its letters are as large as the text.
NARROW = 3.75
FEW_TICKS = 5
LEGEND_COLUMNS = 2
# Light -> dark, as matplotlib writes colours: ground, letters and axes, grid, missing values, then the series.
DARK = {
    "#ffffff": "#15191e",
    "#000000": "#e6edf3",
    "#666666": "#9da7b3",
    "#e5e5e5": "#30363d",
    "#bdbdbd": "#4a525a",
    "#0072b2": "#56b4e9",
    "#d55e00": "#ff8f45",
    "#009e73": "#2fc79b",
    "#cc79a7": "#e39cc2",
    "#003a5c": "#cfe8f7",
}


@dataclass(frozen=True)
class Picture:
    """A picture (SVG or PNG); in HTML also a `narrow` one, which has fewer ticks."""

    wide: bytes
    narrow: bytes | None = None


def drawn(figure: Figure, form: str) -> Picture:
    """The figure as `png`, or as `svg` for wide and narrow screens that adapts itself to a dark one."""
    wide = saved(figure, form)
    if form != "svg":
        return Picture(wide)
    _make_narrow(figure)
    return Picture(_for_the_dark(wide), _for_the_dark(saved(figure, form)))


def _make_narrow(figure: Figure) -> None:
    figure.set_size_inches(NARROW, figure.get_figheight())
    for axes in figure.axes:
        _thin_ticks(axes)
        if axes.get_legend() is not None:
            legend(axes, LEGEND_COLUMNS)


def _thin_ticks(axes: Axes) -> None:
    """Show every second or third tick of those that were set; ticks that matplotlib chose, it chooses again."""
    ticks = list(axes.get_xticks())
    step = -(-len(ticks) // FEW_TICKS)
    if isinstance(axes.xaxis.get_major_formatter(), FixedFormatter):
        axes.set_xticks(ticks[::step], [label.get_text() for label in axes.get_xticklabels()][::step])
    elif ticks and axes.get_xlim()[0] <= ticks[0]:
        axes.set_xticks(ticks[::step])


def _for_the_dark(svg: bytes) -> bytes:
    """The picture with other colours where the reader's screen is dark; letters have the colour of the root."""
    rules = [f"svg{{fill:{DARK['#000000']}}}"]
    for light, dark in DARK.items():
        rules += [f'[style*="{name}: {light}"]{{{name}:{dark}!important}}' for name in ("fill", "stroke")]
    style = f"<style>@media (prefers-color-scheme: dark){{{''.join(rules)}}}</style>"
    head, end, _ = svg.rpartition(b"</svg>")
    return head + style.encode("ascii") + end + b"\n"
