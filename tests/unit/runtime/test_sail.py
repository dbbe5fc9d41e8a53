"""Sail is asked for by name, in the version whose answers are known; its files go when they are no longer needed."""

from __future__ import annotations

from importlib import metadata

import pytest

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.errors import ConfigurationError, EngineError
from pipeline.runtime import sail
from pipeline.runtime.context import Context


@pytest.fixture
def installed(monkeypatch):
    """A function that says which version of pysail is there, None for none."""

    def say(version):
        def found(_name):
            if version is None:
                raise metadata.PackageNotFoundError("pysail")
            return version

        monkeypatch.setattr(metadata, "version", found)

    return say


def test_the_version_whose_answers_are_known_is_taken(installed):
    installed(sail.VERSION)
    assert sail.version() == sail.VERSION


@pytest.mark.parametrize(("there", "said"), [(None, "is not installed"), ("0.8.0", "this is 0.8.0")])
def test_another_version_or_none_is_refused_with_what_to_install(installed, there, said):
    installed(there)
    with pytest.raises(ConfigurationError, match=rf"configuration engine: .*{said}.*pip install 'meterlake\[sail\]'"):
        sail.version()


def test_files_for_the_engine_are_removed_when_nothing_more_is_asked():
    path = sail.scratch_file()
    path.write_bytes(b"rows")
    assert path != sail.scratch_file()
    sail.tidy()
    assert not path.parent.exists()
    sail.tidy()


def test_what_is_sparks_alone_is_said_with_a_way_out():
    feed = Feed(name="gas", format="smrt", path="gas")
    Context(Settings(feeds=(feed,))).need_spark("erase")
    with pytest.raises(
        EngineError, match=r'^not with engine = "sail": erase; METERLAKE_ENGINE=spark does it this once$'
    ):
        Context(Settings(feeds=(feed,), engine="sail")).need_spark("erase")
