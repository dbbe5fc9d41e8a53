"""docs/formats.md: each recipe's entry loads its file, and what comes out is what the page says."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from pipeline import formats
from pipeline.clock.local_time import day_minutes
from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import row_readers, trial
from tests.recipes import EXAMPLES, RECEIVED, TEXT, recipes

RECIPES = {recipe.name: recipe for recipe in recipes()}
# Supplier -> local day of a clock change on which its file has an hour that stands twice, and that hour's readings, in
# the order of their instants: as the files were written, by hand.
REPEATED = {
    "esb": ("2023-10-29", ["0.321", "0.267", "0.213", "0.159", "0.102"]),
    "fluvius": ("2023-10-29", ["0.082", "0.093", "0.104", "0.115", "0.126"]),
    "dsmr_reader": ("2023-10-29", ["0.189", "0.162", "0.207", "0.220"]),
    "green_button": ("2023-11-05", ["412.5", "413.5", "414.5"]),
    "e_distribuzione": ("2023-10-29", ["0.087", "0.088", "0.089", "0.090", "0.091", "0.088", "0.089"]),
    "uk_clock_times": ("2023-10-29", ["0.301", "0.302", "0.303", "0.302", "0.303", "0.304"]),
    "uk_periods": ("2023-10-29", ["0.601", "0.602", "0.603", "0.604", "0.605", "0.606"]),
}


@pytest.fixture(params=RECIPES)
def recipe(request):
    return RECIPES[request.param]


def looked_at(recipe):
    """(feed, bytes, verdict), as a run has them whose landing folder is that of the example."""
    feed = Feed(**recipe.feed)
    content = recipe.file.read_bytes()
    below = recipe.file.relative_to(EXAMPLES / recipe.name).as_posix()
    delivery = Delivery(feed.name, recipe.file.name, str(recipe.file), below, len(content), RECEIVED)
    return feed, content, trial.inspected(content, delivery, feed, "production")


def tried(recipe):
    feed, content, delivery = looked_at(recipe)
    assert delivery.reason_code is None, delivery.reason
    return trial.tried(content, delivery, feed, RECEIVED)


def readings(recipe, direction):
    """The readings of one direction that pass, by instant."""
    feed, content, delivery = looked_at(recipe)
    judge = formats.format_of(feed).row_judge
    rows = row_readers.READERS[feed.format].rows(content, delivery, feed)
    by_meter = defaultdict(list)
    for row in rows:
        by_meter[row[judge.columns(feed)[0]]].append(row)
    found = [each for rows in by_meter.values() for each in judge.judged(rows, feed, RECEIVED)]
    passed = [each for each in found if each.reason_code is None and each.consumption is not None]
    return sorted((each for each in passed if each.direction == direction), key=lambda each: each.interval_start)


def test_what_comes_out_is_what_the_page_says(recipe):
    expected, found = recipe.expected, tried(recipe)
    assert found.rows_in_file == found.delivery.rows_read == expected.rows
    assert tuple(each.reason_code for each in found.refused) == expected.rejected
    assert found.delivery.rows_accepted == expected.rows - len(expected.rejected)
    assert found.without_reading == expected.without_reading
    assert sum(day.readings for day in found.days.values()) == expected.readings
    # A clock change that is read wrongly lets two rows of one hour meet.
    assert found.superseded == 0
    energy = defaultdict(Decimal)
    for (_, direction), day in found.days.items():
        energy[direction] += day.consumption
    assert energy == expected.energy
    assert Feed(**recipe.feed).kept_unit == expected.unit
    assert min(each.interval_start for way in energy for each in readings(recipe, way)) == expected.first


@pytest.mark.parametrize("name", REPEATED)
def test_an_hour_that_stands_twice_is_read_in_the_order_in_which_it_passed(name):
    day, values = REPEATED[name]
    found = [each for each in readings(RECIPES[name], "import") if str(each.local_date) == day]
    energy, wanted = [each.consumption for each in found], [Decimal(value) for value in values]
    at = next((n for n in range(len(energy)) if energy[n : n + len(wanted)] == wanted), None)
    assert at is not None, energy
    starts = [each.interval_start for each in found[at : at + len(wanted)]]
    steps = {later - earlier for earlier, later in pairwise(starts)}
    # Of its quarter hours Fluvius' file has some only.
    assert name == "fluvius" or steps == {timedelta(minutes=found[0].interval_minutes)}


def test_both_clock_changes_are_in_every_file_that_has_local_days(recipe):
    if recipe.name == "nem12":
        return
    zone = Feed(**recipe.feed).time_zone
    assert {day_minutes(date, zone) for date, _ in tried(recipe).days} >= {23 * 60, 25 * 60}


def test_the_lines_that_the_page_shows_are_the_file_s(recipe):
    lines = recipe.file.read_text(encoding="utf-8-sig").splitlines()
    for shown in recipe.shown:
        pattern = ".*".join(map(re.escape, shown.split("…")))
        assert any(re.fullmatch(rf"\s*{pattern}", line) for line in lines), shown


def test_the_name_of_a_feed_is_its_folder_s_and_every_folder_has_a_recipe(recipe):
    assert recipe.feed["path"] == f"data_lake/landing/{recipe.name}"
    assert recipe.file.parent == EXAMPLES / recipe.name
    assert [file for file in recipe.file.parent.rglob("*") if file.is_file()] == [recipe.file]
    assert {path.name for path in EXAMPLES.iterdir() if path.is_dir()} == set(RECIPES)


def test_each_recipe_explains_zone_label_and_unit(recipe):
    section = next(part for part in re.split(r"^## ", TEXT, flags=re.MULTILINE) if f'name = "{recipe.name}"' in part)
    prose = section.split("```")[0]
    assert [word for word in ("zone", "label", "unit") if f"**{word}**" not in prose.lower()] == []
