"""One Spark session and one demo lake for the whole test run, and a separate lake for each test that needs one."""

from __future__ import annotations

import os
import shutil
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

import main
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.runtime import class_archive, fetch_jars, session, spark_settings
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.faults.seeds import SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[1]


def command(*arguments: str, config: Path) -> Any:
    return CliRunner().invoke(main.app, list(arguments), env={"METERLAKE_CONFIG": str(config)})


# Seconds that the longest test of a marker takes on a slow day.
LONGEST = {"cluster": 250, "faults": 150, "fuzz": 150}


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
def spark() -> Iterator[SparkSession]:
    """The session that every test and every job of this run shares; with METERLAKE_TESTS=connect one of Spark Connect."""
    if os.environ.get("METERLAKE_TESTS") == "connect":
        running = _of_connect()
        yield running
        running.stop()
        return
    settings = Settings(feeds=(Feed(name="gas", format="smrt", path="unused"),))
    with pytest.MonkeyPatch.context() as patch:
        # It records no classes, because pytest ends without waiting for its JVM. As for few deliveries: here too the
        # optimising compiler costs more than it saves (nineteen tests of jobs: 200 CPU seconds with it, 148 without).
        patch.setenv(class_archive.OFF, "1")
        running = session.build(settings)
    yield running
    running.stop()


def _of_connect() -> SparkSession:
    """A client session for a server that it starts: no JVM in this process, no SparkContext."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - the tests without Spark do not wait for it

    jars = [str((fetch_jars.jar_folder() / jar.file).absolute()) for jar in fetch_jars.expected_jars()]
    of_server = {"spark.driver.extraClassPath": os.pathsep.join(jars), "spark.sql.shuffle.partitions": "2"}
    builder = SparkSession.builder.remote("local[2]")
    for name, value in (spark_settings.LOCAL | spark_settings.EXTENSIONS | spark_settings.REQUIRED | of_server).items():
        builder = builder.config(name, value)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the server's settings are not a client's to change
        return session.prepared(builder.getOrCreate())


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
