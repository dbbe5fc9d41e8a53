"""`try` counts every delivery of the demo as the run did that loaded it, and finds the same energy by day."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal

from pipeline.config.settings import load
from pipeline.lake import access, tables
from pipeline.runtime.context import Context
from tests.conftest import command
from tests.jobs.test_demo import config

__all__ = ["config"]
COUNTS = ("rows_read", "rows_accepted", "rows_rejected", "reason_code")


def test_every_delivery_of_the_demo_is_counted_as_its_run_counted_it(config):
    context = Context(load(config))
    logged = access.small_rows(context, tables.INGESTION_LOG, tables.INGESTION_LOG.names)
    of_files = [row for row in logged if row["feed"] != "reference" and row["status"] in {"loaded", "rejected"}]
    tried = [
        json.loads(command("try", row["file_path"], "--feed", row["feed"], "--json", config=config).stdout)
        for row in of_files
    ]
    said = [{name: facts[name] for name in COUNTS} for facts in tried]
    # A name that is refused is no reason for `try`, which goes on to look at the content.
    known = [row for row in of_files if row["reason_code"] != "BAD_FILE_NAME"]
    assert [facts for facts, row in zip(said, of_files, strict=True) if row in known] == [
        {name: row[name] for name in COUNTS} for row in known
    ]
    assert len(known) > 10
    assert any(row["rows_rejected"] for row in known)


def test_the_energy_of_days_that_one_delivery_alone_brought_is_gold_s(config):
    context = Context(load(config))
    logged = access.small_rows(context, tables.INGESTION_LOG, tables.INGESTION_LOG.names)
    loaded = [row for row in logged if row["status"] == "loaded" and row["feed"] != "reference"]
    brought = defaultdict(list)
    for row in loaded:
        for day in row["local_dates"] or ():
            brought[row["feed"], day].append(row)
    meter_days = access.small_rows(context, tables.METER_DAY, tables.METER_DAY.names)
    gold = defaultdict(Decimal)
    for each in meter_days:
        gold[each["feed"], each["local_date"], each["direction"]] += each["consumption"]
    compared = 0
    for row in loaded:
        answer = command("try", row["file_path"], "--feed", row["feed"], "--json", config=config)
        facts = json.loads(answer.stdout)
        for day in facts["days"]:
            on = date.fromisoformat(day["local_date"])
            if len(brought[row["feed"], on]) == 1:
                scale = 1000 if facts["unit"] == "Wh" else 1
                assert Decimal(day["consumption"]) / scale == gold[row["feed"], on, day["direction"]], (
                    row["file_path"],
                    day,
                )
                compared += 1
    assert compared > 4
