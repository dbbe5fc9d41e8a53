"""The entry for files of thirty suppliers' shapes says what their files say, and is one that the configuration takes."""

from __future__ import annotations

import tomllib

import pytest

from pipeline.config.feeds import Feed
from pipeline.guess.guessing import guess
from tests.unit.guess.supplier_files import FILES


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
