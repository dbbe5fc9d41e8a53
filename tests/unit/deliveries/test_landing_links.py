"""Links and missing permissions in a landing folder: nothing outside is read, nothing is silently skipped."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.config.feeds import Feed
from pipeline.deliveries import landing
from pipeline.deliveries.decisions import History, decide
from pipeline.errors import LandingFolderError
from pipeline.formats import smrt_envelope
from tests.as_nobody import as_nobody

NOON = datetime(2021, 1, 1, 12, tzinfo=UTC)
SOUND = b'"HEADR","SMRT","GAZ","20210401","060000","PN000001"\n"TRAIL"\n'


@pytest.fixture
def place():
    """A folder that any user may enter, with a landing folder and one beside it."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    for name in ("landing", "outside"):
        (folder / name).mkdir()
    (folder / "outside" / "secret.SMRT").write_bytes(SOUND)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def feed(place):
    return Feed(name="gas", format="smrt", path=str(place / "landing"))


def inspected(feed):
    return landing.inspect(landing.find(feed), feed, smrt_envelope.inspect, "production")


def verdicts(feed):
    return {each.relative_path: (each.reason_code, each.sha256 is not None) for each in inspected(feed)}


REFUSED, READ = ("UNREADABLE", False), (None, True)


def test_a_link_to_a_file_inside_the_landing_folder_is_read(place, feed):
    (place / "landing" / ".store").mkdir()
    (place / "landing" / ".store" / "1").write_bytes(SOUND)
    (place / "landing" / "PN000001.SMRT").symlink_to(".store/1")
    assert verdicts(feed) == {"PN000001.SMRT": READ}


@pytest.mark.parametrize(
    "target",
    ["../outside/secret.SMRT", "{place}/outside/secret.SMRT", "../landing/../outside/secret.SMRT", "/dev/null"],
)
def test_a_link_to_a_file_outside_is_refused_unread_and_the_reason_says_where_it_leads(place, feed, target):
    (place / "landing" / "PN000001.SMRT").symlink_to(target.format(place=place))
    (delivery,) = inspected(feed)
    assert (delivery.status, delivery.reason_code, delivery.sha256) == ("rejected", "UNREADABLE", None)
    assert delivery.size_bytes is None  # not even its size is shown
    assert os.path.realpath(place / "landing" / "PN000001.SMRT") in delivery.reason
    with pytest.raises(PermissionError):
        landing.read(delivery, feed)


def test_a_chain_of_links_counts_by_its_end(place, feed):
    (place / "landing" / "PN000002.SMRT").symlink_to("PN000001.SMRT")
    (place / "landing" / "PN000001.SMRT").symlink_to("../outside/secret.SMRT")
    (place / "outside" / "back").symlink_to("../landing/sub/real")
    (place / "landing" / "sub").mkdir()
    (place / "landing" / "sub" / "real").write_bytes(SOUND)
    (place / "landing" / "sub" / "PN000001.SMRT").symlink_to("../../outside/back")
    found = verdicts(feed)
    assert (found["PN000001.SMRT"], found["PN000002.SMRT"]) == (REFUSED, REFUSED)
    assert found["sub/PN000001.SMRT"] == READ


def test_a_folder_whose_name_begins_like_the_landing_folder_is_outside(place, feed):
    (place / "landing-of-another").mkdir()
    (place / "landing-of-another" / "a").write_bytes(SOUND)
    (place / "landing" / "PN000001.SMRT").symlink_to("../landing-of-another/a")
    assert verdicts(feed) == {"PN000001.SMRT": REFUSED}


def test_the_landing_folder_itself_may_be_a_link(place, feed):
    (place / "way").symlink_to("landing")
    (place / "landing" / "real").write_bytes(SOUND)
    (place / "landing" / "PN000001.SMRT").symlink_to(place / "landing" / "real")
    (place / "landing" / "PN000002.SMRT").symlink_to(place / "outside" / "secret.SMRT")
    by_link = feed.model_copy(update={"path": str(place / "way")})
    found = verdicts(by_link)
    assert (found["PN000001.SMRT"], found["PN000002.SMRT"]) == (READ, REFUSED)


