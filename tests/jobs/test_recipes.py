"""One run loads the files of all recipes in docs/formats.md; the lake holds what the page's table says."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter, defaultdict
from decimal import Decimal

import pytest

from jobs import replay, run
from pipeline.config.feeds import Feed
from pipeline.lake import access, tables
from tests.jobs.conftest import rows
from tests.recipes import EXAMPLES, RECEIVED, recipes

LOGGED = ("feed", "status", "rows_read", "rows_accepted", "rows_rejected")


@pytest.mark.slow
def test_one_run_loads_every_recipe_s_file_with_the_energy_that_the_page_says(lake, tmp_path, capsys):
    page = {recipe.name: recipe.expected for recipe in recipes()}
    feeds = [Feed(**recipe.feed).model_copy(update={"path": recipe.name}) for recipe in recipes()]
    for recipe in recipes():
        target = tmp_path / recipe.file.relative_to(EXAMPLES)
        target.parent.mkdir()
        shutil.copyfile(recipe.file, target)
        os.utime(target, (RECEIVED.timestamp(),) * 2)
    context = lake(*feeds)
    run.run(context)

    logged = access.small_rows(context, tables.INGESTION_LOG, LOGGED)
    assert {row["feed"]: tuple(row.values())[1:] for row in logged} == {
        name: ("loaded", each.rows, each.rows - len(each.rejected), len(each.rejected)) for name, each in page.items()
    }
    rejected = Counter(rows(context, tables.REJECTED, "feed", "reason_code"))
    assert rejected == Counter((name, code) for name, each in page.items() for code in each.rejected)

    # A dry run judges bronze again in Python: nothing would change.
    capsys.readouterr()
    replay.run(context, [f"#{number}" for number in range(1, len(page) + 1)], dry_run=True, as_json=True)
    again = json.loads(capsys.readouterr().out)["files"]
    assert [each["after"] for each in again] == [each["before"] for each in again]

    silver = rows(context, tables.READINGS, "feed", "direction", "consumption", "unit", "interval_start")
    energy, starts, counts = defaultdict(Decimal), defaultdict(list), Counter()
    for feed, direction, consumption, unit, start in silver:
        energy[feed, direction, unit] += consumption
        starts[feed].append(start)
        counts[feed] += 1
    assert energy == {(name, way, each.unit): sum_ for name, each in page.items() for way, sum_ in each.energy.items()}
    assert {name: min(found) for name, found in starts.items()} == {name: each.first for name, each in page.items()}
    assert counts == {name: each.readings for name, each in page.items()}

    gold = defaultdict(Decimal)
    for feed, direction, kwh in rows(context, tables.METER_DAY, "feed", "direction", "consumption"):
        gold[feed, direction] += kwh
    scale = {"kWh": 1, "Wh": 1000}
    assert gold == {(feed, way): total / scale[unit] for (feed, way, unit), total in energy.items()}
