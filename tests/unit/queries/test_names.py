"""The names that stand in a query."""

from __future__ import annotations

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.queries.names import Names

NAMES = Names.of(Settings(lake="/lake", feeds=(Feed(name="gas", format="smrt", path="/in"),)))


def test_names_are_found_as_they_may_be_written():
    text = 'SELECT * FROM `GOLD` . `meter_day` JOIN main.silver.readings JOIN "gold"."feed_month" JOIN gold.meter_days'
    assert NAMES.named(text) == ["silver.readings", "gold.meter_day", "gold.feed_month"]


def test_a_view_needs_what_it_reads():
    assert NAMES.with_used(["gold.feed_hour"]) == {"gold.feed_hour", "gold.meter_hour", "silver.readings"}
    assert NAMES.with_used([]) == set()


def test_aliases():
    text = "FROM gold.meter_day AS d JOIN silver.readings r ON true JOIN ops.runs WHERE x"
    assert NAMES.aliases(text) == {
        "d": "gold.meter_day",
        "meter_day": "gold.meter_day",
        "r": "silver.readings",
        "readings": "silver.readings",
        "runs": "ops.runs",
    }


def test_every_name_has_a_comment():
    assert all(NAMES.comment(name) for name in NAMES.every)
