"""Which configuration is found, and what its relative paths are relative to."""

from __future__ import annotations

import os
from inspect import getsource
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from pydantic import AfterValidator, BaseModel

from jobs.cli import configuration
from pipeline.config.anchored import PATHS, anchored
from pipeline.config.folders import as_opened
from pipeline.config.settings import Settings, load


@pytest.fixture
def below(tmp_path, monkeypatch):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_that_of_the_working_folder_is_relative_to_it_as_ever(below):
    (below / "meterlake.toml").touch()
    (below.parent / "meterlake.toml").touch()
    assert configuration.of_here() == (Path("meterlake.toml"), None)


def test_one_above_brings_its_folder(below, tmp_path):
    (tmp_path / "meterlake.toml").touch()
    assert configuration.of_here() == (tmp_path / "meterlake.toml", tmp_path)
    (below.parent / "meterlake.toml").mkdir()  # a folder of that name is none
    assert configuration.of_here() == (tmp_path / "meterlake.toml", tmp_path)


def test_one_above_of_another_user_is_passed_over(below, tmp_path, monkeypatch):
    (tmp_path / "meterlake.toml").touch()
    owner = (tmp_path / "meterlake.toml").stat().st_uid
    monkeypatch.setattr(configuration, "ROOT_USER", owner + 1)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 2)
    assert configuration.of_here() == (Path("conf/local.toml"), None)
    monkeypatch.setattr(os, "geteuid", lambda: owner)
    assert configuration.of_here() == (tmp_path / "meterlake.toml", tmp_path)


WHOLE = """
lake = "lake"
[[feeds]]
name = "gas"
format = "smrt"
path = "in/gas"
acknowledge = "../answers"
archive = "done"
[[feeds]]
name = "cloud"
format = "split_json"
path = "s3a://bucket/in"
[[feeds]]
name = "fixed"
format = "split_json"
path = "/srv/in"
[reference]
url = "jdbc:sqlite:db/reference.db"
feeds = ["cloud"]
[metrics]
textfile = "m.prom"
"""


def test_every_path_of_a_file_above_is_relative_to_its_folder(tmp_path):
    (tmp_path / "meterlake.toml").write_text(WHOLE)
    found = load(tmp_path / "meterlake.toml", tmp_path)
    assert found.root == f"{tmp_path}/lake"
    assert [feed.path for feed in found.feeds] == [f"{tmp_path}/in/gas", "s3a://bucket/in", "/srv/in"]
    assert (found.feeds[0].acknowledge, found.feeds[0].archive) == (f"{tmp_path}/../answers", f"{tmp_path}/done")
    assert found.reference.url == f"jdbc:sqlite:{tmp_path}/db/reference.db"
    assert found.metrics.textfile == f"{tmp_path}/m.prom"


def validators(annotation):
    """The functions that check a key, however deep they stand in its type."""
    found = [each.func for each in getattr(annotation, "__metadata__", ()) if isinstance(each, AfterValidator)]
    return [*found, *(func for part in get_args(annotation) for func in validators(part))]


def keys_that_are_paths(table, name=""):
    """(table, key) of every key that is checked as what Python opens (folders.as_opened), in all tables below."""
    for key, hint in get_type_hints(table, include_extras=True).items():
        if key not in table.model_fields:
            continue
        if any(
            func is as_opened or "_folder(" in getsource(func) or "as_opened(" in getsource(func)
            for func in validators(hint)
        ):
            yield name, key
        for part in [hint, *get_args(hint), *(each for arg in get_args(hint) for each in get_args(arg))]:
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from keys_that_are_paths(part, key)


def test_every_key_that_is_a_path_is_known_to_be_one():
    known = {(table, key) for table, keys in PATHS.items() for key in keys} - {("reference", "url")}
    assert set(keys_that_are_paths(Settings)) == known


def test_the_environment_is_over_it_and_relative_to_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "meterlake.toml").write_text(WHOLE)
    monkeypatch.setenv("METERLAKE_LAKE", "other")
    assert load(tmp_path / "meterlake.toml", Path("/nowhere")).root == f"{tmp_path}/other"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, {"lake": "/c/data_lake"}),
        ({"catalog": "main"}, {"catalog": "main"}),
        ({"lake": "gs://b/lake"}, {"lake": "gs://b/lake"}),
        ({"lake": 7, "feeds": "gas"}, {"lake": 7, "feeds": "gas"}),
        ({"lake": "x", "feeds": [3, {"path": ""}]}, {"lake": "/c/x", "feeds": [3, {"path": ""}]}),
        ({"lake": "x", "reference": {"url": "jdbc:postgresql://h/d"}}, {"lake": "/c/x", "reference": {"url": "jdbc:postgresql://h/d"}}),
        ({"lake": "x", "feeds": [{"path": "dbfs:/in"}]}, {"lake": "/c/x", "feeds": [{"path": "dbfs:/in"}]}),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_relative_path_stays_as_it_is(given, found):
    assert anchored(given, Path("/c")) == found


def test_a_catalog_of_the_environment_gets_no_lake_beside_it(monkeypatch):
    monkeypatch.setenv("METERLAKE_CATALOG", "main")
    assert anchored({}, Path("/c")) == {}
