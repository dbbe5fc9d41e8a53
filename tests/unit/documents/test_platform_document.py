"""docs/platform.md: its arithmetic follows from its stated inputs, and what it names of this repository is there."""

from __future__ import annotations

import ast
import operator
import re
from fractions import Fraction
from math import ceil
from pathlib import Path

import pytest

from pipeline import formats
from pipeline.config import values
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.lake import tables, views

ROOT = Path(__file__).parents[3]
PLAN = ROOT / "docs" / "platform.md"
TEXT = PLAN.read_text(encoding="utf-8")
FLEETS = [10_000, 100_000, 1_000_000, 10_000_000]
IN = {
    name: Fraction(value.replace(",", ""))
    for name, value in re.findall(r"^\| `(\w+)` \| ([\d,.]+) \|", TEXT, re.MULTILINE)
}


def table_after(mark):
    """First cell -> the others, of the lines between a mark's begin and end."""
    block = re.search(rf"<!-- {mark}: begin -->\n(.*?)<!-- {mark}: end -->", TEXT, re.DOTALL)[1]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in block.splitlines()]
    return {first: rest for first, *rest in rows[2:]}


def as_number(text):
    return Fraction(text.replace(",", ""))


def agrees(stated, exact):
    """The stated figure is the exact one, rounded to three digits or better."""
    return abs(as_number(stated) - exact) <= exact * Fraction(5, 1000)


def per_fleet(meters):
    """All of the table for a fleet, by formulas written again from the words of the document."""
    a_day = Fraction(meters * 24 * 60) / IN["minutes"]
    feeds, kept = IN["feeds"], IN["kept_days"]
    of_feed_mb = a_day * IN["silver_bytes"] / feeds / 10**6
    files = feeds * ceil(of_feed_mb / IN["file_mb"])
    bronze_files = feeds * ceil(a_day * IN["bronze_row_bytes"] / feeds / 10**6 / IN["file_mb"])
    deliveries = Fraction(ceil(meters / IN["meters_a_delivery"]))
    lists = IN["runs_a_day"] * ceil(deliveries * kept / 1000)
    new = a_day * IN["load_us"] / 10**6 / 3600
    late = a_day * IN["late_days"] * IN["rewrite_us"] / 10**6 / 3600
    start = IN["runs_a_day"] * IN["run_cpu_s"] / 3600
    on_cluster = (new + late + start) * IN["cluster_factor"]
    paid = max(on_cluster / IN["busy_share"], IN["runs_a_day"] * IN["run_core_hours"])
    stored = (a_day * (IN["bronze_row_bytes"] + IN["silver_bytes"]) + meters * IN["meter_day_bytes"]) * kept / 10**12
    cores = 30 * paid * IN["usd_core_hour"]
    storage = stored * 1000 * IN["usd_gb_month"]
    written = files + files * IN["late_days"] + bronze_files
    requests = 30 * (written + lists) * IN["usd_1000_put"] / 1000
    requests += 30 * IN["gets_a_file"] * (written + deliveries + deliveries) * IN["usd_1000_get"] / 1000
    gigabyte = a_day / 10**9
    return {
        "readings a day, million": a_day / 10**6,
        "readings a second, mean": a_day / (24 * 3600),
        "readings a year, billion": a_day * 365 / 10**9,
        "delivered a day as JSON rows, GB": gigabyte * IN["json_bytes"],
        "delivered a day as arrays, GB": gigabyte * IN["array_bytes"],
        "bronze a day from rows, GB": gigabyte * IN["bronze_row_bytes"],
        "bronze a day from arrays, GB": gigabyte * IN["bronze_array_bytes"],
        "silver a day, GB": gigabyte * IN["silver_bytes"],
        "silver a day in the order of meters, GB": gigabyte * IN["silver_ordered_bytes"],
        "gold.meter_day a day, MB": meters * IN["meter_day_bytes"] / 10**6,
        "silver of one feed and day, MB": of_feed_mb,
        "silver files a day, as runs leave them": IN["runs_a_day"] * feeds,
        "silver files a day, put together": files,
        "silver files kept, put together": files * kept,
        "deliveries a day": deliveries,
        "deliveries in the log": deliveries * kept,
        "LIST requests a day for the landing folder": lists,
        "core hours a day, new readings": new,
        "core hours a day, late readings": late,
        "core hours a day, late readings in every run": late * IN["runs_a_day"],
        "core hours a day, start of the runs": start,
        "core hours a day on a cluster, working": on_cluster,
        "core hours a day on a cluster, paid": paid,
        "cores to do it in two hours": Fraction(ceil(on_cluster / 2)),
        "stored in the end, TB": stored,
        "cores, USD a month": cores,
        "storage, USD a month": storage,
        "requests, USD a month": requests,
        "all three, USD a month": cores + storage + requests,
        "USD a meter and year": (cores + storage + requests) / 30 * 365 / meters,
        "rows that one erasure rewrites, million": a_day * kept / feeds / 10**6,
        "core hours of one erasure": new / feeds * kept * IN["cluster_factor"],
        "core hours to rebuild everything (`verify`)": new * kept * IN["cluster_factor"],
        "one day in the read API's memory, GB": gigabyte * IN["api_bytes"],
    }


