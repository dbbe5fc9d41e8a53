"""One lake, one server and one browser for the tests of the page; a context of its own for each test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from tests.page.browser import Server, Shown, chromium
from tests.page.lake import Sql, make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser
    from pyspark.sql import SparkSession


@pytest.fixture(scope="session")
def config(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="session")
def sql(config: Path) -> Sql:
    return Sql(config)


@pytest.fixture(scope="session")
def server(config: Path) -> Iterator[Server]:
    running = Server(config)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    # Chromium's sandbox refuses to run as root, which is whom CI's containers know.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield running
        running.close()


@pytest.fixture
def shown(browser: Browser, server: Server) -> Iterator[Shown]:
    """A page that asks no other machine, says nothing on the console and opens no dialog."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = Shown(context.new_page(), server.origin)
    yield opened
    context.close()
    assert [url for url in opened.requests if not url.startswith(server.origin)] == []
    assert opened.errors == []
