"""Responses for senders, from the delivery to the file: what they say, and that they come once, whatever is rebuilt."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from jobs import backfill, replay, run, withdraw
from pipeline.deliveries.span import Span
from pipeline.lake import access, tables
from tests.jobs.conftest import ELECTRICITY, GAS, log, put, rows, smrt, split_json, versions
from tests.jobs.responses import CUT, HOUR, asking, noted, responses, verdicts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context


def test_every_delivery_is_answered_once_when_silver_has_it(
    lake: Callable[..., Context], gas: Path, electricity: Path, answers: Path
) -> None:
    feeds = [asking(GAS, answers), asking(ELECTRICITY, answers)]
    lines = [f"{HOUR},1.5", f"{HOUR},-1", '"002","20210401","0030",1']
    put(gas, "day/PN000001.SMRT", smrt("PN000001", *lines))
    put(gas, "again/PN000001.SMRT", smrt("PN000001", *lines), minutes=1)
    put(gas, "PN000009.SMRT", CUT)
    good = ["2021-01-04 00:00:00", "m1", "0.1"]
    put(electricity, "good.json", split_json(good))
    put(electricity, "bad.json", split_json(good, *[["2021-01-04 00:10:00", f"m{n}", 1] for n in range(1001)]))
    put(electricity, os.fsdecode(b"odd\xff\n.json"), b"")  # not UTF-8: no name that Spark could be given

    context = lake(*feeds)
    run.run(context, "bronze")
    # What was refused brought nothing that silver could still judge.
    numbers = {path: file_id for file_id, path in rows(context, tables.INGESTION_LOG, "file_id", "relative_path")}
    (odd,) = (path for path in numbers if path.startswith("odd"))
    again = next(path for path, status, _ in log(context) if status == "duplicate")
    first = ({"again/PN000001.SMRT", "day/PN000001.SMRT"} - {again}).pop()
    name = {path: f"{path}.{number}.ack.json" for path, number in numbers.items()}
    refused = {
        name["PN000009.SMRT"]: ("refused", "TRAILER_MISSING", 0, 0, 0),
        name[again]: ("duplicate", None, 0, 0, 0),
        name[odd]: ("refused", "UNREADABLE", 0, 0, 0),
    }
    assert verdicts(answers) == refused

    context = lake(*feeds)
    run.run(context, "silver")
    assert verdicts(answers) == refused | {
        name[first]: ("accepted", None, 3, 1, 2),
        name["good.json"]: ("accepted", None, 1, 1, 0),
        name["bad.json"]: ("accepted", None, 1002, 1, 1001),
    }
    sent = responses(answers)
    assert [(row["line"], row["reason_code"], row["meter_id"]) for row in sent[name[first]]["rejected_rows"]] == [
        (3, "CONSUMPTION_NEGATIVE", "001"),
        (4, "OFF_GRID", "002"),
    ]
    bad = sent[name["bad.json"]]
    assert [row["row"] for row in bad["rejected_rows"]] == list(range(2, 1002))
    assert bad["rejected_rows_left_out"] == 1
    assert bad["rejected_rows"][0]["meter_id"] == "m0"
    assert len(noted(context)) == 6
    assert access.done_to(context, tables.ACKNOWLEDGEMENTS) == 1
    paths = rows(context, tables.ACKNOWLEDGEMENTS, "response_path")
    assert {path for (path,) in paths} == {str(answers / path) for path in sent}

    # Removed by the sender: not written again, and a run with nothing new makes no commit and starts no JVM.
    (answers / name["good.json"]).unlink()
    (electricity / os.fsdecode(b"odd\xff\n.json")).unlink()  # what cannot be read is tried again by every run
    run.run(lake(*feeds), "gold")
    before, sent = versions(context), responses(answers)
    context = lake(*feeds)
    run.run(context)
    assert not context.has_spark
    assert (versions(context), responses(answers)) == (before, sent)

    put(gas, "day/PN000001.SMRT", smrt("PN000001", f"{HOUR},9"), minutes=2)
    put(gas, "again/PN000001.SMRT", smrt("PN000001", f"{HOUR},9"), minutes=3)
    run.run(lake(*feeds))
    new = {path: said for path, said in verdicts(answers).items() if path not in sent}
    assert [(path.partition("/")[2], said) for path, said in new.items()] == [
        ("PN000001.SMRT.7.ack.json", ("refused", "CHANGED_AFTER_LOADING", 0, 0, 0))
    ]


def test_a_feed_that_begins_to_ask_is_answered_from_then_on(
    lake: Callable[..., Context], gas: Path, electricity: Path, answers: Path
) -> None:
    put(gas, "PN000001.SMRT", CUT)
    run.run(lake(GAS, ELECTRICITY))
    feeds = [asking(GAS, answers), ELECTRICITY]
    context = lake(*feeds)
    before = versions(context)
    run.run(context)
    assert (versions(context), answers.exists()) == (before, False)
    put(electricity, "a.json", b"")
    run.run(lake(*feeds))
    assert noted(context) == []
    put(gas, "PN000002.SMRT", CUT)
    put(electricity, "b.json", b"")
    run.run(lake(*feeds))
    assert noted(context) == [(3, "gas", "rejected", 3)]
    # A second one begins to ask, and a name as long as names can be, in a folder that looks like a response.
    feeds = [asking(GAS, answers), asking(ELECTRICITY, answers)]
    run.run(lake(*feeds))
    assert len(noted(context)) == 1
    put(electricity, f"PN000002.SMRT.3.ack.json/{'c' * 250}.json", b"")
    run.run(lake(*feeds))
    assert noted(context)[1:] == [(5, "electricity", "rejected", 4)]
    assert f"PN000002.SMRT.3.ack.jso_/{'c' * 244}.5.ack.json" in responses(answers)


@pytest.mark.slow
def test_what_was_answered_is_never_answered_again_whatever_is_rebuilt(
    lake: Callable[..., Context], gas: Path, electricity: Path, answers: Path
) -> None:
    hourly = ELECTRICITY.model_copy(update={"interval_minutes": 60})
    feeds, stricter = (
        [asking(GAS, answers), asking(ELECTRICITY, answers)],
        [asking(GAS, answers), asking(hourly, answers)],
    )
    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},1.5", f"{HOUR},-1"))
    put(electricity, "a.json", split_json(["2021-01-04 00:00:00", "m1", 1], ["2021-01-04 00:30:00", "m1", 4]))
    run.run(lake(*feeds))
    first, sent = noted(lake(*feeds)), responses(answers)
    assert len(first) == 2
    span = Span.of("2021-01-01", "2021-05-01")
    assert span is not None

    for path in answers.iterdir():
        path.unlink()  # the senders took them
    backfill.rebuild(lake(*feeds), "silver", span)
    before = versions(lake(*feeds))
    run.run(lake(*feeds), "silver")
    replay.run(lake(*feeds), ["#1"], dry_run=False, as_json=True)  # which changes nothing
    assert (noted(lake(*feeds)), responses(answers)) == (first, {})
    # The claim, and what it decided.
    assert before["ops.ingestion_log"] == versions(lake(*feeds))["ops.ingestion_log"] - 2

    # The verdict on a row has changed: there is one new response.
    replay.run(lake(*stricter), ["a.json"], dry_run=False, as_json=True)
    backfill.rebuild(lake(*stricter), "silver", span)
    run.run(lake(*stricter))
    assert [row[0] for row in noted(lake(*stricter))] == [1, 2, 2]
    assert {path: said["rows_rejected"] for path, said in responses(answers).items()} == {"a.json.2.ack.json": 1}
    # A withdrawal and a replay are two decisions, though the second says the same as the first answer.
    withdraw.run(lake(*stricter), "PN000001.SMRT", "", as_json=True)
    replay.run(lake(*stricter), ["#1"], dry_run=False, as_json=True)
    of_first = sorted(row[3:] + row[2:3] for row in noted(lake(*stricter)) if row[0] == 1)
    assert [status for _, status in of_first] == ["loaded", "withdrawn", "loaded"]
    again = responses(answers)["PN000001.SMRT.1.ack.json"]
    assert {**again, "run_id": ""} == {**sent["PN000001.SMRT.1.ack.json"], "run_id": ""}
    before = versions(lake(*stricter))
    run.run(lake(*stricter))
    assert versions(lake(*stricter)) == before


def test_a_refusal_that_is_settled_while_responses_are_due_costs_no_later_one(
    lake: Callable[..., Context], gas: Path, answers: Path
) -> None:
    feed = asking(GAS, answers)
    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},1.5"))
    put(gas, "PN000009.SMRT", CUT)
    run.run(lake(feed), "bronze")
    withdraw.run(lake(feed), "PN000009.SMRT", "never to come", as_json=True)
    run.run(lake(feed))
    put(gas, "PN000002.SMRT", smrt("PN000002", f"{HOUR},2.5"), minutes=1)
    run.run(lake(feed))
    put(gas, "PN000003.SMRT", smrt("PN000003", f"{HOUR},3.5"), minutes=2)
    run.run(lake(feed))
    sent = {path.split(".")[0]: said["verdict"] for path, said in responses(answers).items()}
    assert sent == {"PN000001": "accepted", "PN000009": "refused", "PN000002": "accepted", "PN000003": "accepted"}
