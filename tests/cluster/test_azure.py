"""A lake and its landing folders in Azure's store, as far as the driver goes: no Spark, no Java.

The lake was made in a folder and copied: Spark's driver for abfss:// needs an endpoint that Azurite does not have.
"""

from __future__ import annotations

import json
import time
from contextlib import closing

import pytest
from deltalake import DeltaTable
from pyarrow import fs

from pipeline.config.settings import load
from pipeline.deliveries import landing
from tests.cluster.azure import Azure
from tests.cluster.test_cluster import TABLES
from tests.cluster.without_java import served, told

pytestmark = [pytest.mark.cluster, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with closing(Azure(tmp_path_factory.mktemp("azure"))) as store:
        yield store


@pytest.fixture
def copied(store, demo, tmp_path):
    """(configuration, URI) of a copy of the demo's lake and landing folders; its reference is a file of this machine."""
    name = f"demo-{time.time_ns()}"
    uri = store.container(name)
    fs.copy_files(str(demo.parent / "data_lake"), name, destination_filesystem=store.files())
    here = str(demo.parent / "data_lake")
    text = (
        demo.read_text().replace(f'lake = "{here}"', f'lake = "{uri}"').replace(f'path = "{here}/', f'path = "{uri}/')
    )
    config = tmp_path / "meterlake.toml"
    config.write_text(text)
    assert text.count(uri) == 1 + text.count("[[feeds]]")
    return config, uri


# What looking at a lake says of its whole content.
@pytest.mark.parametrize(
    "arguments",
    [("status",), ("files", "--limit", "1000"), ("rejected", "--limit", "1000")],
    ids=lambda given: given[0],
)
def test_it_is_looked_at_as_a_folder_is(store, copied, demo, arguments):
    config, uri = copied

    def said(config, **variables):
        answer = json.loads(told(config, *arguments, **variables).replace(str(demo.parent / "data_lake"), uri))
        if arguments == ("status",):
            # Copies have the time of copying, so that each looks as if it waited; a store tells no size.
            answer |= {"gold": answer["gold"]["newest_delivery_at"], "disk_bytes": None}
        return answer

    assert said(config, **store.variables) == said(demo)
    assert len(said(demo)) > 1


def test_it_is_served_as_a_folder_is(store, copied, demo):
    config, _ = copied
    half_hours = "/aggregates/half-hour?from=2021-01-01&to=2022-01-01&limit=10000"
    with served(demo) as folder, served(config, **store.variables) as azure:
        for address in (half_hours, "/meters?limit=1000", "/files?limit=1000"):
            answer = azure(address)
            assert answer == folder(address)
            assert len(answer) > 5


def test_its_landing_folders_hold_what_a_folder_holds(store, copied, demo, monkeypatch):
    for name, value in store.variables.items():
        monkeypatch.setenv(name, value)
    config, _ = copied
    there, here = load(config), load(demo)
    for feed in here.feeds:
        found = [(each.relative_path, each.size_bytes, landing.read(each, feed)) for each in landing.find(feed)]
        other = there.feed(feed.name)
        deliveries = landing.find(other)
        assert [(each.relative_path, each.size_bytes, landing.read(each, other)) for each in deliveries] == found
        assert landing.changed_since(deliveries, other) == []


def test_a_run_that_finds_the_deliveries_unchanged_takes_the_open_claim_over_and_writes_no_row(
    store, copied, monkeypatch
):
    for name, value in store.variables.items():
        monkeypatch.setenv(name, value)
    config, uri = copied

    def versions():
        return {name: DeltaTable(f"{uri}/{name}").version() for name in TABLES}

    def files():
        return {name: sorted(DeltaTable(f"{uri}/{name}").file_uris()) for name in TABLES}

    before = versions(), files()
    assert json.loads(told(config, "run", **store.variables))["files"] == 0
    # In a folder the lock says that a run has ended, and its claim stays open: here it is taken over, by a commit a table.
    after = versions()
    assert {name: after[name] > before[0][name] for name in TABLES} == dict.fromkeys(TABLES, True)
    # The log notes the copies' new times, so that they are not read again.
    looked_at = files()
    assert [name for name in TABLES if looked_at[name] != before[1][name]] == ["ops/ingestion_log"]
    assert json.loads(told(config, "run", **store.variables))["files"] == 0
    assert (versions(), files()) == (after, looked_at)


def test_a_container_that_does_not_exist_is_one_line(store, copied):
    config, uri = copied
    config.write_text(config.read_text().replace(f'lake = "{uri}"', f'lake = "{uri.replace("demo-", "forgotten-")}"'))
    for command in ("run", "status", "files"):
        line = told(config, command, code=1, **store.variables)
        assert "the store has no such bucket: create it" in line


def test_a_key_that_is_refused_is_one_line(store, copied):
    config, _ = copied
    refused = store.variables | {"AZURE_STORAGE_ACCOUNT_KEY": "bm90IHRoZSBrZXk="}
    for command in ("run", "status"):
        assert "the store refuses these credentials" in told(config, command, code=1, **refused)
