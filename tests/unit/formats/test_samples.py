"""The demo's deliveries: the same every time, and with everything in them that goes wrong in a month."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from pipeline import formats
from pipeline.config.settings import load
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import samples

FEEDS = {feed.name: feed for feed in load(Path(__file__).parents[3] / "conf" / "local.toml").feeds}


def verdicts():
    """Reason code (None: sound) of each sample by its path."""
    codes = {}
    for sample in samples.deliveries():
        feed = FEEDS[sample.feed]
        name = sample.path.rsplit("/", 1)[-1]
        found = Delivery(feed.name, name, sample.path, sample.path, len(sample.content), sample.modified_at)
        codes[sample.path] = formats.format_of(feed).inspect(sample.content, found, feed, "production").reason_code
    return codes


@pytest.mark.parametrize(
    ("day", "labels", "repeated"),
    [
        (date(2021, 3, 27), 48, []),
        (date(2021, 3, 28), 46, []),
        (date(2021, 10, 31), 50, ["2021-10-31 01:00:00", "2021-10-31 01:30:00"]),
        (date(2021, 11, 1), 48, []),
    ],
)
def test_a_day_of_london_has_its_true_number_of_half_hours(day, labels, repeated):
    written = list(samples.local_half_hours(day))
    assert len(written) == labels
    assert [label for label, times in Counter(written).items() if times == 2] == repeated
    assert written[0] == f"{day} 00:00:00"
    assert written[-1] == f"{day} 23:30:00"


def test_the_hour_that_london_skips_has_no_label():
    written = set(samples.local_half_hours(date(2021, 3, 28)))
    assert not written & {"2021-03-28 01:00:00", "2021-03-28 01:30:00"}


def test_the_samples_are_the_same_every_time():
    assert samples.deliveries() == samples.deliveries()


def test_every_feed_of_the_example_has_samples_in_its_format():
    assert {name: feed.format for name, feed in FEEDS.items()} == samples.FORMATS
    assert {sample.feed for sample in samples.deliveries()} == set(samples.FORMATS)


def test_no_two_samples_have_one_path_in_one_feed():
    paths = [(sample.feed, sample.path) for sample in samples.deliveries()]
    assert len(paths) == len(set(paths))


def test_the_refused_samples_are_refused_for_what_they_show():
    assert {path: code for path, code in verdicts().items() if code} == {
        "2021/11/cut.json": "MALFORMED_JSON",
        "2021/11/renamed.json": "COLUMNS_MISSING",
        "resent/PN000001.SMRT": "WRONG_COMPANY",  # a conflict, once the name was loaded
        "PN000004.SMRT": "TRAILER_MISSING",
        "PN000003 - Copy.SMRT": "BAD_FILE_NAME",
        "DV000001.SMRT": "WRONG_ENVIRONMENT",
        "registers.json": "WRONG_SHAPE",
        "cut.parquet": "UNREADABLE",
        "cut.csv": "MALFORMED_CSV",
    }


def test_every_meter_has_every_half_hour_of_each_day_and_one_reading_is_corrected_by_a_whole_kwh():
    content = {sample.path: sample.content for sample in samples.deliveries()}
    for day in [*samples.SPRING, *samples.AUTUMN]:
        rows = json.loads(content[f"{day:%Y/%m}/{day}.json"])["data"]
        labels = Counter(samples.local_half_hours(day))
        assert Counter((row[1], row[0]) for row in rows) == {
            (meter, label): times for meter in samples.METERPOINTS for label, times in labels.items()
        }
        before = {row[0]: float(row[2]) for row in rows if row[1] == samples.METERPOINTS[0]}
        corrected = json.loads(content[f"{day:%Y/%m}/{day}-correction.json"])["data"]
        assert {row[0]: float(row[2]) for row in corrected} == {
            f"{day} 19:{minute}:00": pytest.approx(before[f"{day} 19:{minute}:00"] + 1) for minute in ("00", "30")
        }


def test_the_reference_has_a_meter_without_an_agreement_one_with_two_and_a_bad_date():
    agreements = samples.reference_rows()["agreement"]
    meters = Counter(row[4] for row in agreements)
    assert set(samples.METERPOINTS) - set(meters) == {samples.METERPOINTS[-1]}
    assert max(meters.values()) == 2
    assert [row[0] for row in agreements if row[1] == "2021-13-01"] == [102]


def test_rows_of_quarter_hours_repeat_an_hour_and_days_of_half_hours_have_48_columns():
    text = [each for each in samples.deliveries() if each.feed_format == "csv"]
    content = {(each.feed, each.path): each.content.decode().splitlines() for each in text}
    labels = Counter(tuple(row.split(";")[:4]) for row in content["berlin", "2021-10-31.csv"][1:])
    assert {labels["50123456790", "Bezug", "31.10.2021", time] for time in ("02:00", "02:15", "02:45")} == {2}
    assert {labels["50123456790", "Bezug", "31.10.2021", time] for time in ("01:45", "03:00", "24:00")} == {1}
    assert len(labels) == 96 * 3
    header, *days = (line.split(",") for line in content["leeds", "week-to-2021-03-29.csv"])
    assert len(header) == 2 + 48
    skipped = [header.index("01:00"), header.index("01:30")]
    assert [row[1] for row in days if not row[skipped[0]] + row[skipped[1]]] == ["28/03/2021"] * 3
    assert sum(cell == "" for row in days for cell in row) == 2 * 3
