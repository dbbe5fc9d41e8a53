"""The archive: what is decided and in silver leaves the landing folder, and wherever a run is killed nothing is lost."""

from __future__ import annotations

import errno
import hashlib
import os
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from jobs import archiving
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.deliveries import archive, ingestion_log, landing, news
from pipeline.deliveries.delivery import LOADED, REJECTED, Delivery
from pipeline.lake import access, maintenance, tables
from pipeline.runtime import failpoints
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC).timestamp()
DAYS = (date(2026, 10, 31),)


@pytest.fixture
def feed(tmp_path):
    (tmp_path / "in").mkdir()
    return Feed(name="power", format="split_json", path=str(tmp_path / "in"), archive=str(tmp_path / "kept" / "power"))


@pytest.fixture
def context(feed, tmp_path):
    made = Context(Settings(lake=str(tmp_path / "lake"), feeds=(feed,)), log=Log("", quiet=True))
    maintenance.create_missing(made, [tables.INGESTION_LOG, tables.READINGS, tables.REJECTED])
    return made


def lay(feed, path, content, at=NOON):
    whole = Path(feed.path) / path
    whole.parent.mkdir(parents=True, exist_ok=True)
    whole.write_bytes(content)
    os.utime(whole, (at, at))
    return whole


def decided(context, feed, *numbered, batch=1, **more):
    """Log what lies at each (file_id, path) as a run would, by default loaded, with readings."""
    facts = {"status": LOADED, "local_dates": DAYS, "rows_read": 1, "rows_accepted": 1} | more
    found = {each.relative_path: each for each in landing.find(feed)}
    some = []
    for number, path in numbered:
        digest = hashlib.sha256((Path(feed.path) / path).read_bytes()).hexdigest()
        own = {"sha256": digest, "file_id": number, "batch_id": batch, "revision": batch} | facts
        some.append(Delivery(**{name: getattr(found[path], name) for name in Delivery.__dataclass_fields__} | own))
    ingestion_log.write(context, some, batch)
    return some


def in_silver(context, batch=1):
    access.write_rows(context, tables.READINGS, [], {"batch_id": batch})


def below(folder):
    """Path -> content of every file below a folder."""
    there = (each for each in Path(folder).rglob("*") if each.is_file() or each.is_symlink())
    return {str(each.relative_to(folder)): each.read_bytes() for each in there}


def test_what_is_decided_and_in_silver_goes_under_its_path_and_nothing_else_goes(context, feed):
    for path in ("a.json", "2026/11/b.json", "refused.json", "changed.json", "late.json"):
        lay(feed, path, path.encode())
    decided(context, feed, (1, "a.json"), (2, "2026/11/b.json"), (3, "changed.json"))
    decided(context, feed, (4, "refused.json"), status=REJECTED, reason_code="MALFORMED_JSON", local_dates=())
    decided(context, feed, (5, "late.json"), batch=2)
    lay(feed, "changed.json", b"by its sender")
    lay(feed, "new.json", b"not seen yet")
    in_silver(context, 1)
    assert archiving.run(context) == []
    kept = ("a.json", "2026/11/b.json", "refused.json")
    assert below(feed.archive) == {path: path.encode() for path in kept}
    assert below(feed.path) == {
        "changed.json": b"by its sender",
        "new.json": b"not seen yet",
        "late.json": b"late.json",
    }
    assert (Path(feed.archive) / "a.json").stat().st_mtime == NOON
    in_silver(context, 2)
    archiving.run(context.next_run())
    assert "late.json" in below(feed.archive)


def test_rejected_rows_are_waited_for(context, feed):
    lay(feed, "a.json", b"a")
    decided(context, feed, (1, "a.json"), rows_rejected=1)
    in_silver(context)
    archiving.run(context)
    assert below(feed.path)
    access.write_rows(context, tables.REJECTED, [], {"batch_id": 1})
    archiving.run(context)
    assert below(feed.archive) == {"a.json": b"a"}


def test_what_could_not_be_read_and_links_stay(context, feed):
    lay(feed, "a.json", b"a")
    (Path(feed.path) / "link.json").symlink_to("a.json")
    lay(feed, "unread.json", b"u")
    decided(context, feed, (1, "link.json"))
    decided(context, feed, (2, "unread.json"), status=REJECTED, reason_code="UNREADABLE", sha256=None, local_dates=())
    in_silver(context)
    archiving.run(context)
    assert set(below(feed.path)) == {"a.json", "link.json", "unread.json"}


def test_a_path_that_is_delivered_again_and_again_keeps_every_content(context, feed):
    for number, content in enumerate([b"first", b"second", b"third"], 1):
        lay(feed, "a.json", content, NOON + number)
        decided(context, feed, (number, "a.json"), batch=number)
        in_silver(context, number)
        assert archiving.run(context) == []
    assert below(feed.archive) == {"a.json": b"first", "_again/2/a.json": b"second", "_again/3/a.json": b"third"}
    lay(feed, "a.json", b"third", NOON + 3)  # the same bytes once more are no delivery, and are kept too
    archiving.run(context)
    assert below(feed.archive)["_again/3.2/a.json"] == b"third"
    assert below(feed.path) == {}
    third = ingestion_log.logged(context)[-1]
    assert archive.where(feed, third) == f"{feed.archive}/_again/3/a.json"
    assert [place.path.removeprefix(str(feed.archive)) for place in archive.lies(feed, third)] == [
        "",
        "/_again/3",
        "/_again/3.2",
    ]


