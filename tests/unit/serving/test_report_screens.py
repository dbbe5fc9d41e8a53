"""Pictures of a report for wide and narrow screens, light and dark."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.serving.report import charts
from pipeline.serving.report.local_time import LocalClock
from pipeline.serving.report.pictures import COLOURS, DayAxis, drawing
from pipeline.serving.report.screens import DARK, NARROW, Picture, drawn

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 72
DAYS = [date(2021, 3, 1) + timedelta(days=n) for n in range(20)]


def bars(form: str) -> tuple[Figure, Picture]:
    with drawing():
        heights = {"import": [1.0] * len(DAYS), "export": [0.5] * len(DAYS)}
        figure = charts.bars(heights, DayAxis(DAYS, LocalClock("UTC")), "kWh per day")
        return figure, drawn(figure, form)


def width(svg: bytes) -> float:
    return float(ET.fromstring(svg).attrib["width"].removesuffix("pt"))  # noqa: S314 - our own


def test_a_narrow_picture_is_as_wide_as_a_phone_and_has_fewer_ticks():
    figure, picture = bars("svg")
    assert picture.narrow is not None
    assert width(picture.narrow) == NARROW * POINTS < width(picture.wide)
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == [
        "1 Mar\n2021",
        "7 Mar",
        "13 Mar",
        "19 Mar",
    ]


def test_a_narrow_legend_stays_inside_its_picture():
    figure, _ = bars("svg")
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert legend.get_window_extent().x1 <= figure.bbox.x1


def test_every_colour_of_a_picture_has_one_for_a_dark_screen():
    _, picture = bars("svg")
    for svg in (picture.wide.decode(), picture.narrow.decode() if picture.narrow else ""):
        assert "prefers-color-scheme: dark" in svg
        for colour in ("#ffffff", *(COLOURS[name].lower() for name in ("import", "export"))):
            assert f'[style*="fill: {colour}"]{{fill:{DARK[colour]}!important}}' in svg
    assert {colour.lower() for colour in COLOURS.values()} <= set(DARK)


def test_a_png_is_one_picture():
    _, picture = bars("png")
    assert picture.wide.startswith(b"\x89PNG")
    assert picture.narrow is None
