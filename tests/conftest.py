"""One Spark session and one demo lake for the whole test run, and a separate lake for each test that needs one."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from typer.testing import CliRunner

import main
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.runtime import class_archive, sail, session
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.connect_server import ConnectServer
from tests.faults.seeds import SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[1]
# `make test-versions`: the tests with a session of a server of Spark Connect.
BY_CONNECT = os.environ.get("METERLAKE_TESTS") == "connect"
# `make test-sail`: those with a session of Sail.
BY_SAIL = os.environ.get("METERLAKE_TESTS") == "sail"


def command(*arguments: str, config: Path) -> Any:
    return CliRunner().invoke(main.app, list(arguments), env={"METERLAKE_CONFIG": str(config)})


# Drawn examples are judged by what they find, not by how long this machine takes for them.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")
# Seconds that the longest test of a marker takes on a slow day.
LONGEST = {"cluster": 250, "slow": 180, "faults": 150, "fuzz": 150}


def pytest_report_header() -> str:
    """Show the seed, so that random tests can be repeated."""
    return f"drawn by lot: TEST_SEED={SEED}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """CI gives the tests that come last what time it has left: TESTS_UNTIL, in seconds since 1970."""
    until = os.environ.get("TESTS_UNTIL")
    needed = max((seconds for mark, seconds in LONGEST.items() if item.get_closest_marker(mark)), default=0)
    if until and needed and time.time() + needed > float(until):
        pytest.skip("no time left in this run of CI: `make help` names the target that runs it")


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The session that every test and every job of this run shares; with METERLAKE_TESTS=connect one of a server."""
    if BY_SAIL:
        os.environ["METERLAKE_ENGINE"] = "sail"  # it stays: for the commands of this process too
    settings = Settings(feeds=(Feed(name="gas", format="smrt", path="unused"),))
    if BY_SAIL:
        yield session.build(settings)
        sail.finish()
        return
    if BY_CONNECT:
        server = ConnectServer(tmp_path_factory.mktemp("spark-connect"))
        # It stays: commands in this process ask which kind of Spark they have.
        os.environ["SPARK_REMOTE"] = server.url
        try:
            yield session.build(settings, 0)
        finally:
            server.stop()
        return
    with pytest.MonkeyPatch.context() as patch:
        # It records no classes, because pytest ends without waiting for its JVM. As for few deliveries: here too the
        # optimising compiler costs more than it saves (nineteen tests of jobs: 200 CPU seconds with it, 148 without).
        patch.setenv(class_archive.OFF, "1")
        running = session.build(settings)
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
