"""A store that refuses: one line, nothing lost, and the next run carries on."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from pyarrow import fs

from tests.cluster import faulty_store
from tests.cluster.faulty_store import EXPIRED, SLOW_DOWN, UNKNOWN_KEY
from tests.cluster.servers import HERE, Store, stop
from tests.cluster.test_two_writers import SECONDS, Lake

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from tests.cluster.faulty_store import Fault, FaultyStore

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("store"))
    yield store
    stop(store.process)


@dataclass
class Abroad:
    """A lake in a store with faults; the test itself reads it without them."""

    lake: Lake
    faulty: FaultyStore

    def run(self, name: str) -> None:
        """A run that must succeed, without faults."""
        self.faulty.fault = lambda _method, _path: None
        assert self.start(name).wait(SECONDS) == 0, self.lake.said(name)

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        return self.lake.start(name, *arguments, AWS_ENDPOINT_URL=self.faulty.url)

    def fails(self, name: str, *arguments: str) -> str:
        """The one line of a command that must fail with exit code 1; above it only lines of the log."""
        code = self.start(name, *arguments).wait(SECONDS)
        assert code == 1, self.lake.said(name)
        return last_line(self.lake.folder / f"{name}.err")


def last_line(path: Path) -> str:
    *above, line = path.read_text().splitlines()
    assert all(json.loads(each)["event"] for each in above), above
    assert line.startswith("meterlake: ")
    return line


@pytest.fixture
def abroad(store, tmp_path):
    with faulty_store.before(store.port) as faulty:
        root = f"s3a://{bucket(store)}/lake"
        settings = store.settings | {"spark.hadoop.fs.s3a.endpoint": faulty.url}
        yield Abroad(Lake(tmp_path, root, settings, store.variables), faulty)


def bucket(store: Store, name: str = "") -> str:
    name = name or f"abroad-{time.time_ns()}"
    there = fs.S3FileSystem(
        access_key="reader", secret_key="not a secret", endpoint_override=f"{HERE}:{store.port}", scheme="http",
        region="us-east-1", allow_bucket_creation=True,
    )  # fmt: skip
    there.create_dir(name)
    return name


def from_then_on(fault: Fault, begins: Callable[[str, str], bool]) -> Callable[[str, str], Fault | None]:
    """The fault as the answer to every request, once one came for which `begins`."""
    begun = []

    def answer(method: str, path: str) -> Fault | None:
        if begun or begins(method, path):
            begun.append(path)
            return fault
        return None

    return answer


# What is written when the credentials expire: by Spark bronze's rows, by the driver the log, silver and gold.
@pytest.mark.parametrize(
    "place", ["bronze/electricity/part", "ops/ingestion_log/part", "silver/readings/", "gold/meter_day/"]
)
def test_credentials_that_expire_during_a_run_are_one_line_and_the_next_run_carries_on(abroad, place):
    abroad.lake.lay()
    abroad.run("first")
    abroad.lake.lay()
    abroad.faulty.fault = from_then_on(EXPIRED, lambda method, path: method == "PUT" and place in path)
    line = abroad.fails("expired")
    assert abroad.faulty.answered["ExpiredToken"]
    assert "the credentials for the store have expired: renew them, then run again" in line
    abroad.run("renewed")
    abroad.lake.holds_all_once()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (EXPIRED, "the credentials for the store have expired"),
        (UNKNOWN_KEY, "the store refuses these credentials"),
        (SLOW_DOWN, "the store asks for fewer requests, and all tries were used up"),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_a_store_that_refuses_everything_is_one_line_for_every_command(abroad, fault, says):
    abroad.lake.lay()
    abroad.faulty.fault = lambda _method, _path: fault
    for command in (["run"], ["status"], ["files"], ["explain", "m1", "2021-01-04T00:00Z"]):
        assert says in abroad.fails(command[0], *command)
    abroad.run("again")
    abroad.lake.holds_all_once()


def test_a_store_that_throttles_some_requests_only_makes_a_run_slower(abroad):
    counted = iter(range(1_000_000))
    for _ in range(2):
        abroad.lake.lay()
        abroad.faulty.fault = lambda _method, _path: SLOW_DOWN if next(counted) % 5 == 0 else None
        name = f"throttled-{abroad.lake.laid}"
        assert abroad.start(name).wait(SECONDS) == 0, abroad.lake.said(name)
    assert abroad.faulty.answered["SlowDown"] > 50
    abroad.lake.holds_all_once()


def test_a_bucket_that_does_not_exist_is_one_line_and_once_it_is_made_the_run_carries_on(store, tmp_path):
    name = f"forgotten-{time.time_ns()}"
    lake = Lake(tmp_path, f"s3a://{name}/lake", store.settings, store.variables)
    lake.lay()
    for command in ("run", "status"):
        assert lake.start(command, command).wait(SECONDS) == 1, lake.said(command)
        assert "the store has no such bucket: create it" in last_line(tmp_path / f"{command}.err")
    bucket(store, name)
    lake.run("made")
    lake.holds_all_once()
