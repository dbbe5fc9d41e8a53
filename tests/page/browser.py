"""A browser's page on a separate server, and everything that must never happen in it."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tests.faults.a_lake import ROOT, environment

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

SECONDS = 60
VIEWS = ("today", "load", "heat", "products", "completeness", "deliveries", "restatements")
READY = "#main[aria-busy=false]"


def chromium() -> str | None:
    """The system's Chromium; None: the one that Playwright fetched."""
    found = shutil.which("chromium")
    works = found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0
    return found if works else None


class Server:
    """`main.py serve` as a process on a free port of this machine."""

    def __init__(self, config: Path, port: int = 0, **variables: str) -> None:
        command = [sys.executable, str(ROOT / "main.py"), "serve", "--port", str(port), "--config", str(config)]
        self.process = subprocess.Popen(
            command, cwd=config.parent, env=environment() | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        banner = self.process.stdout.readline()
        assert "http://127.0.0.1:" in banner, self.process.communicate(timeout=SECONDS)
        self.port = int(banner.split("127.0.0.1:")[1].split("/")[0])
        self.origin = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=SECONDS)


class Shown:
    """A page, opened at addresses; what it must not do is kept until the test ends."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page, self.origin = page, origin
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda said: self.errors.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda problem: self.errors.append(str(problem)))
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def at(self, address: str) -> Page:
        """A view by the rest of its address."""
        self.page.goto(f"{self.origin}/{address}")
        return self.ready()

    def open(self, **state: str) -> Page:
        """A view by its address, when everything of it is there."""
        self.page.goto(f"{self.origin}/?{urlencode({name.rstrip('_'): value for name, value in state.items()})}")
        return self.ready()

    def ready(self) -> Page:
        """Wait until the requested view is shown."""
        self.page.wait_for_selector(READY)
        return self.page

    def figures(self) -> list[list[str]]:
        """The table below the chart, opened as a person does, every row of it."""
        if self.page.locator("details.figures").count() and not self.page.locator("details.figures[open]").count():
            self.page.locator("details.figures summary").click()
            self.page.wait_for_selector("#view tbody tr")  # filled once it is open
        return self.table()

    def table(self) -> list[list[str]]:
        """Cells of the one table that is shown, without its head: exact values where it shows short ones."""
        more = self.page.get_by_role("button", name="Show more rows")
        while more.count():
            more.click()
        exact = "cell.querySelector('time')?.dateTime ?? cell.querySelector('data')?.value ?? cell.textContent"
        rows = f"rows => rows.map(row => [...row.cells].map(cell => {exact}))"
        return self.page.locator("#view tbody tr").evaluate_all(rows)

    def texts(self) -> list[list[str]]:
        """The same cells as a person sees them."""
        self.figures()
        rows = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
        return self.page.locator("#view tbody tr").evaluate_all(rows)

    def csv(self) -> list[dict[str, str]]:
        """The rows that the view's download holds."""
        with self.page.expect_download() as download:
            self.page.locator("p.download button").last.click()
        return list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"), newline="")))

    def traces(self) -> list[dict[str, Any]]:
        """What Plotly was given."""
        keys = "({x, y, z, name, customdata, type}) => ({x, y, z, name, customdata, type})"
        return self.page.locator(".chart").evaluate(f"chart => chart.data.map({keys})")

    def said(self) -> str:
        """The view's sentence; ages, which grow, are left out."""
        return re.sub(r"\d+ (second|minute|hour|day)s? ago|\bnow\b", "…", self.page.locator("#said").inner_text())

    def alert(self) -> str:
        """The problem that is shown."""
        self.page.wait_for_selector("#alert > *")
        return self.page.get_by_role("alert").inner_text()


def utc(text: str) -> str:
    """An instant with an offset as Spark SQL's text."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S}+00:00"


def ms(text: str) -> int:
    """An instant as the axis has it."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
