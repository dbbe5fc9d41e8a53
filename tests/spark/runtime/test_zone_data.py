"""Python's clock changes against Java's: a warning once a session if they differ, and no Spark job."""

from __future__ import annotations

import json

import pytest

from pipeline.runtime import session, zone_data
from pipeline.runtime.log import Log

ZONES = ("Europe/London", "Asia/Kathmandu", "Europe/London", "UTC", "+10:00")


@pytest.fixture
def another_version(monkeypatch):
    """Python says that its data is of another version than Java's, and nothing was compared yet."""
    monkeypatch.setattr(zone_data, "version_of_python", lambda: "1999z")
    monkeypatch.setattr(zone_data, "_compared", set())


def warnings_in(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_zones_that_both_know_alike_give_no_warning_and_cost_no_job(spark, capsys, another_version):
    before = session.jobs_so_far(spark)
    zone_data.compare(spark, ZONES, Log(""))
    assert warnings_in(capsys) == []
    assert session.jobs_so_far(spark) == before
    assert zone_data.of_spark(spark, ["Europe/London"])["Europe/London"] == zone_data.of_python("Europe/London")
    assert {0, 3600} == set(zone_data.of_python("Europe/London"))


def test_a_zone_that_they_know_differently_is_one_warning_with_both_versions(
    spark, capsys, another_version, monkeypatch
):
    rightly = zone_data.zone_info
    monkeypatch.setattr(zone_data, "zone_info", lambda name: rightly(name.replace("London", "Vilnius")))
    for _ in range(2):
        zone_data.compare(spark, ZONES, Log(""))
    (warning,) = warnings_in(capsys)
    assert (warning["level"], warning["zones"], warning["python"]) == ("warning", ["Europe/London"], "1999z")
    assert warning["java"] == (session.zone_data_version(spark) or "unknown")


def test_data_of_one_version_is_not_compared(spark, capsys, monkeypatch):
    monkeypatch.setattr(zone_data, "_compared", set())
    monkeypatch.setattr(zone_data, "version_of_python", lambda: session.zone_data_version(spark))
    monkeypatch.setattr(zone_data, "of_spark", lambda *_: pytest.fail("asked for"))
    zone_data.compare(spark, ZONES, Log(""))
    assert warnings_in(capsys) == []


def test_the_version_of_pythons_data_is_known():
    assert zone_data.version_of_python()[:2] == "20"
