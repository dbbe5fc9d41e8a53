"""The entry for files of thirty suppliers' shapes says what their files say, and is one that the configuration takes."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.clock.local_time import wall_clock
from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import trial
from pipeline.guess.guessing import guess
from tests.unit.guess.supplier_files import FILES, FIRST

RECEIVED = datetime(2023, 11, 20, tzinfo=UTC)


@pytest.fixture(params=FILES)
def supplier(request):
    return FILES[request.param]


@pytest.fixture
def entry(supplier, tmp_path):
    path = tmp_path / supplier.name
    path.write_bytes(supplier.content)
    return guess(path)


def test_the_entry_says_what_the_file_says(supplier, entry):
    found = entry.values()
    assert {key: found.get(key) for key in supplier.feed} == supplier.feed, entry.toml()
    assert {key: found["csv"].get(key) for key in supplier.csv} == supplier.csv, entry.toml()


def test_what_the_file_cannot_say_is_to_be_checked(supplier, entry):
    assert supplier.unsure <= {note.key for note in entry.notes if not note.is_certain}, entry.toml()


def test_the_entry_is_one_that_the_configuration_takes(entry):
    (feed,) = tomllib.loads(entry.toml())["feeds"]
    assert feed == entry.values()
    Feed(**feed)


def test_the_entry_fits_a_terminal(entry):
    # A column's name or a pattern is not broken.
    assert [line for line in entry.toml().splitlines() if len(line) > 80 and line.startswith("#")] == []


def test_the_entry_loads_the_file_as_it_stands_with_the_energy_that_it_holds(supplier, entry):
    feed = Feed(**entry.values())
    delivery = Delivery(feed.name, supplier.name, supplier.name, supplier.name, len(supplier.content), None)
    looked_at = trial.inspected(supplier.content, delivery, feed, "production")
    assert looked_at.reason_code is None, looked_at.reason
    found = trial.tried(supplier.content, looked_at, feed, RECEIVED)
    assert found.refused == []
    energy = defaultdict(Decimal)
    for (_, direction), day in found.days.items():
        energy[direction] += day.consumption / (1000 if feed.kept_unit == "Wh" else 1)
    assert energy == supplier.kwh
    # Two days from midnight, and nothing before it: a label at the wrong end would be an interval off.
    starts = [wall_clock(each.reading.interval_start, feed.time_zone) for each in found.first]
    dates = {day for day, _ in found.days}
    assert min(dates) == FIRST.date()
    assert len(dates) == (20 if supplier is FILES["daily"] else 2)
    if not supplier.name.startswith("HDF"):  # newest first
        assert starts[0] == FIRST
