"""The list of what needs attention, in sentences; no lake needed."""

from __future__ import annotations

from datetime import date

from pipeline.attention import items
from pipeline.attention.facts import Facts, Late
from tests.written_lake import at, delivery, ran


def told(**facts):
    return items.of(Facts(**facts))


def test_where_nothing_is_wrong_the_list_is_empty():
    assert told(last_run=ran("run", "2026-11-30 07:00:30"), tables=[{"table": "gold.x", "small_files": 0}]) == []


def test_the_most_urgent_comes_first():
    found = told(
        last_run=ran("run", "2026-11-30 07:00:30", "failed", "the disk is full"),
        lost_files={"gold.meter_day": ["a.parquet", "b.parquet"]},
        missing_tables=["silver.readings", "ops.ingestion_log"],
        late=[Late("gas", date(2026, 11, 27), at("2026-11-28 06:00"), at("2026-11-29 00:00"))],
        refused=[delivery(4, "PN000004.SMRT", "rejected", "TRAILER_MISSING", received_at=at("2026-11-28 06:00"))],
        missing_generations=[{"feed": "gas", "first": "PN000004", "last": "PN000004", "count": 1}],
        overlapping=["1400000003"],
        tables=[{"table": "gold.x", "small_files": 5}, {"table": "gold.y", "small_files": None}],
    )
    assert [(each.kind, each.feed) for each in found] == [
        ("failed_run", None),
        ("lost_files", None),
        ("missing_table", None),
        ("missing_table", None),
        ("late", "gas"),
        ("refused", "gas"),
        ("gap_in_numbers", "gas"),
        ("overlapping_agreements", "reference"),
        ("small_files", None),
    ]
    assert [each.urgent for each in found] == [True] * 6 + [False] * 3
    assert found[0].text == "The last run failed: the disk is full"
    assert found[0].since == at("2026-11-30 07:00:30")
    assert found[1].text.startswith("gold.meter_day: 2 data files are missing, such as a.parquet: see 'A data file")
    assert [each.command for each in found[2:4]] == ["main.py run", "main.py verify"]
    assert found[8].text == "5 small files share a partition with others"


def test_a_late_feed_says_where_its_readings_end():
    came = at("2026-11-28 06:00")
    late = [Late("gas", date(2026, 11, 27), came, at("2026-11-29 00:00")), Late("a", None, came, None)]
    gas, without, never = told(late=[*late, Late("b", None, None, None)])
    assert gas.text == "No readings after 2026-11-27; last delivery 2026-11-28 06:00Z"
    assert (gas.command, gas.since) == ("main.py files --feed gas", at("2026-11-29 00:00"))
    assert without.text == "No readings; last delivery 2026-11-28 06:00Z"
    assert never.text == "No delivery yet"


def test_refusals_of_a_feed_are_one_item_with_every_reason_and_the_first_time():
    refused = [
        delivery(1, "a.SMRT", "rejected", "NOT_UTF8", received_at=at("2026-11-03 06:00")),
        delivery(2, "b.SMRT", "rejected", "EMPTY_FILE", received_at=at("2026-11-02 06:00")),
        delivery(3, "c.SMRT", "rejected", "NOT_UTF8", received_at=at("2026-11-04 06:00")),
        delivery(4, "d.json", "rejected", "MALFORMED_JSON", feed="electricity", received_at=at("2026-11-05 06:00")),
    ]
    one, three = told(refused=refused)
    assert one.text == "d.json was refused (MALFORMED_JSON) and is not replaced"
    assert three.text == "3 deliveries were refused and are not replaced: EMPTY_FILE, NOT_UTF8 (2)"
    assert three.since == at("2026-11-02 06:00")
    assert three.command == "main.py files --open --feed gas"


def test_gaps_of_a_feed_are_one_item_that_names_the_first_ones():
    gaps = [
        {"feed": "gas", "first": f"PN00000{n}", "last": f"PN00000{n + count - 1}", "count": count}
        for n, count in ((1, 1), (3, 2), (6, 1), (8, 1))
    ]
    (three,), (four,) = told(missing_generations=gaps[:3]), told(missing_generations=gaps)
    assert three.text == "Numbers never loaded: PN000001, PN000003 to PN000004 (2), PN000006"
    assert four.text == three.text + ", and 1 more gaps"


def test_a_meter_that_a_shell_could_misread_stands_in_no_command():
    (plain,) = told(overlapping=["14", "15", "x\"; rm -rf '"])
    assert plain.command == "main.py sql \"SELECT * FROM silver.agreement WHERE meterpoint_id IN ('14', '15')\""
    assert plain.text == "3 meterpoints have overlapping agreements; the latest counts"
    assert told(overlapping=["$(x)"])[0].command is None
