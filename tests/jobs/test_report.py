"""`report` on the demo lake: every figure equals Spark SQL's, and the page is safe and self-contained."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from decimal import Decimal
from html.parser import HTMLParser

import pytest

from jobs import query, report, run
from pipeline.config.settings import load
from pipeline.errors import LakeError
from pipeline.lake.view_dialects import SPARK
from pipeline.runtime.context import Context
from pipeline.serving.report.asked import Asked
from tests.conftest import command
from tests.jobs.conftest import ELECTRICITY, GAS, put, split_json
from tests.jobs.test_demo import config

__all__ = ["config"]
pytestmark = pytest.mark.slow

FEEDS = ("gas", "electricity", "solar", "vilnius", "berlin", "leeds")
# Minutes of the intervals that the report goes by: vilnius has quarter, half and whole hours, and days.
GRAINS = {"gas": 60, "electricity": 30, "solar": 15, "vilnius": 60, "berlin": 15, "leeds": 30}
ZONES = {"gas": "UTC", "electricity": "Europe/London", "solar": "UTC", "vilnius": "Europe/Vilnius"}
ZONES |= {"berlin": "Europe/Berlin", "leeds": "Europe/London"}
GRAIN = "CASE feed " + " ".join(f"WHEN '{feed}' THEN {grain}" for feed, grain in GRAINS.items()) + " END"
ZONE = "CASE feed " + " ".join(f"WHEN '{feed}' THEN '{zone}'" for feed, zone in ZONES.items()) + " END"
SERIES = f"""WITH local AS (
        SELECT *, HOUR(wall) * 60 + MINUTE(wall) AS since FROM (
            SELECT *, FROM_UTC_TIMESTAMP(interval_start, {ZONE}) AS wall, {GRAIN} AS grain FROM silver.readings)
        WHERE interval_minutes <= grain),
    series AS (
        SELECT feed, direction, grain, local_date, interval_start - MAKE_DT_INTERVAL(0, 0, since % grain) AS start,
            CAST(since - since % grain AS INT) AS minute, SUM({SPARK.kwh}) AS kwh
        FROM local GROUP BY ALL)"""
QUESTIONS = {
    "hour": """SELECT feed, direction, hour_start, SUM(total_kwh) AS kwh, SUM(readings) AS readings
        FROM gold.meter_hour GROUP BY ALL""",
    "day": "SELECT feed, direction, local_date, total_kwh, intervals_received FROM gold.feed_day",
    "week": """SELECT feed, direction, CAST(TRUNC(local_date, 'WEEK') AS DATE) AS week, SUM(total_kwh) AS kwh,
            SUM(intervals_received) AS readings, COUNT(*) AS days
        FROM gold.feed_day GROUP BY ALL""",
    "month": """SELECT feed, direction, DATE_FORMAT(month_start, 'yyyy-MM') AS month, total_kwh FROM gold.feed_month""",
    "profile": f"""{SERIES} SELECT feed, direction, minute, CAST(AVG(kwh) AS DECIMAL(28,6)) AS average,
            PERCENTILE(kwh, ARRAY(0.05, 0.25, 0.5, 0.75, 0.95)) AS quantiles, COUNT(*) AS intervals,
            CAST(AVG(kwh) FILTER (WHERE WEEKDAY(local_date) < 5) AS DECIMAL(28,6)) AS weekday,
            COUNT_IF(WEEKDAY(local_date) < 5) AS weekdays,
            CAST(AVG(kwh) FILTER (WHERE WEEKDAY(local_date) >= 5) AS DECIMAL(28,6)) AS weekend,
            COUNT_IF(WEEKDAY(local_date) >= 5) AS weekends
        FROM series GROUP BY feed, direction, minute""",
    "heat": f"""{SERIES} SELECT feed, direction, local_date, minute, CAST(AVG(kwh) AS DECIMAL(28,6)) AS kwh
        FROM series GROUP BY ALL""",
    "series": f"{SERIES} SELECT feed, direction, start, minute, kwh FROM series",
    "autocorrelation": f"""{SERIES}, away AS (
            SELECT feed, direction, grain, start, CAST(kwh AS DOUBLE) - AVG(kwh) OVER (PARTITION BY feed, direction) AS x
            FROM series)
        SELECT a.feed, a.direction, CAST((UNIX_TIMESTAMP(b.start) - UNIX_TIMESTAMP(a.start)) / 3600.0 AS DOUBLE) AS lag,
            SUM(a.x * b.x) / MAX(whole.x2) AS value
        FROM away a JOIN away b ON a.feed = b.feed AND a.direction = b.direction AND a.start < b.start
        JOIN (SELECT feed, direction, SUM(x * x) AS x2 FROM away GROUP BY ALL) whole
            ON a.feed = whole.feed AND a.direction = whole.direction
        WHERE b.start < a.start + INTERVAL 8 DAYS GROUP BY ALL""",
    "missing": """SELECT feed, direction, local_date, COUNT(*) AS intervals, COUNT(DISTINCT meter_id) AS meters,
            interval_minutes
        FROM gold.missing_intervals GROUP BY ALL""",
    "missing-meters": """SELECT feed, direction, meter_id, COUNT(*) AS intervals, interval_minutes
        FROM gold.missing_intervals GROUP BY ALL""",
    "meter-days": """SELECT feed, meter_id, direction, local_date, consumption,
            PERCENTILE(consumption, 0.5) OVER (PARTITION BY feed, meter_id, direction) AS median
        FROM gold.meter_day""",
}


class Tables(HTMLParser):
    """The tables of a page by their ids, as rows of text; and every address that the page names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.addresses: list[str] = []
        self.pictures: list[tuple[str, bytes]] = []
        self.tags: set[str] = set()
        self._row: list[str] | None = None
        self._cell: str | None = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.add(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href", "srcset", "data", "action"}]
        if tag == "img":
            self.pictures.append((attributes["alt"], base64.b64decode(attributes["src"].split(",", 1)[1])))
        if tag == "table":
            self.rows[attributes["id"]] = self._rows = []
        elif tag == "tr":
            self._row = []
        elif tag in {"td", "th"}:
            self._cell = ""

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self._row.append(self._cell)
            self._cell = None
        elif tag == "tr":
            self._rows.append(self._row)


@pytest.fixture(scope="module")
def pages(config, tmp_path_factory):
    """Feed -> (its page, its page's tables), by the command itself."""
    folder = tmp_path_factory.mktemp("reports")
    found = {}
    for feed in FEEDS:
        out = folder / f"{feed}.html"
        result = command("report", "--feed", feed, "--out", str(out), config=config)
        assert result.exit_code == 0, result.output
        (line,) = result.output.strip().splitlines()
        assert re.search(r"As of silver\.readings version \d+, .* newest delivery was received at 20\d\d-", line)
        found[feed] = (out.read_text(), Tables(out.read_text()))
    return found


@pytest.fixture(scope="module")
def answers(config):
    """Question -> feed -> rows without the feed, of Spark SQL."""
    context = Context(load(config))
    found = {}
    for name, question in QUESTIONS.items():
        by_feed = defaultdict(list)
        for row in query.select(context, question).toArrow().to_pylist():
            by_feed[row.pop("feed")].append(tuple(row.values()))
        found[name] = by_feed
    return found


def utc(instant):
    return instant.strftime("%Y-%m-%d %H:%MZ")


def clock(minute):
    return f"{minute // 60:02}:{minute % 60:02}"


def shown(pages, feed, name):
    """The rows of a table, without the headers; [] where the page has no such table."""
    return [tuple(row) for row in pages[feed][1].rows.get(name, [[]])[1:]]


@pytest.mark.parametrize("feed", FEEDS)
def test_totals_equal_spark_sqls(feed, pages, answers):
    hours = [(direction, *rest) for direction, _, *rest in shown(pages, feed, "totals-hour")]
    assert sorted(hours) == sorted((d, utc(at), str(kwh), str(n)) for d, at, kwh, n in answers["hour"][feed])
    for unit, width in (("day", 4), ("week", 5), ("month", 3)):
        rows = [row[:width] for row in shown(pages, feed, f"totals-{unit}")]
        assert rows
        assert sorted(rows) == sorted(tuple(map(str, row)) for row in answers[unit][feed])


@pytest.mark.parametrize("feed", FEEDS)
def test_profile_load_shape_and_heat_map_equal_spark_sqls(feed, pages, answers):
    for direction in {row[0] for row in answers["profile"][feed]}:
        rows = sorted(row[1:] for row in answers["profile"][feed] if row[0] == direction)
        profile = shown(pages, feed, f"profile-{direction}")
        assert [(row[0], row[1], row[7]) for row in profile] == [
            (clock(m), str(mean), str(n)) for m, mean, _, n, *_ in rows
        ]
        for row, (_, _, quantiles, *_) in zip(profile, rows, strict=True):
            assert [float(text) for text in row[2:7]] == pytest.approx(quantiles, abs=1e-6)
        shape = shown(pages, feed, f"shape-{direction}")
        assert shape == [(clock(m), *("" if x is None else str(x) for x in rest)) for m, _, _, _, *rest in rows]
        cells = {(str(day), clock(minute)): str(kwh) for d, day, minute, kwh in answers["heat"][feed] if d == direction}
        header, *days = pages[feed][1].rows[f"heat-{direction}"]
        assert {
            (day[0], at): cell for day in days for at, cell in zip(header[1:], day[1:], strict=True) if cell
        } == cells
        of_days = shown(pages, feed, f"shape-days-{direction}")
        totals = [row for row in answers["day"][feed] if row[0] == direction]
        for kind, count, kwh, _ in of_days:
            same = [total for _, day, total, _ in totals if (day.isoweekday() > 5) == (kind == "weekend")]
            assert (count, kwh) == (str(len(same)), str(sum(same)))


@pytest.mark.parametrize("feed", FEEDS)
def test_autocorrelation_equals_spark_sqls(feed, pages, answers):
    for direction in {row[0] for row in answers["series"][feed]}:
        expected = {round(lag, 4): value for d, lag, value in answers["autocorrelation"][feed] if d == direction}
        rows = shown(pages, feed, f"autocorrelation-{direction}")
        assert len(rows) >= 24
        for lag, value, _ in rows:
            assert float(value) == pytest.approx(expected[round(float(lag), 4)], abs=2e-6)


@pytest.mark.parametrize("feed", FEEDS)
def test_missing_intervals_equal_spark_sqls(feed, pages, answers):
    assert sorted(shown(pages, feed, "missing")) == sorted(tuple(map(str, row)) for row in answers["missing"][feed])
    meters = shown(pages, feed, "missing-meters")
    every = [tuple(map(str, row)) for row in answers["missing-meters"][feed]]
    assert set(meters) <= set(every)
    assert len(meters) == min(10, len(every))
    total = sum(row[2] for row in answers["missing"][feed])
    assert (f"{total:,} intervals of" if total else "No expected interval is missing") in pages[feed][0]


@pytest.mark.parametrize("feed", FEEDS)
def test_outliers_values_and_medians_equal_spark_sqls(feed, pages, answers):
    for direction in {row[0] for row in answers["series"][feed]}:
        values = {utc(at): (minute, kwh) for d, at, minute, kwh in answers["series"][feed] if d == direction}
        medians = {m: quantiles[2] for d, m, _, quantiles, *_ in answers["profile"][feed] if d == direction}
        for _, at, kwh, median, _, _ in shown(pages, feed, f"outliers-{direction}"):
            assert Decimal(kwh) == values[at][1]
            assert float(median) == pytest.approx(medians[values[at][0]], abs=1e-6)
    days = {(meter, d, str(day)): (kwh, median) for meter, d, day, kwh, median in answers["meter-days"][feed]}
    for meter, direction, day, kwh, median, _, _ in shown(pages, feed, "outlying-days"):
        assert Decimal(kwh) == days[meter, direction, day][0]
        assert float(median) == pytest.approx(days[meter, direction, day][1], abs=1e-6)


@pytest.mark.parametrize("feed", FEEDS)
def test_import_against_export_equals_spark_sqls(feed, pages, answers):
    totals = {(direction, day): kwh for direction, day, kwh, _ in answers["day"][feed]}
    days = sorted({day for _, day in totals})
    both = {direction for direction, _ in totals} == {"import", "export"}
    assert shown(pages, feed, "balance") == (
        [
            (str(day), str(bought := totals["import", day]), str(sold := totals["export", day]), str(bought - sold))
            for day in days
        ]
        if both
        else []
    )
    assert ("There is only import, so" in pages[feed][0]) is not both
    assert both is (feed in {"solar", "berlin"})


@pytest.mark.parametrize("feed", FEEDS)
def test_the_page_is_whole_in_itself_and_every_picture_says_what_it_shows(feed, pages):
    page, parsed = pages[feed]
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<script|<link|<iframe", page, re.IGNORECASE)
    assert {each.split(":", 1)[0] if ":" in each else each[0] for each in parsed.addresses} == {"data", "#"}
    assert {"main", "h1", "h2", "figure", "figcaption", "details"} <= parsed.tags
    assert len(parsed.pictures) >= 9
    for alt, picture in parsed.pictures:
        assert ET.fromstring(picture).tag.endswith("svg")  # noqa: S314 - our own
        assert alt.endswith(".")
        escaped = alt.replace("'", "&#39;")
        assert page.count(f"<figcaption>{escaped}</figcaption>") == 1


def test_days_of_23_and_25_hours_are_named_and_keep_the_repeated_hour_apart(pages):
    assert "Sunday 2021-03-28 has 23 hours and Sunday 2021-10-31 has 25 hours" in pages["electricity"][0]
    hours = [row[1] for row in shown(pages, "electricity", "totals-hour")]
    assert {"2021-10-31 01:00+01:00", "2021-10-31 01:00+00:00"} <= set(hours)
    assert "Every day with readings has 24 hours in UTC" in pages["gas"][0]
    assert "6 longer ones count from the day on" in pages["vilnius"][0]


def test_the_same_lake_gives_the_same_bytes_and_replaces_the_old_file(config, pages, tmp_path):
    out = tmp_path / "solar.html"
    out.write_text("old")
    assert command("report", "--feed", "solar", "--out", str(out), config=config).exit_code == 0
    assert out.read_text() == pages["solar"][0]
    assert [path.name for path in tmp_path.iterdir()] == ["solar.html"]


def test_markdown_comes_with_its_pictures(config, tmp_path):
    out = tmp_path / "a (b)" / "of solar.md"
    out.parent.mkdir()
    answer = command("report", "--feed", "solar", "--out", str(out), "--json", config=config)
    facts = json.loads(answer.stdout)
    assert (facts["feed"], facts["readings"], facts["first_day"], facts["last_day"]) == (
        "solar",
        4608,
        "2021-03-27",
        "2021-11-01",
    )
    assert facts["written"][-1] == str(out)
    assert set(facts["versions"]) == {"silver.readings", "gold.missing_intervals", "ops.ingestion_log"}
    named = re.findall(r"\]\((.*?)\)", out.read_text())
    pictures = sorted((out.parent / "of solar_files").iterdir())
    assert sorted(named) == [f"of%20solar_files/{picture.name}" for picture in pictures]
    assert {picture.read_bytes()[:8] for picture in pictures} == {b"\x89PNG\r\n\x1a\n"}


def test_a_range_and_a_meter(config, tmp_path):
    out = tmp_path / "one.html"
    options = ["--meter", "1400000001", "--from", "2021-03-28", "--to", "2021-03-29"]
    answer = command("report", "--feed", "electricity", "--out", str(out), *options, "--json", config=config)
    facts = json.loads(answer.stdout)
    assert (facts["readings"], facts["first_day"], facts["last_day"]) == (46, "2021-03-28", "2021-03-28")
    page = out.read_text()
    assert "Meter readings of electricity, meter 1400000001" in page
    assert "46 readings of 1 meter on 1 day" in page
    assert "no weekday has readings" in page
    assert "too few to say" in page


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--feed", "water"), "no feed 'water': use gas, electricity, solar, vilnius, berlin, leeds"),
        (("--feed", "\x1b[31m<b>"), "no feed '\\x1b[31m<b>'"),
        (("--feed", "gas", "--from", "2021-03-29", "--to", "2021-03-29"), "is not before"),
        (("--feed", "gas", "--from", "tomorrow"), "is not a day"),
        (("--feed", "gas", "--from", "2030-01-01"), "no readings of feed 'gas', from 2030-01-01"),
        (("--feed", "gas", "--meter", "<script>"), "no readings of feed 'gas', meter '<script>'"),
        (("--feed", "gas", "--format", "pdf"), "unknown format 'pdf': use html, md"),
        (("--feed", "gas", "--out", "no/such/folder/r.html"), "no folder 'no/such/folder'"),
        (("--feed", "gas", "--out", "."), "is a folder"),
        (("--feed", "gas", "--out", "x" * 300), "cannot be written"),
    ],
)
def test_a_wrong_command_is_one_line_and_exit_code_2(options, says, config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = command("report", "--out", "r.html", *options, config=config)
    assert result.exit_code == 2
    (line,) = result.stderr.strip().splitlines()
    assert says in line
    assert line.isprintable()
    assert list(tmp_path.iterdir()) == []


def test_it_says_what_is_not_installed(config, monkeypatch, tmp_path):
    monkeypatch.setattr(report, "find_spec", lambda name: None if name == "statsmodels" else object())
    result = command("report", "--feed", "gas", "--out", str(tmp_path / "r.html"), config=config)
    assert result.exit_code == 2
    assert 'the report needs statsmodels: pip install "meterlake[report]"' in result.stderr


def test_an_empty_lake(lake, tmp_path):
    with pytest.raises(LakeError, match="has no tables yet"):
        report.run(lake(GAS), Asked("gas"), tmp_path / "r.html", None, as_json=False)


HOSTILE = [
    '<script>alert("1")</script>',
    "<img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}",
    "a|b`c`[d](e)",
    "\x1b[31m\u202er",
    "' OR 1=1 --",
]


def test_hostile_meter_ids_are_shown_and_inert(lake, electricity, tmp_path):
    days = [f"2021-03-0{day} 00:00:00" for day in range(1, 8)]
    rows = [[day, meter, 100 if day == days[-1] else n + 1] for n, meter in enumerate(HOSTILE) for day in days]
    put(electricity, "a.json", split_json(*rows))
    context = lake(ELECTRICITY)
    run.run(context)
    out = tmp_path / "r.html"
    report.run(context, Asked("electricity"), out, None, as_json=False)
    page = out.read_text()
    parsed = Tables(page)
    assert {"script", "iframe"}.isdisjoint(parsed.tags)
    assert len(parsed.pictures) == page.count("<img")
    assert {row[0] for row in parsed.rows["outlying-days"][1:]} >= {*HOSTILE[:4], HOSTILE[5]}
    assert "\x1b" not in page
    assert "\u202e" not in page
    for meter in HOSTILE:
        report.run(context, Asked("electricity", meter), out, None, as_json=False)
        assert "7 readings of 1 meter" in out.read_text()
    report.run(context, Asked("electricity"), tmp_path / "r.md", None, as_json=False)
    assert "<script" not in (tmp_path / "r.md").read_text()
    assert "<img" not in (tmp_path / "r.md").read_text()