def test_a_link_to_a_folder_is_refused_and_neither_walked_nor_passed_over(place, feed):
    (place / "landing" / "in").mkdir()
    (place / "landing" / "in" / "PN000001.SMRT").write_bytes(SOUND)
    (place / "landing" / "out").symlink_to("../outside")
    (place / "landing" / "again").symlink_to("in")
    (place / "landing" / "round").symlink_to(".")
    (place / "landing" / ".hidden").symlink_to("../outside")
    refused = dict.fromkeys(["out", "again", "round"], REFUSED)
    assert verdicts(feed) == refused | {"in/PN000001.SMRT": READ}


def test_links_that_lead_nowhere_or_round_in_a_circle_are_refused(place, feed):
    (place / "landing" / "PN000001.SMRT").symlink_to("gone")
    (place / "landing" / "PN000002.SMRT").symlink_to("PN000003.SMRT")
    (place / "landing" / "PN000003.SMRT").symlink_to("PN000002.SMRT")
    assert set(verdicts(feed).values()) == {REFUSED}


def test_a_pipe_is_refused_and_not_waited_for(place, feed):
    os.mkfifo(place / "landing" / "PN000001.SMRT")
    assert verdicts(feed) == {"PN000001.SMRT": REFUSED}


def test_a_refused_link_is_logged_once_until_it_leads_elsewhere(place, feed):
    link = place / "landing" / "PN000001.SMRT"
    link.symlink_to("../outside/secret.SMRT")
    (first,) = decide(inspected(feed), History(), by_name=True)
    history = History.of([first])
    assert [history.is_unchanged(found) for found in landing.find(feed)] == [True]  # so no run starts Spark for it
    assert decide(inspected(feed), history, by_name=True) == []
    link.unlink()
    link.symlink_to("/etc/hostname")
    (second,) = decide(inspected(feed), history, by_name=True)
    assert "/etc/hostname" in second.reason
    link.unlink()
    link.write_bytes(SOUND)
    assert [history.is_unchanged(found) for found in landing.find(feed)] == [False]


def test_a_file_that_became_a_link_to_one_outside_is_not_read_and_counts_as_changed(place, feed):
    path = place / "landing" / "PN000001.SMRT"
    path.write_bytes(SOUND)
    os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    os.utime(place / "outside" / "secret.SMRT", (NOON.timestamp(), NOON.timestamp()))
    found = landing.find(feed)
    (hashed,) = inspected(feed)
    path.unlink()
    path.symlink_to("../outside/secret.SMRT")  # of the same size and time
    (delivery,) = landing.inspect(found, feed, smrt_envelope.inspect, "production")
    assert (delivery.reason_code, delivery.sha256) == ("UNREADABLE", None)
    assert landing.changed_since([hashed], feed) == [hashed]


def test_a_closed_file_is_refused_at_a_look_and_its_reading_tried_when_it_opens(place, feed):
    path = place / "landing" / "PN000001.SMRT"
    path.write_bytes(SOUND)
    path.chmod(0)
    with as_nobody():
        (refused,) = decide(inspected(feed), History(), by_name=True)
        history = History.of([refused])
        assert [history.is_unchanged(found) for found in landing.find(feed)] == [True]
    assert refused.reason == "cannot be read: Permission denied"
    path.chmod(0o644)
    with as_nobody():
        assert [history.is_unchanged(found) for found in landing.find(feed)] == [False]
        assert [each.status for each in decide(inspected(feed), history, by_name=True)] == ["loaded"]


def test_a_closed_folder_inside_is_refused_and_a_closed_landing_folder_is_an_error(place, feed):
    (place / "landing" / "closed").mkdir(mode=0)
    (place / "landing" / ".closed").mkdir(mode=0)
    with as_nobody():
        assert verdicts(feed) == {"closed": REFUSED}
    (place / "landing").chmod(0)
    with as_nobody(), pytest.raises(LandingFolderError, match=r"cannot be listed.*ermission"):
        landing.find(feed)
