"""The report's sentences, each from literal figures."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from pipeline.errors import UsageError
from pipeline.serving.report import preamble, render, sentences, words
from pipeline.serving.report.asked import Asked
from pipeline.serving.report.exhibits import Exhibit, Section, table
from pipeline.serving.report.facts import Bin, Extent, Gaps, MeterDay, Total
from pipeline.serving.report.local_time import LocalClock, interval_name
from pipeline.serving.report.screens import Picture
from pipeline.serving.report.statistics import Autocorrelation, Outlier, Slot

LONDON = LocalClock("Europe/London")
SUNDAY = date(2021, 10, 31)
HOSTILE = "<script>alert(1)</script>|`x`[y](z)\x1b[31m"


def total(start, kwh, days=1):
    return Total("import", start, Decimal(kwh), 48, days)


def a_bin(instant, kwh, minute=0):
    return Bin("import", instant, LONDON.wall(instant).date(), minute, Decimal(kwh), 2)


def slot(minute, *values):
    return Slot(minute, tuple(Decimal(value) for value in values))


@pytest.mark.parametrize(
    ("unit", "found", "says"),
    [
        (
            "day",
            [total(SUNDAY, "1234.5678"), total(date(2021, 11, 1), "0.0004")],
            ("Import: 1,234.568 kWh in 2 days with readings; the highest is Sunday 2021-10-31 with 1,234.568 kWh, "
            "the lowest Monday 2021-11-01 with 0.000 kWh."),
        ),
        ("day", [total(SUNDAY, "2")], "Import: 2.000 kWh in 1 day with readings, Sunday 2021-10-31."),
        (
            "week",
            [total(date(2021, 10, 25), "2", 7), total(date(2021, 11, 1), "1")],
            ("Import: 3.000 kWh in 2 weeks with readings; the highest is the week from 2021-10-25 (7 days with readings) "
            "with 2.000 kWh, the lowest the week from 2021-11-01 (1 day with readings) with 1.000 kWh."),
        ),
        ("month", [total(date(2021, 10, 1), "2", 3)], "Import: 2.000 kWh in 1 month with readings, October 2021 (3 days with readings)."),
        ("day", [total(SUNDAY, "2"), total(date(2021, 11, 1), "2")], "Import: 4.000 kWh in 2 days with readings, each of them 2.000 kWh."),
        ("hour", [], "No reading is of an hour or less, so there are no totals by hour."),
        (
            "hour",
            [a_bin(datetime(2021, 10, 31, 0, tzinfo=UTC), "2"), a_bin(datetime(2021, 10, 31, 1, tzinfo=UTC), "1")],
            ("Import: 3.000 kWh in 2 hours with readings; the highest is 2021-10-31 01:00 BST with 2.000 kWh, "
            "the lowest 2021-10-31 01:00 GMT with 1.000 kWh."),
        ),
    ],
)  # fmt: skip
def test_totals(unit, found, says):
    assert sentences.totals(unit, found, LONDON) == says


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (
            {False: ["10", "20"], True: ["18"]},
            (
                "Weekdays peak at 18:00 (2.000 kWh in the half hour); weekends peak at 09:00 (3.000 kWh in the half hour); "
                "an average weekend day holds 18.000 kWh, 20 % more than an average weekday (15.000 kWh)."
            ),
        ),
        (
            {False: ["10"], True: ["10"]},
            (
                "Weekdays peak at 18:00 (2.000 kWh in the half hour); weekends peak at 09:00 (3.000 kWh in the half hour); "
                "an average weekend day holds 10.000 kWh, as much as an average weekday."
            ),
        ),
        (
            {False: ["0"], True: ["10"]},
            (
                "Weekdays peak at 18:00 (2.000 kWh in the half hour); weekends peak at 09:00 (3.000 kWh in the half hour); "
                "an average weekend day holds 10.000 kWh, an average weekday nothing."
            ),
        ),
    ],
)
def test_weekdays_against_weekends(days, says):
    numbers = {free: [Decimal(value) for value in some] for free, some in days.items()}
    assert sentences.shape([slot(0, "1"), slot(1080, "2")], [slot(540, "3")], numbers, 30) == says


def test_only_weekends_and_daily_readings():
    only = sentences.shape([], [slot(540, "3")], {False: [], True: [Decimal(4)]}, 60)
    assert only == (
        "Weekends peak at 09:00 (3.000 kWh in the hour); an average day holds 4.000 kWh, and no weekday has readings."
    )
    daily = sentences.shape([slot(0, "1")], [], {False: [Decimal(1)], True: []}, 1440)
    assert daily == "An average day holds 1.000 kWh, and no weekend day has readings."


def test_the_profile():
    found = [slot(0, "1", "2", "3"), slot(30, "0", "5", "10")]
    assert sentences.profile(found, 30) == (
        "The median half hour is highest at 00:30 with 5.000 kWh (nine in ten lie between 0.500 kWh and 9.500 kWh) and "
        "lowest at 00:00 with 2.000 kWh; days differ most at 00:30: 9.000 kWh between the 5 % and the 95 % quantile."
    )
    assert sentences.profile([slot(0, "1")], 60) == "The median hour holds 1.000 kWh at every clock time."


def test_the_heat_map():
    bins = [a_bin(datetime(2021, 10, 31, 18, tzinfo=UTC), "2", 1080)]
    start = "The highest half hour is Sunday 2021-10-31 18:00 with 2.000 kWh; "
    assert sentences.heat_map(bins, 30, 0) == start + "no cell of these days is empty."
    assert sentences.heat_map(bins, 30, 1) == start + "1 cell of these days has no reading."
    assert sentences.heat_map(bins, 30, 47) == start + "47 cells of these days have no reading."


def test_the_autocorrelation():
    rising = (0.1,) * 23 + (0.41,) + (0.2,) * 3
    found = Autocorrelation(60, rising, (0.3,) * 27, 100, 4)
    assert sentences.autocorrelation(found) == (
        "Highest lag: 24 h, 0.41, outside the 95 % band of ±0.30; a day: 0.41; a week: the series does not reach so far; "
        "4 of 104 hours are missing and left out, not filled."
    )
    smooth = Autocorrelation(1440, (0.9, 0.8, 0.7), (0.3,) * 3, 12, 0)
    assert sentences.autocorrelation(smooth) == (
        "No lag stands above its neighbours; a day: 0.90; a week: the series does not reach so far; "
        "none of 12 days is missing."
    )
    assert sentences.autocorrelation("constant (9 equal values)") == "The series is constant (9 equal values)."


def test_missing_intervals():
    by_day = [Gaps("import", SUNDAY, 3, 2, 30), Gaps("import", date(2021, 11, 1), 1, 1, 30)]
    by_meter = [Gaps("import", HOSTILE, 3, 1, 30), Gaps("import", "b", 1, 1, 30)]
    said = sentences.missing(by_day, by_meter, 96)
    assert said.startswith("4 intervals of 100 expected are missing (4 %), of 2 meters on 2 days; the most on Sunday ")
    assert said.isprintable()
    assert sentences.missing([], [], 96) == "No expected interval is missing: 96 readings, no gap."


def test_outliers():
    at = datetime(2021, 10, 31, 0, 30, tzinfo=UTC)
    bins = [a_bin(at + timedelta(days=n), str(n), 90) for n in range(5)]
    assert sentences.outlying_bins(bins, [Outlier(0, Decimal(9), Decimal(2), 4.25)], 30, LONDON) == (
        "1 of 5 half hours lies further than 3.5 robust deviations from the median of their clock time (5 values at "
        "most); the farthest is 2021-10-31 01:30 BST (2021-10-31 00:30Z) with 9.000 kWh against a typical 2.000 kWh "
        "(score +4.2)."
    )
    assert sentences.outlying_bins(bins, [], 30, LONDON).startswith("None of 5 half hours lies further")
    assert sentences.outlying_bins(bins[:4], [], 30, LONDON).startswith("No clock time has 5 values, too few")
    days = [MeterDay(HOSTILE, "export", date(2021, 10, 27 + n), Decimal(n), 48) for n in range(5)]
    said = sentences.outlying_days(days, [Outlier(4, Decimal(9), Decimal(2), -4.25)])
    assert said.startswith(
        "1 of 5 days of meters, of 1 meter, lies further than 3.5 robust deviations from the meter's "
    )
    assert "on Sunday 2021-10-31 with 9.000 kWh against a typical 2.000 kWh (score -4.2)." in said
    assert said.isprintable()
    assert (
        sentences.outlying_days(days[:2], []) == "No meter has 5 days with readings, too few to say which are unusual."
    )


def test_import_against_export():
    imports, exports = (
        {SUNDAY: Decimal(4), date(2021, 11, 1): Decimal(1)},
        {SUNDAY: Decimal(1), date(2021, 11, 1): Decimal(2)},
    )
    assert sentences.balance(imports, exports, ["import", "export"]) == (
        "5.000 kWh of import stand against 3.000 kWh of export, 60 % of the import: 2.000 kWh more was imported than "
        "exported; export was the larger on 1 of 2 days."
    )
    assert "as much was exported as imported" in sentences.balance(imports, imports, ["import", "export"])
    only = sentences.balance(imports, {}, ["import"])
    assert only == "There is only import, so there is no import to set against an export."


def test_what_was_read():
    extent = Extent(1, 1, (SUNDAY, date(2021, 11, 2)), {30: 1}, {"import": Decimal(2)}, 1)
    assert preamble.extent(extent) == (
        "1 reading of 1 meter on 2 days from Sunday 2021-10-31 to Tuesday 2021-11-02: 2.000 kWh of import; 1 day between "
        "them has none."
    )
    versions = {"silver.readings": 12, "gold.missing_intervals": 3}
    assert preamble.as_of(versions, datetime(2021, 4, 1, 6, tzinfo=UTC)) == (
        "As of silver.readings version 12 and gold.missing_intervals version 3; its newest delivery was received at "
        "2021-04-01 06:00Z."
    )
    assert preamble.clock_changes([(SUNDAY, timedelta(hours=25))], LONDON) == (
        "In Europe/London Sunday 2021-10-31 has 25 hours; the rest have 24."
    )
    assert preamble.clock_changes([], LONDON) == "Every day with readings has 24 hours in Europe/London."
    assert preamble.lengths({30: 5}, 30) == "There are 5 readings of 30 minutes."
    assert preamble.lengths({15: 8, 60: 1, 1440: 2}, 60) == (
        "There are 8 readings of 15 minutes, 1 reading of 60 minutes and 2 readings of 1440 minutes: figures within the "
        "day are by the hour; 2 longer ones count from the day on."
    )
    assert preamble.lengths({1380: 1, 1440: 2}, 1440).endswith("1440 minutes: each is a day's.")


@pytest.mark.parametrize(
    ("part", "whole", "says"),
    [(1, 3, "33.3 %"), (1, 1_000_000, "less than 0.1 %"), (999_999, 1_000_000, "more than 99.9 %"), (5, 5, "100 %"), (0, 5, "0 %")],
)  # fmt: skip
def test_shares_never_round_to_nothing_or_all(part, whole, says):
    assert words.percent(part, whole) == says


def test_words():
    assert [words.lag(minutes) for minutes in (15, 60, 1440, 10080)] == ["15 min", "1 h", "24 h", "7 days"]
    assert words.listed(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"
    assert [words.listed(some) for some in ([], ["a"], ["a", "b"])] == ["", "a", "a and b"]
    assert [interval_name(20), interval_name(20, 2), interval_name(15, 2)] == ["interval of 20 minutes", "intervals of 20 minutes", "quarter hours"]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "end", "says"),
    [
        ("2021-03-28", "2021-03-28", "--from 2021-03-28 is not before --to 2021-03-28"),
        ("2021-03-29", "2021-03-28", "--from 2021-03-29 is not before"),
        ("28.3.2021", None, "--from '28.3.2021' is not a day: write it as 2021-03-28"),
        (None, "2021-02-30", "--to '2021-02-30' is not a day"),
    ],
)
def test_days_that_are_none(first, end, says):
    with pytest.raises(UsageError, match="^" + says.replace("(", r"\(")):
        Asked.of("gas", None, first, end)


def test_hostile_texts_are_inert_on_the_page_and_in_markdown():
    shown = table("t", HOSTILE, (HOSTILE,), [(HOSTILE,)])
    page = render.Page(
        HOSTILE, [HOSTILE], [Section("s", HOSTILE, (Exhibit("e", HOSTILE, Picture(b"<svg/>"), (shown,)),), HOSTILE)]
    )
    html = render.as_html(page)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 11
    markdown = render.as_markdown(page, "a b)_files")
    assert "<script" not in markdown
    assert "](z)" not in markdown.replace("\\](z)", "")
    assert "](a%20b%29_files/e.png)" in markdown


def test_a_very_long_table_keeps_its_end_and_says_so():
    shown = table("t", "c", ("n",), [(n,) for n in range(100_002)])
    assert (shown.left_out, shown.rows[0], len(shown.rows)) == (2, ("2",), 100_000)
    html = render.as_html(render.Page("p", [], [Section("s", "s", (Exhibit("e", "s", None, (shown,)),))]))
    assert "The first 2 rows are left out here" in html
