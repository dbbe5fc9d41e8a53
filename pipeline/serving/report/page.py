"""The whole report: what was read, then every section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.serving.report import energy_sections, preamble, statistic_sections
from pipeline.serving.report.exhibits import Material
from pipeline.serving.report.pictures import drawing
from pipeline.serving.report.render import Page

if TYPE_CHECKING:
    from pipeline.serving.report.figures import Figures
    from pipeline.serving.report.local_time import LocalClock

SECTIONS = (
    energy_sections.totals,
    energy_sections.shape,
    energy_sections.profile,
    energy_sections.heat_map,
    statistic_sections.autocorrelation,
    statistic_sections.missing,
    statistic_sections.outliers,
    energy_sections.balance,
)


def page_of(title: str, figures: Figures, clock: LocalClock, as_of: str, form: str) -> Page:
    """The report of figures with readings; `form` is the format of its pictures, `svg` or `png`."""
    extent = figures.extent()
    said = [
        preamble.extent(extent),
        as_of,
        preamble.lengths(extent.lengths, extent.grain),
        preamble.clock_changes(clock.odd_days(extent.days), clock),
    ]
    with drawing():
        material = Material.of(figures, extent, clock, form)
        return Page(title, said, [section(material) for section in SECTIONS])
