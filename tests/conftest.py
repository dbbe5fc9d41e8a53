"""One Spark session and one demo lake for the whole test run, and a lake of one's own for each test that wants one."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

import main
from pipeline import class_archive, session
from pipeline.config import Feed, Settings
from pipeline.context import Context
from pipeline.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[1]


def command(*arguments: str, config: Path) -> Any:
    return CliRunner().invoke(main.app, list(arguments), env={"METERLAKE_CONFIG": str(config)})


def pytest_runtest_setup(item: pytest.Item) -> None:
    """CI gives the tests of faults what time it has left: TESTS_UNTIL, in seconds since 1970."""
    slow = item.get_closest_marker("faults") or item.get_closest_marker("fuzz")
    until = os.environ.get("TESTS_UNTIL")
    if slow and until and time.time() > float(until):
        pytest.skip("no time left in this run of CI: `make test-faults` runs it")


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The session that every test and every job of this run shares."""
    settings = Settings(feeds=(Feed(name="gas", format="smrt", path="unused"),))
    with pytest.MonkeyPatch.context() as patch:
        # As for many deliveries: this session lives for minutes, which the optimising compiler is for. It records no
        # classes: pytest ends without waiting for its JVM.
        patch.setenv(class_archive.OFF, "1")
        running = session.build(settings, session.FEW_BYTES)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def demo(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Configuration of a lake on which the demo has run. Every module of tests reads it, so none may change it."""
    path = configuration(tmp_path_factory.mktemp("demo"))
    result = command("demo", config=path)
    assert result.exit_code == 0, result.output
    assert "(no agreement)" in result.output
    return path


def demo_in(folder: Path, demo: Path) -> Path:
    """Configuration of a copy of the demo lake, with its landing folders: for tests that change it."""
    # Times are copied as well: a file that looks changed would be read as a new delivery.
    shutil.copytree(demo.parent / "data_lake", folder / "data_lake")
    return configuration(folder)


def configuration(folder: Path) -> Path:
    """The example configuration, written into a folder, of a lake in that folder."""
    text = (ROOT / "conf" / "local.toml").read_text().replace("data_lake", str(folder / "data_lake"))
    path = folder / "local.toml"
    path.write_text(text)
    return path


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Callable[..., Context]:
    """A function from feeds and other settings to the context of a new run on this test's lake."""

    def context(*feeds: Feed, **settings: object) -> Context:
        for feed in feeds:
            (tmp_path / feed.path).mkdir(parents=True, exist_ok=True)
        placed = [feed.model_copy(update={"path": str(tmp_path / feed.path)}) for feed in feeds]
        values = {"lake": str(tmp_path / "lake"), "feeds": placed, **settings}
        return Context(Settings(**values), log=Log("", quiet=True))

    return context
