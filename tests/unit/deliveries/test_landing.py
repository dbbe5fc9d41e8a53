"""Landing folders: which files are deliveries, which wait, and what is read of them (contract, sections 3 and 6)."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyarrow import fs

from pipeline.config.feeds import Feed
from pipeline.deliveries import landing
from pipeline.errors import LandingFolderError
from pipeline.formats import smrt_envelope
from tests.as_nobody import as_nobody

NOON = datetime(2021, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def feed():
    """A feed with a landing folder that any user may enter (the user `nobody` cannot enter pytest's own)."""
    folder = tempfile.mkdtemp()
    Path(folder).chmod(0o755)
    yield Feed(name="gas", format="smrt", path=folder)
    shutil.rmtree(folder)


def lay(feed, path, content=b"x", at=NOON):
    whole = Path(feed.path) / path
    whole.parent.mkdir(parents=True, exist_ok=True)
    whole.write_bytes(content)
    os.utime(whole, (at.timestamp(), at.timestamp()))
    return whole


def paths(feed):
    return [delivery.relative_path for delivery in landing.find(feed)]


def test_files_are_found_at_any_depth_in_the_order_of_their_paths(feed):
    for path in ("b.SMRT", "2021/01/02/c.SMRT", "2021/a.SMRT", "a/b/c/d/e/f.SMRT"):
        lay(feed, path)
    assert paths(feed) == ["2021/01/02/c.SMRT", "2021/a.SMRT", "a/b/c/d/e/f.SMRT", "b.SMRT"]


def test_a_delivery_has_its_name_path_size_and_time_to_the_microsecond(feed):
    lay(feed, "2021/a.SMRT", b"four", at=NOON + timedelta(microseconds=123457))
    (delivery,) = landing.find(feed)
    assert (delivery.feed, delivery.file_name, delivery.relative_path) == ("gas", "a.SMRT", "2021/a.SMRT")
    assert delivery.file_path == f"{feed.path}/2021/a.SMRT"
    assert (delivery.size_bytes, delivery.sha256) == (4, None)
    assert abs(delivery.modified_at - NOON - timedelta(microseconds=123457)) <= timedelta(microseconds=1)


@pytest.mark.parametrize(
    "path", [".a.SMRT", ".hidden/a.SMRT", "x/.y/z/a.SMRT", "a.SMRT.tmp", "a.part", ".tmp", "x/a.tmp"]
)
def test_hidden_and_unfinished_files_are_no_deliveries(feed, path):
    lay(feed, path)
    assert paths(feed) == []


@pytest.mark.parametrize(
    "path",
    [
        "out/_SUCCESS",
        "_committed_1",
        "_committed_vacuum8",
        "out/_started_17",
        "_temporary/0/a.SMRT",
        "out/_temporary/0/task/part-0.SMRT",
        "out/.part-0.SMRT.crc",
        "part-0.SMRT.crc",
        "_SUCCESS.crc",
    ],
)
def test_what_spark_leaves_in_its_output_folders_is_no_delivery(feed, path):
    lay(feed, path)
    assert paths(feed) == []


@pytest.mark.parametrize(
    "path", ["_SUCCESS.SMRT", "my_SUCCESS", "_committed", "_success", "a.CRC", "_temporary.SMRT", "_started_1/a.SMRT"]
)
def test_what_is_only_named_alike_is_a_delivery(feed, path):
    lay(feed, path)
    assert paths(feed) == [path]


@pytest.mark.parametrize(
    "path", ["readme.txt", "a.SMRT.gz", "tmp", "a.tmp.SMRT", "x.part/a.SMRT", "_a.SMRT", "a.", "Thumbs.db"]
)
def test_every_other_file_is_a_delivery_whatever_its_name(feed, path):
    lay(feed, path)
    assert paths(feed) == [path]


ODD_NAMES = ["a b.SMRT", "100%.SMRT", "%41.SMRT", "a#b.SMRT", "[a].SMRT", "a+b.SMRT", "Zähler é 电.SMRT", "a?b*.SMRT"]
ODD_NAMES += [
    "a\\b.SMRT",
    "a:b.SMRT",
    "{a,b}.SMRT",
    " a.SMRT ",
    "a'b\"c.SMRT",
    "a\nb.SMRT",
    "a=b/c=d.SMRT",
    "x y/%20/z.SMRT",
]


def test_files_of_odd_names_are_found_and_read_as_they_are(feed):
    for n, path in enumerate(ODD_NAMES):
        lay(feed, path, b"content %d" % n)
    found = {delivery.relative_path: landing.read(delivery, feed) for delivery in landing.find(feed)}
    assert found == {path: b"content %d" % n for n, path in enumerate(ODD_NAMES)}


def test_a_name_that_is_not_unicode_is_a_delivery_and_does_not_stop_the_others(feed):
    Path(os.fsdecode(os.fsencode(feed.path) + b"/\xff.SMRT")).write_bytes(b"x")
    lay(feed, "PN000001.SMRT")
    assert "PN000001.SMRT" in paths(feed)
    assert len(paths(feed)) == 2


def test_a_link_that_leads_nowhere_is_a_delivery_that_cannot_be_read(feed):
    (Path(feed.path) / "PN000001.SMRT").symlink_to("/nowhere/at/all")
    (delivery,) = landing.inspect(landing.find(feed), feed, smrt_envelope.inspect, "production")
    assert delivery.reason_code == "UNREADABLE"


def test_a_directory_named_like_a_file_is_none_and_its_files_are_found(feed):
    lay(feed, "PN000001.SMRT/PN000002.SMRT")
    (Path(feed.path) / "PN000003.SMRT").mkdir()
    assert paths(feed) == ["PN000001.SMRT/PN000002.SMRT"]


@pytest.mark.parametrize("spelling", ["{}", "{}/", "{}/../{name}", "{}/.", "{}//"])
def test_the_path_of_a_feed_may_be_spelled_in_any_way(feed, spelling):
    lay(feed, "2021/a.SMRT", b"content")
    spelled = feed.model_copy(update={"path": spelling.format(feed.path, name=Path(feed.path).name)})
    (delivery,) = landing.find(spelled)
    assert delivery.relative_path == "2021/a.SMRT"
    assert landing.read(delivery, spelled) == b"content"


def test_a_relative_path_is_relative_to_the_working_directory(feed, monkeypatch):
    lay(feed, "a.SMRT")
    monkeypatch.chdir(Path(feed.path).parent)
    assert paths(feed.model_copy(update={"path": Path(feed.path).name})) == ["a.SMRT"]


@pytest.mark.parametrize("path", ["missing", "file"])
def test_a_landing_folder_that_is_none_is_an_error_that_names_feed_and_folder(feed, path):
    lay(feed, "file")
    wrong = feed.model_copy(update={"path": f"{feed.path}/{path}"})
    with pytest.raises(LandingFolderError, match=rf"'gas'.*{path}") as caught:
        landing.find(wrong)
    assert "\n" not in str(caught.value)


def test_a_file_that_may_not_be_read_is_refused_and_the_others_are_not(feed):
    closed = lay(feed, "PN000001.SMRT")
    lay(feed, "PN000002.SMRT", b"")
    closed.chmod(0)
    with as_nobody():
        first, second = landing.inspect(landing.find(feed), feed, smrt_envelope.inspect, "production")
    assert (first.status, first.reason_code, first.sha256) == ("rejected", "UNREADABLE", None)
    assert (second.reason_code, second.sha256[:8]) == ("EMPTY_FILE", "e3b0c442")


def test_a_file_that_went_after_it_was_found_is_refused(feed):
    path = lay(feed, "PN000001.SMRT")
    found = landing.find(feed)
    path.unlink()
    (delivery,) = landing.inspect(found, feed, smrt_envelope.inspect, "production")
    assert delivery.reason_code == "UNREADABLE"


def test_a_file_that_changed_within_the_time_to_settle_waits(feed):
    patient = feed.model_copy(update={"settle_seconds": 60})
    for name, age in (("old", 61), ("edge", 60), ("young", 59)):
        lay(feed, name, at=NOON - timedelta(seconds=age))
    ready, waiting = landing.settled(landing.find(patient), patient, NOON)
    assert [delivery.relative_path for delivery in ready] == ["edge", "old"]
    assert [delivery.relative_path for delivery in waiting] == ["young"]


def test_a_time_ahead_of_ours_is_a_file_in_the_making_but_for_one_that_tells_nothing(feed):
    patient = feed.model_copy(update={"settle_seconds": 60})
    for name, ahead in (("now", 0), ("second", 1), ("minutes", 300), ("hour", 3600), ("next-year", 86400 * 365)):
        lay(feed, name, at=NOON + timedelta(seconds=ahead))
    ready, waiting = landing.settled(landing.find(patient), patient, NOON)
    assert [delivery.relative_path for delivery in ready] == ["next-year"]
    assert [delivery.relative_path for delivery in waiting] == ["hour", "minutes", "now", "second"]
    later, _ = landing.settled(waiting, patient, NOON + timedelta(seconds=300 + 60))
    assert [delivery.relative_path for delivery in later] == ["minutes", "now", "second"]  # none waits for ever


@pytest.mark.parametrize("seconds_from_now", [0, 1, 86400 * 365])
def test_without_a_time_to_settle_no_file_waits_whatever_its_clock_says(feed, seconds_from_now):
    lay(feed, "a", at=NOON + timedelta(seconds=seconds_from_now))
    ready, waiting = landing.settled(landing.find(feed), feed, NOON)
    assert (len(ready), waiting) == (1, [])


def test_a_file_that_changed_since_it_was_hashed_is_recognised(feed):
    names = ("same", "longer", "touched", "gone")
    for name in names:
        lay(feed, name)
    found = landing.find(feed)
    lay(feed, "longer", b"xx")
    lay(feed, "touched", at=NOON + timedelta(seconds=1))
    (Path(feed.path) / "gone").unlink()
    assert {delivery.relative_path for delivery in landing.changed_since(found, feed)} == {"longer", "touched", "gone"}


def test_a_store_that_tells_milliseconds_only_in_listings_has_not_changed_its_files(feed, monkeypatch):
    there = fs.SubTreeFileSystem(feed.path, fs.LocalFileSystem())
    monkeypatch.setattr(landing.stores, "opened", lambda _path: (there, ""))
    remote = feed.model_copy(update={"path": "gs://bucket/in"})
    for name in ("same", "touched"):
        lay(feed, name, at=NOON + timedelta(milliseconds=576))
    found = landing.find(remote)
    # As an object's own headers say it.
    lay(feed, "same", at=NOON)
    lay(feed, "touched", at=NOON + timedelta(seconds=1))
    assert [delivery.relative_path for delivery in landing.changed_since(found, remote)] == ["touched"]


class _AStore:
    """What a store lists: objects by their names, those that tools make for folders too."""

    def __init__(self, **sizes):
        self._sizes = sizes

    def get_file_info(self, selector):
        assert selector.recursive
        return [fs.FileInfo(path, fs.FileType.File, size=size) for path, size in self._sizes.items()]


def test_an_object_that_represents_a_folder_is_no_delivery():
    store = _AStore(**{"": 0, "2021": 0, "2021/a.json": 5, "2021/empty.json": 0, "b.json": 1})
    found = [path for path, _ in landing._remote_files(store, "")]
    assert found == ["2021/a.json", "2021/empty.json", "b.json"]
