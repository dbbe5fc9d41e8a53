"""Every Mermaid diagram of the documents, drawn by Mermaid itself in a real browser.

    make test-deploy     # installs @mermaid-js/mermaid-cli into .venv-deploy/node, and runs this among others

Wants npm, and Debian's Chromium or the one that `make test-page` fetches; without either of them it is skipped.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import sync_playwright

from tests.deploy.tools import ROOT, needs

pytestmark = pytest.mark.deploy
COMMAND = ROOT / ".venv-deploy" / "node" / "node_modules" / ".bin" / "mmdc"
needs_mermaid = needs("npm", "Mermaid is installed with it", unless=COMMAND.exists())
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# In the browser: labels that do not fit into their boxes, and boxes that overlap.
CUT_OFF = """() => [...document.querySelectorAll('foreignObject')]
    .filter(room => room.firstElementChild && (room.firstElementChild.scrollWidth > room.width.baseVal.value + 2
        || room.firstElementChild.scrollHeight > room.height.baseVal.value + 2))
    .map(room => room.textContent.trim())"""
OVERLAPPING = """() => {
    const boxes = [...document.querySelectorAll('g.node')].map(node => [node, node.getBoundingClientRect()])
    const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1
    return boxes.flatMap(([one, a], n) => boxes.slice(n + 1).filter(([, b]) => meet(a, b))
        .map(([other]) => one.textContent.trim() + ' / ' + other.textContent.trim()))
}"""


def diagrams():
    """Each block with the document and line that it begins on."""
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for found in BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(found[1], id=f"{document.relative_to(ROOT)}:{line}")


@pytest.fixture(scope="session")
def browser_path():
    named = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    found = next((path for path in named if path), None)
    if found is None:
        with sync_playwright() as playwright:
            found = playwright.chromium.executable_path
    if not Path(found).exists():
        pytest.skip("no Chromium: make test-page fetches one")
    return found


@pytest.fixture
def drawn(tmp_path, browser_path):
    """Draws a diagram: the finished command, and where the picture is to be."""
    assert COMMAND.exists(), f"no {COMMAND}: `make test-deploy` installs it"
    settings = tmp_path / "puppeteer.json"
    settings.write_text(json.dumps({"executablePath": browser_path, "args": ["--no-sandbox"]}))

    def draw(text):
        source, picture = tmp_path / "diagram.mmd", tmp_path / "diagram.svg"
        source.write_text(text, encoding="utf-8")
        command = [
            str(COMMAND),
            "--puppeteerConfigFile",
            str(settings),
            "--input",
            str(source),
            "--output",
            str(picture),
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False), picture

    return draw


@contextmanager
def opened(picture, browser_path):
    """The picture in a browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(picture.as_uri())
        yield page
        browser.close()


def words(text):
    return set(re.findall(r"\w+", text))


@needs_mermaid
@pytest.mark.parametrize("text", list(diagrams()))
def test_mermaid_draws_every_diagram_whole(text, drawn, browser_path):
    done, picture = drawn(text)
    assert done.returncode == 0, done.stderr[-1500:]
    root = ET.parse(picture).getroot()  # noqa: S314 - made by our own command
    shown = words(
        " ".join(
            part
            for each in root.iter()
            if not each.tag.endswith("style")
            for part in (each.text or "", each.tail or "")
        )
    )
    labels = re.findall(r'"([^"]+)"', text)
    assert words(re.sub(r"</?\w+\s*/?>", " ", " ".join(labels))) <= shown
    with opened(picture, browser_path) as page:
        assert page.evaluate(CUT_OFF) == []
        assert page.evaluate(OVERLAPPING) == []


@needs_mermaid
def test_cut_off_and_overlapping_boxes_are_detected(drawn, browser_path):
    _, picture = drawn('flowchart LR\n one["some words"] --> two["others"]\n')
    with opened(picture, browser_path) as page:
        assert page.evaluate(CUT_OFF) == page.evaluate(OVERLAPPING) == []
        page.evaluate("document.querySelector('g.node foreignObject').setAttribute('width', '20')")
        assert page.evaluate(CUT_OFF) == ["some words"]
        page.evaluate("document.querySelectorAll('g.node').forEach(node => node.removeAttribute('transform'))")
        assert page.evaluate(OVERLAPPING) == ["some words / others"]


@needs_mermaid
def test_a_diagram_that_mermaid_cannot_read_is_refused(drawn):
    done, picture = drawn("flowchart LR\n a[no end --> b\n")
    assert done.returncode != 0
    assert "Parse error" in done.stderr
    assert not picture.exists()


def test_documents_hold_diagrams():
    assert len(list(diagrams())) >= 4
