"""Where a run spends its time: what leads to each event of its log is a step of its own."""

from __future__ import annotations

import pytest

from jobs import run
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from pipeline.runtime.profile import Profile


@pytest.fixture
def context(tmp_path):
    (tmp_path / "gas").mkdir()
    feed = Feed(name="gas", format="smrt", path=str(tmp_path / "gas"))
    return Context(Settings(lake=str(tmp_path / "lake"), feeds=(feed,)), log=Log("", quiet=True))


def test_each_event_ends_a_step_and_the_commits_are_counted(context):
    profile = Profile(context)
    outcome = run.run(context)
    assert outcome.deliveries == []
    assert [step.name for step in profile.steps] == ["done"]
    # Every table was created, and the run recorded; no session was asked for.
    assert profile.facts()["commits"] == context.commits > 10
    assert profile.facts()["spark_jobs"] == 0
    assert profile.steps[0].seconds > 0


def test_a_step_is_named_by_its_event_and_what_it_is_about(context):
    profile = Profile(context)
    context.commits += 2
    context.log.info("gold", table="gold.meter_day", rows=3)
    context.log.warning("changed while read", feed="gas")
    assert [(step.name, step.commits) for step in profile.steps] == [
        ("gold gold.meter_day", 2),
        ("changed while read gas", 0),
    ]
