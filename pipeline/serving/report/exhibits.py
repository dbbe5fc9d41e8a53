"""A report's parts: sections of exhibits, each a sentence, a picture and the exact figures beneath it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.errors import printable
from pipeline.serving.report.local_time import DAY_MINUTES, interval_name
from pipeline.serving.report.screens import Picture, drawn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.figure import Figure

    from pipeline.serving.report.facts import Bin, Extent
    from pipeline.serving.report.figures import Figures
    from pipeline.serving.report.local_time import LocalClock

MOST_CELLS = 100_000


@dataclass(frozen=True)
class Table:
    """Exact figures as text. `left_out` rows at the beginning did not fit on the page."""

    id: str
    caption: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


@dataclass(frozen=True)
class Exhibit:
    """A sentence with its picture and tables; the sentence is also the picture's alternative text."""

    id: str
    sentence: str
    picture: Picture | None = None
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Section:
    """Exhibits of one kind; `note` says how their figures are computed."""

    id: str
    title: str
    exhibits: tuple[Exhibit, ...]
    note: str = ""


@dataclass(frozen=True)
class Material:
    """What sections are made from; `form` is the pictures' format, `series` the intervals by direction."""

    figures: Figures
    extent: Extent
    clock: LocalClock
    form: str
    series: dict[str, list[Bin]] = field(default_factory=dict)

    @classmethod
    def of(cls, figures: Figures, extent: Extent, clock: LocalClock, form: str) -> Material:
        """The material with the series of every direction."""
        series: dict[str, list[Bin]] = {name: [] for name in extent.directions}
        for each in figures.series(extent.grain):
            series[each.direction].append(each)
        return cls(figures, extent, clock, form, {name: bins for name, bins in series.items() if bins})

    @property
    def is_daily(self) -> bool:
        """Whether readings are of whole days, so that there is nothing to show by clock time."""
        return self.extent.grain == DAY_MINUTES

    @property
    def per_interval(self) -> str:
        """The unit of the series."""
        return f"kWh per {interval_name(self.extent.grain)}"

    def picture(self, figure: Figure) -> Picture:
        """The picture in the report's format."""
        return drawn(figure, self.form)


def exact(value: object) -> str:
    """A figure for a table: all digits, ISO days, no control sequences or markup."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else printable(str(value))


def table(name: str, caption: str, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table of exact figures; if there are very many, the last ones."""
    texts = [tuple(exact(value) for value in row) for row in rows]
    most = MOST_CELLS // len(headers)
    return Table(name, caption, tuple(headers), tuple(texts[-most:]), max(0, len(texts) - most))
