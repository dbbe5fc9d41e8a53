"""NEM12 and Green Button from the file to the answer: responses with row numbers, explain, and replay by other rules."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs import replay, run
from pipeline.config.feeds import Feed
from pipeline.lake import tables
from tests.green_button_feeds import reading, usual
from tests.jobs.conftest import log, put, rows
from tests.jobs.test_explain import explained

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pipeline.runtime.context import Context

POWER = Feed(name="power", format="nem12", path="power")
HOMES = Feed(name="homes", format="green_button", path="homes")
ONES = ",".join(["1"] * 47)
FIRST = (
    f"100,NEM12\n200,63,E1,,E1,,,kWh,30\n300,20210301,2,{ONES},V,,,,\n400,1,1,F14,,\n300,20210302,{ONES},A,,,,\n900\n"
)
SECOND = f"100,NEM12\n200,63,E1,,E1,,,MWh,30\n300,20210301,0.003,{ONES.replace('1', '0.001')},A,,,,\n900\n"
AT = 1_614_520_800  # 2021-02-28 14:00:00 in UTC, midnight of the first of March at +10:00


def test_both_formats_are_answered_explained_and_judged_again(
    lake: Callable[..., Context], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = tmp_path / "answers"
    feeds = [feed.model_copy(update={"acknowledge": str(answers / feed.name)}) for feed in (POWER, HOMES)]
    put(tmp_path / "power", "a.csv", FIRST.encode())
    put(tmp_path / "power", "b.CSV", SECOND.encode(), minutes=1)
    put(
        tmp_path / "homes",
        "a.xml",
        usual(reading(5, AT, more="<ReadingQuality><quality>8</quality></ReadingQuality>") + reading("x", AT + 900)),
    )
    put(tmp_path / "homes", "b.xml", usual(reading(6, AT), powerOfTenMultiplier=3), minutes=1)
    context = lake(*feeds)
    run.run(context)
    assert log(context) == [("a.csv", "loaded", None), ("b.CSV", "loaded", None), ("a.xml", "loaded", None), ("b.xml", "loaded", None)]  # fmt: skip
    said = [
        json.loads(path.read_bytes())
        for path in (answers / "power/a.csv.1.ack.json", answers / "homes/a.xml.3.ack.json")
    ]
    assert [(each["rows_read"], each["rows_rejected"]) for each in said] == [(2, 1), (2, 1)]
    assert [row for each in said for row in each["rejected_rows"]] == [
        {"row": 2, "reason_code": "ARRAY_LENGTH_INVALID", "reason": "47 values of 30 minutes, not 48", "meter_id": "63/E1"},
        {"row": 2, "reason_code": "CONSUMPTION_INVALID", "reason": "value 'x' times ten to '0' is not a usable number", "meter_id": "5446"},
    ]  # fmt: skip

    answer = explained(context, capsys, "63/E1", "2021-02-28T14:10Z")
    assert [(each["file"], each["row_number"], each["verdict"], each["consumption"], each["quality"]) for each in answer["versions"]] == [
        ("b.CSV", 1, "current", "3.000000", "A"),
        ("a.csv", 1, "superseded by b.CSV, row 1: received later", "2.000000", "F14"),
    ]  # fmt: skip
    assert answer["versions"][1]["raw"] == f"300,20210301,2,{ONES},V,,,,"
    answer = explained(context, capsys, "5446", "2021-02-28T14:10Z")
    assert [(each["file"], each["verdict"], each["consumption"]) for each in answer["versions"]] == [
        ("b.xml", "current", "6000.000000"),
        ("a.xml", "superseded by b.xml, row 1: received later", "5.000000"),
    ]
    answer = explained(context, capsys, "5446", "2021-02-28T14:15Z")
    assert [each["verdict"] for each in answer["versions"]] == [
        "refused, CONSUMPTION_INVALID: value 'x' times ten to '0' is not a usable number"
    ]

    # A limit that the newer values break: the older ones count again.
    limited = [
        feed.model_copy(update={"max_consumption": most})
        for feed, most in zip(feeds, (Decimal(2), Decimal(100)), strict=True)
    ]
    replay.run(lake(*limited), ["b.CSV", "b.xml"], dry_run=False, as_json=True)
    run.run(lake(*limited))
    first = rows(
        context,
        tables.READINGS,
        "meter_id",
        "consumption",
        "unit",
        "file_id",
        where=lambda row: row["row_number"] == 1 and row["interval_start"].timestamp() == AT,
    )
    assert first == [("5446", Decimal("5.000000"), "Wh", 3), ("63/E1", Decimal("2.000000"), "kWh", 1)]