def test_a_name_that_became_a_folder_is_kept_beside(context, feed):
    lay(feed, "a", b"file")
    decided(context, feed, (1, "a"))
    in_silver(context)
    archiving.run(context)
    lay(feed, "a/b", b"below")
    decided(context, feed, (2, "a/b"))
    archiving.run(context)
    assert below(feed.archive) == {"a": b"file", "_again/2/a/b": b"below"}


@pytest.mark.parametrize(
    "place", ["before stage power", "after stage power", "before archive power", "after archive power"]
)
@pytest.mark.parametrize("number", [1, 2])
def test_killed_between_any_two_steps_the_next_run_ends_as_an_undisturbed_one(
    context, feed, monkeypatch, place, number
):
    contents = {"a.json": b"a", "sub/b.json": b"b"}
    for path, content in contents.items():
        lay(feed, path, content)
    decided(context, feed, (1, "a.json"), (2, "sub/b.json"))
    in_silver(context)
    failpoints.forget()
    monkeypatch.setenv(failpoints.VARIABLE, f"raise:{place}" + ("#2" if number == 2 else ""))
    with pytest.raises(failpoints.Killed):
        archiving.run(context)
    both = Counter(below(feed.path).values()) + Counter(below(feed.archive).values())
    assert both == Counter(contents.values())  # each is somewhere, once
    monkeypatch.delenv(failpoints.VARIABLE)
    assert news.of(ingestion_log.rows(context.next_run()), landing.listed(feed), by_name=False).found == []
    assert archiving.run(context.next_run()) == []
    assert (below(feed.path), below(feed.archive)) == ({}, contents)


def test_a_file_that_was_replaced_at_that_very_moment_goes_back_and_is_news(context, feed):
    lay(feed, "a.json", b"known")
    (known,) = decided(context, feed, (1, "a.json"))
    lay(feed, "a.json", b"replaced while it was moved", NOON + 1)
    moved = archive.Moved()
    archive.keep(feed, [known], moved)
    assert (below(feed.path), below(feed.archive)) == ({"a.json": b"replaced while it was moved"}, {})
    assert (moved.archived, len(moved.put_back)) == (0, 1)
    assert [each.relative_path for each in news.of(ingestion_log.rows(context), landing.listed(feed), by_name=False).found] == ["a.json"]  # fmt: skip


@pytest.mark.parametrize("place", ["before put back power", "after put back power"])
def test_killed_while_it_goes_back_nothing_is_lost(context, feed, monkeypatch, place):
    lay(feed, "a.json", b"known")
    (known,) = decided(context, feed, (1, "a.json"))
    lay(feed, "a.json", b"replaced", NOON + 1)
    failpoints.forget()
    monkeypatch.setenv(failpoints.VARIABLE, f"raise:{place}")
    with pytest.raises(failpoints.Killed):
        archive.keep(feed, [known], archive.Moved())
    monkeypatch.delenv(failpoints.VARIABLE)
    assert archiving.run(context) == []
    assert below(feed.path) == {"a.json": b"replaced"}
    assert set(below(feed.archive).values()) <= {b"replaced"}


def test_where_a_still_newer_file_lies_it_is_kept_beside(context, feed):
    lay(feed, "a.json", b"known")
    (known,) = decided(context, feed, (1, "a.json"))
    in_silver(context)
    moving = Path(feed.archive) / archive.MOVING
    moving.mkdir(parents=True)
    lay(feed, "a.json", b"replaced once", NOON + 1).rename(moving / "1")
    lay(feed, "a.json", b"replaced twice", NOON + 2)
    assert archiving.run(context) == []
    assert below(feed.path) == {"a.json": b"replaced twice"}
    assert below(feed.archive) == {"a.json": b"replaced once"}
    assert archive.where(feed, known) == known.file_path


def test_an_archive_on_another_file_system_is_told_and_nothing_moves(context, feed, monkeypatch):
    lay(feed, "a.json", b"a")
    decided(context, feed, (1, "a.json"))
    in_silver(context)

    def elsewhere(source, target):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source, None, target)

    monkeypatch.setattr(archive.os, "rename", elsewhere)
    (problem,) = archiving.run(context)
    assert "another file system" in str(problem)
    assert below(feed.path) == {"a.json": b"a"}


def test_a_feed_without_an_archive_keeps_its_folder_as_it_is(context, feed):
    lay(feed, "a.json", b"a")
    decided(context, feed, (1, "a.json"))
    in_silver(context)
    plain = Settings(lake=context.settings.lake, feeds=(feed.model_copy(update={"archive": None}),))
    assert archiving.run(Context(plain, log=Log("", quiet=True))) == []
    assert below(feed.path) == {"a.json": b"a"}


def test_a_file_that_its_sender_took_back_is_passed_over(context, feed):
    lay(feed, "a.json", b"a")
    lay(feed, "b.json", b"b")
    some = decided(context, feed, (1, "a.json"), (2, "b.json"))
    (Path(feed.path) / "a.json").unlink()
    moved = archive.Moved()
    archive.keep(feed, some, moved)
    assert (moved.archived, below(feed.archive)) == (1, {"b.json": b"b"})
