"""A report in a real browser: its pictures fit a phone, and a dark screen."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.conftest import command
from tests.page.browser import Shown

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.page
GROUND = {"light": (255, 255, 255), "dark": (21, 25, 30)}


@pytest.fixture(scope="module")
def report(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "solar.html"
    assert command("report", "--feed", "solar", "--out", str(out), config=config).exit_code == 0
    return out


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_picture_fits_its_screen_and_has_its_ground(browser, report, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown = Shown(context.new_page(), "")
    shown.page.goto(report.as_uri())
    assert shown.page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    pictures = shown.page.locator("img")
    assert pictures.count() > 5
    for n in range(pictures.count()):
        box = pictures.nth(n).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        # Letters about as large as they were drawn: neither a postage stamp nor a poster.
        drawn = pictures.nth(n).evaluate("picture => picture.naturalWidth")
        assert 0.85 < box["width"] / drawn < 1.35
    seen = Image.open(io.BytesIO(pictures.first.screenshot())).convert("RGB")
    assert all(abs(a - b) <= 2 for a, b in zip(seen.getpixel((3, 3)), GROUND[scheme], strict=True))
    assert shown.errors == []
    context.close()
