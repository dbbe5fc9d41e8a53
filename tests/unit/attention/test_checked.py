"""What the checks of the configuration found: the newest result of each, since when, in sentences and measures."""

from __future__ import annotations

from prometheus_client import generate_latest

from pipeline.attention import items
from pipeline.attention.checked import Checked, newest
from pipeline.attention.facts import Facts, Late
from pipeline.config.metrics import Metrics
from pipeline.serving import gauges
from tests.written_lake import at


def row(day, name, rows, error=None, severity="warning"):
    return {"checked_at": at(f"2026-11-{day} 07:00"), "name": name, "rows": rows, "error": error, "severity": severity}


def test_the_newest_result_of_each_counts_in_the_order_of_the_configuration():
    rows = [row(28, "b", 1), row(27, "b", 5), row(28, "a", 0), row(28, "gone", 9)]
    assert newest(rows, ["a", "b", "new"]) == [
        Checked("a", "warning", 0),
        Checked("b", "warning", 1, None, at("2026-11-27 07:00")),
    ]


def test_since_is_the_first_time_after_it_last_found_nothing():
    rows = [row(30, "a", None, "Syntax error"), row(29, "a", 2), row(28, "a", 0), row(27, "a", 7)]
    (found,) = newest(rows, ["a"])
    assert (found.rows, found.error, found.since) == (None, "Syntax error", at("2026-11-29 07:00"))


FOUND = [
    Checked("clean", "error", 0),
    Checked("flat", "warning", 1, since=at("2026-11-29 07:00")),
    Checked("days", "error", 1200),
    Checked("wrong", "error", None, "no such column"),
]


def test_those_that_found_something_need_attention_errors_before_what_is_late():
    late = Late("gas", None, None, None)
    found = items.of(Facts(checks=FOUND, late=[late]))
    assert [(each.kind, each.text) for each in found] == [
        ("check", "Check days found 1,200 rows"),
        ("check", "Check wrong cannot be run: no such column"),
        ("late", "No delivery yet"),
        ("check", "Check flat found 1 row"),
    ]
    assert [each.command for each in found if each.kind == "check"] == [
        f"main.py sql --check {name}" for name in ("days", "wrong", "flat")
    ]
    assert found[-1].since == at("2026-11-29 07:00")


def test_each_is_measured():
    text = generate_latest(gauges.registry(gauges.Facts(checks=FOUND), Metrics())).decode()
    measured = [line for line in text.splitlines() if line.startswith("meterlake_check_")]
    assert measured == [
        'meterlake_check_rows{check="clean"} 0.0',
        'meterlake_check_rows{check="flat"} 1.0',
        'meterlake_check_rows{check="days"} 1200.0',
        'meterlake_check_broken{check="clean"} 0.0',
        'meterlake_check_broken{check="flat"} 0.0',
        'meterlake_check_broken{check="days"} 0.0',
        'meterlake_check_broken{check="wrong"} 1.0',
    ]


def test_only_rows_of_severity_error_are_a_failure():
    assert [each.name for each in FOUND if each.is_failed] == ["days"]


def test_a_check_of_severity_error_is_urgent_also_where_it_cannot_be_run():
    told = {each.command: each.urgent for each in items.of_checks(FOUND)}
    names = {"days": True, "flat": False, "wrong": True}
    assert told == {f"main.py sql --check {name}": urgent for name, urgent in names.items()}
