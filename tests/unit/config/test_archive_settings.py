"""`archive` and `keep_days` of a feed: what they may be, and what is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings


def settings(**feeds):
    """Settings with feeds of these names and keys."""
    made = tuple(Feed(**{"name": name, "format": "split_json", "path": f"in/{name}"} | keys) for name, keys in feeds.items())  # fmt: skip
    return Settings(lake="lake", feeds=made)


def test_an_archive_lies_beside_the_folders():
    found = settings(gas={"archive": "kept/gas", "keep_days": 30}, power={"archive": "kept/power"})
    assert [(feed.archive, feed.keep_days) for feed in found.feeds] == [("kept/gas", 30), ("kept/power", None)]


@pytest.mark.parametrize(
    "feeds",
    [
        {"gas": {"archive": "in/gas"}},
        {"gas": {"archive": "in/gas/kept"}},
        {"gas": {"archive": "in"}},
        {"gas": {"archive": "in/power/kept"}, "power": {}},
        {"gas": {"archive": "kept"}, "power": {"archive": "kept"}},
        {"gas": {"archive": "kept"}, "power": {"archive": "kept/power"}},
    ],
)
def test_an_archive_that_would_be_delivered_again_or_is_two_feeds_is_refused(feeds):
    with pytest.raises(ValidationError, match="name a folder beside it"):
        settings(**feeds)


@pytest.mark.parametrize("archive", ["s3a://bucket/kept", " ", "a\0b"])
def test_an_archive_is_a_local_folder(archive):
    with pytest.raises(ValidationError, match="cannot hold an archive: name a local folder"):
        settings(gas={"archive": archive})


def test_a_store_has_no_archive_because_it_cannot_move_in_one_step():
    with pytest.raises(ValidationError, match="keep_days"):
        settings(gas={"path": "s3a://bucket/in", "archive": "kept"})
    assert settings(gas={"path": "s3a://bucket/in", "keep_days": 7}).feeds[0].keep_days == 7


@pytest.mark.parametrize("days", [0, -1, "many"])
def test_days_are_at_least_one(days):
    with pytest.raises(ValidationError):
        settings(gas={"keep_days": days})
