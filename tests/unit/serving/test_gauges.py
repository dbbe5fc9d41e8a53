"""The metrics for Prometheus from facts of a lake; no Spark."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.attention import Item
from pipeline.config.metrics import Metrics
from pipeline.deliveries.delivery import Delivery
from pipeline.serving.gauges import Facts, first_due, next_due, registry

LONDON = Metrics()


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ran(command, finished, status="succeeded", **milliseconds):
    begun = at(finished).replace(second=0)
    return {"command": command, "started_at": begun, "finished_at": at(finished), "status": status} | milliseconds


def loaded(file_id, feed="gas", *, batch=1, read=0, rejected=0, status="loaded"):
    found = Delivery(feed, f"{file_id}", f"in/{file_id}", f"{file_id}", 1, None, status=status, file_id=file_id)
    counts = {"rows_read": read, "rows_rejected": rejected, "rows_accepted": read - rejected}
    return replace(found, batch_id=batch, revision=batch, **counts)


def measured(facts, wanted=LONDON):
    """name{labels} -> value."""
    return {
        (sample.name.removeprefix("meterlake_"), *sample.labels.values()): sample.value
        for metric in registry(facts, wanted).collect()
        for sample in metric.samples
    }


def test_an_empty_lake_has_few_metrics_and_no_wrong_ones():
    assert {name for name, *_ in measured(Facts())} == {"waiting_deliveries", "conservation_broken"}


def test_the_last_run_and_the_last_success_are_of_the_main_job():
    runs = [
        ran("run", "2026-06-01 07:00:30", bronze_milliseconds=1500, silver_milliseconds=2000, gold_milliseconds=None),
        ran("run", "2026-06-02 07:00:40", "failed", bronze_milliseconds=500),
        ran("maintain", "2026-06-02 09:00:00"),
        ran("verify", "2026-06-02 10:00:00", "failed"),
    ]
    found = measured(Facts(runs=runs))
    assert found[("last_run_timestamp_seconds",)] == at("2026-06-02 07:00:40").timestamp()
    assert found[("last_run_success",)] == 0
    assert found[("last_run_duration_seconds",)] == 40
    assert found[("last_success_timestamp_seconds",)] == at("2026-06-01 07:00:30").timestamp()
    assert found[("next_success_due_timestamp_seconds",)] == at("2026-06-02 07:30:00").timestamp()
    assert found[("layer_duration_seconds", "bronze")] == 0.5
    assert ("layer_duration_seconds", "gold") not in found
    assert found[("last_verify_success",)] == 0


@pytest.mark.parametrize(
    ("success", "due"),
    [
        ("2026-06-01 07:00:00", "2026-06-02 07:30:00"),  # British Summer Time: 08:30 is 07:30 UTC
        ("2026-06-01 22:59:59", "2026-06-02 07:30:00"),
        ("2026-06-01 23:00:00", "2026-06-03 07:30:00"),  # midnight in London: the day after
        ("2026-10-24 12:00:00", "2026-10-25 08:30:00"),  # the clocks go back in that night
        ("2026-12-31 12:00:00", "2027-01-01 08:30:00"),
    ],
)
def test_a_success_counts_for_its_local_day(success, due):
    assert next_due(at(success), LONDON) == at(due)


def test_where_nothing_succeeded_it_is_due_on_the_day_of_the_first_try():
    assert first_due(at("2026-06-01 07:00:00"), LONDON) == at("2026-06-01 07:30:00")
    failed = [ran("run", "2026-06-01 07:00:30", "failed"), ran("run", "2026-06-09 07:00:30", "failed")]
    found = measured(Facts(runs=failed))
    assert found[("next_success_due_timestamp_seconds",)] == at("2026-06-01 07:30:00").timestamp()
    assert ("last_success_timestamp_seconds",) not in found


def test_deliveries_by_status_rows_by_outcome_and_the_share_of_the_newest_batch():
    deliveries = [
        loaded(1, batch=1, read=10, rejected=5),
        loaded(2, batch=2, read=6, rejected=1),
        loaded(3, batch=2, read=2, rejected=1),
        loaded(4, batch=3),  # without rows: says nothing of the share
        loaded(5, status="rejected"),
        loaded(6, "solar", batch=3, read=4),
    ]
    instant = at("2026-06-01 07:00:00")
    found = measured(Facts(deliveries=deliveries, received={each.file_id: instant for each in deliveries}))
    assert found[("files", "gas", "loaded")] == 4
    assert found[("files", "gas", "rejected")] == 1
    assert found[("rows", "gas", "accepted")] == 11
    assert found[("rows", "gas", "rejected")] == 7
    assert found[("rejected_ratio", "gas")] == 0.25
    assert found[("rejected_ratio", "solar")] == 0
    assert found[("feed_last_delivery_timestamp_seconds", "gas")] == instant.timestamp()


def test_rows_that_bronze_lost_or_has_twice_are_reported():
    deliveries = [loaded(1, read=10, rejected=5), loaded(2, read=6)]
    received = {1: at("2026-06-01 07:00:00"), 2: at("2026-06-01 07:00:00")}
    sizes = {"bytes": 1, "files": 1, "small_files": None, "version": 1}
    for rows, broken in ((16, 0), (15, 1), (22, 6)):
        tables = [{"table": "bronze.gas", "rows": rows} | sizes]
        found = measured(Facts(deliveries=deliveries, received=received, tables=tables))
        assert found[("conservation_broken", "bronze.gas")] == broken
        assert found[("conservation_broken", "ops.ingestion_log")] == 0
    assert ("table_small_files", "bronze.gas") not in found


def test_a_log_that_does_not_add_up_is_reported():
    wrong = replace(loaded(1, read=10, rejected=5), rows_accepted=4)
    found = measured(Facts(deliveries=[wrong], received={1: at("2026-06-01 07:00:00")}))
    assert found[("conservation_broken", "ops.ingestion_log")] == 1


def test_completeness_gaps_refusals_and_the_end_of_the_last_day():
    days = [
        {"feed": "gas", "intervals_received": 23, "intervals_missing": 1},
        {"feed": "solar", "intervals_received": 0, "intervals_missing": None},  # has not come so far
    ]
    facts = Facts(
        yesterday=days,
        missing_generations=[
            {"feed": "gas", "first": "PN000002", "last": "PN000004", "count": 3},
            {"feed": "gas", "count": 1},
        ],
        standing_refusals=[{"feed": "gas", "reason_code": "TRAILER_MISSING", "files": 2}],
        last_day_ends={"gas": at("2026-06-01 00:00:00")},
    )
    found = measured(facts)
    assert found[("completeness_ratio", "gas")] == 23 / 24
    assert ("completeness_ratio", "solar") not in found
    assert found[("sequence_gaps", "gas")] == 4
    assert found[("standing_refusals", "gas", "TRAILER_MISSING")] == 2
    assert found[("feed_last_day_end_timestamp_seconds", "gas")] == at("2026-06-01 00:00:00").timestamp()


def test_what_needs_attention_is_counted_by_kind_and_feed():
    items = [
        Item("late", "gas", "a"),
        Item("refused", "gas", "b"),
        Item("lost_files", None, "c"),
        Item("lost_files", None, "d"),
    ]
    found = measured(Facts(attention=items))
    assert found[("attention", "late", "gas")] == 1
    assert found[("attention", "lost_files", "")] == 2
    assert not [name for name in measured(Facts()) if name[0] == "attention"]


def test_a_feed_with_a_time_by_which_it_is_expected_says_when_it_is_due():
    found = measured(Facts(due={"gas": at("2026-11-30 06:00")}))
    assert found[("feed_due_timestamp_seconds", "gas")] == at("2026-11-30 06:00").timestamp()