def test_every_figure_of_the_table_follows_from_the_inputs():
    stated = table_after("computed")
    exact = [per_fleet(meters) for meters in FLEETS]
    assert list(stated) == list(exact[0])
    wrong = [
        (name, meters, cells[n], float(exact[n][name]))
        for name, cells in stated.items()
        for n, meters in enumerate(FLEETS)
        if not agrees(cells[n], exact[n][name])
    ]
    assert wrong == []


def test_the_other_sources_follow_from_their_inputs():
    exact = {
        "weather": IN["grid_points"] * IN["variables"] * IN["forecast_hours"] * IN["weather_runs"],
        "prices": IN["price_zones"] * 1440 / IN["minutes"],
        "home profiles": 10_000_000 * IN["profile_changes"],
    }
    assert {name: as_number(cell) for name, (cell,) in table_after("others").items()} == exact


def test_sentences_repeat_figures_of_the_tables():
    quoted = re.findall(r"\*([\w .,`()'-]+)\* of ([\d,]+) meters is ([\d,.]+)", " ".join(TEXT.split()))
    computed = table_after("computed")
    assert len(quoted) >= 8
    for name, meters, figure in quoted:
        assert computed[name][FLEETS.index(int(meters.replace(",", "")))] == figure.rstrip(".,"), (name, meters)


def test_each_measured_input_says_where_it_is_from():
    section = TEXT[TEXT.index("### 10.1") : TEXT.index("### 10.2")]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    measured = [line for line in lines if "measured" in line.split("|")[4]]
    assert len(measured) >= 9
    assert all("benchmarks/" in line or ".md" in line for line in measured)
    assert all(re.search(r"measured|assumed|chosen", line.split("|")[4]) for line in lines)


# --- what it names of this repository ----------------------------------------------------------------------------


def named_paths():
    linked = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT) if "://" not in target]
    return sorted({*linked}), sorted(
        {name.rstrip("/") for name in re.findall(r"`([\w.-]+/[\w./-]*|\w+\.(?:py|md|toml)|Makefile)`", TEXT)}
    )


def test_every_path_exists():
    linked, written = named_paths()
    assert [path for path in linked if not (PLAN.parent / path).exists()] == []
    assert len(written) > 20
    assert [path for path in written if not (ROOT / path).exists()] == []


def test_every_link_into_the_document_has_its_heading():
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(#([^)]+)\)", TEXT)
    assert links
    assert set(links) <= anchors


def test_every_table_that_is_said_to_be_here_is():
    example = {"lake": "x", "feeds": [Feed(name="gas", format="smrt", path="x")]}
    there = {table.full_name for table in formats.lake_tables(Settings(**example))}
    there |= {view.name for view in views.all_views(Settings(**example))}
    named = set(re.findall(r"\b((?:silver|gold|ops)\.(?!py\b)[a-z_]+)\b", TEXT))
    assert len(named) > 8
    assert named <= there


def test_commands_and_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    commands = "".join(path.read_text() for path in (ROOT / "jobs/cli").glob("*.py"))
    for target in re.findall(r"`make ([a-z-]+)", TEXT):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for verb in re.findall(r"`main\.py ([a-z]+)", TEXT):
        assert f"def {verb}(" in commands or f'"{verb}"' in commands, verb


def constants(path):
    """The numbers that a module names in capitals, worked out without importing it."""
    known = {}
    how = {ast.Mult: operator.mul, ast.Add: operator.add, ast.Sub: operator.sub}

    def value(node):
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return known[node.id]
        return how[type(node.op)](value(node.left), value(node.right))

    for statement in ast.parse((ROOT / path).read_text()).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            try:
                known[statement.targets[0].id] = value(statement.value)
            except (AttributeError, KeyError):
                continue
    return known


@pytest.mark.parametrize(("name", "figure", "path"), re.findall(r"`([A-Z_]+) = ([\d,]+)` in `([\w/.]+)`", TEXT))
def test_limits_are_those_of_the_code(name, figure, path):
    assert constants(path)[name] == as_number(figure)


def test_resolutions_are_as_the_configuration_takes_them():
    assert Feed(name="a", format="split_json", path="x", interval_minutes=5).minutes == 5
    assert Feed(name="a", format="obis_json", path="x", interval_minutes=1440).minutes == values.DAY_MINUTES
    with pytest.raises(ValueError, match="less than or equal to 1440"):
        Feed(name="a", format="split_json", path="x", interval_minutes=43_200)
    assert [column.name for column in tables.READINGS.columns if column.name in {"fuel", "interval_end"}] == []
