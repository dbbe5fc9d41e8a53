"""Local times that occur twice: which row is the earlier instant and which the later (contract, section 2)."""

from __future__ import annotations

import json

import pytest

from pipeline.config.feeds import Feed

LONDON = Feed(name="power", format="split_json", path="landing", time_zone="Europe/London")
LORD_HOWE = LONDON.model_copy(update={"time_zone": "Australia/Lord_Howe"})
NAMES = ["interval_start", "meterpoint_id", "consumption_delta"]

# Rows of a file: local time of 31 October 2021 -> the instant in UTC it must become. London repeats 01:00 and 01:30.
FILES = {
    "oldest first": [
        ("00:30", "23:30"), ("01:00", "00:00"), ("01:30", "00:30"), ("01:00", "01:00"), ("01:30", "01:30"), ("02:00", "02:00"),
    ],
    "newest first": [
        ("02:00", "02:00"), ("01:30", "01:30"), ("01:00", "01:00"), ("01:30", "00:30"), ("01:00", "00:00"), ("00:30", "23:30"),
    ],
    "each label twice in a row": [
        ("00:30", "23:30"), ("01:00", "00:00"), ("01:00", "01:00"), ("01:30", "00:30"), ("01:30", "01:30"), ("02:00", "02:00"),
    ],
    "three of one label": [("00:30", "23:30"), ("01:00", "00:00"), ("01:00", "01:00"), ("01:00", "01:00"), ("02:00", "02:00")],
    "three of one label, newest first": [
        ("02:00", "02:00"), ("01:00", "01:00"), ("01:00", "00:00"), ("01:00", "00:00"), ("00:30", "23:30"),
    ],
    "one label, twice and nothing else": [("01:30", "00:30"), ("01:30", "01:30")],
    "one label once": [("00:30", "23:30"), ("01:00", "00:00"), ("02:00", "02:00")],
    "one label once, newest first": [("02:00", "02:00"), ("01:00", "00:00"), ("00:30", "23:30")],
    "not in order, ending later than it begins": [
        ("00:30", "23:30"), ("02:00", "02:00"), ("01:00", "00:00"), ("00:00", "23:00"), ("01:00", "01:00"),
    ],
    "not in order, ending earlier than it begins": [
        ("01:00", "01:00"), ("02:00", "02:00"), ("01:00", "00:00"), ("00:30", "23:30"),
    ],
    "ending on the label it begins with": [("01:00", "00:00"), ("02:00", "02:00"), ("01:00", "01:00")],
}  # fmt: skip
# Rows of which some are rejected: whole cells -> instant of those that pass.
MIXED = {
    "a rejected row is an occurrence": [
        (("2021-10-31 00:30:00", "m", "1"), "2021-10-30 23:30:00"),
        (("2021-10-31 01:00:00", "m", "n/a"), None),
        (("2021-10-31 01:00:00", "m", "1"), "2021-10-31 01:00:00"),
        (("2021-10-31 01:30:00", "m", "-1"), None),
        (("2021-10-31 01:30:00", "m", "1"), "2021-10-31 01:30:00"),
    ],
    "a row that is too short is an occurrence": [
        (("2021-10-31 01:00:00", "m"), None),
        (("2021-10-31 01:00:00", "m", "1"), "2021-10-31 01:00:00"),
    ],
    "times that cannot be read do not tell the order": [
        (("2021-10-31 00:00", "m", "1"), None),
        (("2021-10-31 02:00:00", "m", "1"), "2021-10-31 02:00:00"),
        (("2021-10-31 01:00:00", "m", "1"), "2021-10-31 01:00:00"),
        (("2021-10-31 01:00:00", "m", "1"), "2021-10-31 00:00:00"),
        (("2021-10-31 00:30:00", "m", "1"), "2021-10-30 23:30:00"),
        (("2021-10-31 99:00:00", "m", "1"), None),
    ],
    "a rejected row tells the order": [
        (("2021-10-31 03:00:00", "m", "n/a"), None),
        (("2021-10-31 01:00:00", "m", "1"), "2021-10-31 01:00:00"),
        (("2021-10-31 01:00:00", "m", "1"), "2021-10-31 00:00:00"),
    ],
    "each meter has an order of its own": [
        (("2021-10-31 02:00:00", "new", "1"), "2021-10-31 02:00:00"),
        (("2021-10-31 01:00:00", "old", "1"), "2021-10-31 00:00:00"),
        (("2021-10-31 01:00:00", "new", "1"), "2021-10-31 01:00:00"),
        (("2021-10-31 01:00:00", "old", "1"), "2021-10-31 01:00:00"),
        (("2021-10-31 01:00:00", "new", "1"), "2021-10-31 00:00:00"),
        (("2021-10-31 02:00:00", "old", "1"), "2021-10-31 02:00:00"),
        (("2021-10-31 01:30:00", "once", "1"), "2021-10-31 00:30:00"),
    ],
    "each day has changes of its own": [
        (("2020-10-25 01:00:00", "m", "1"), "2020-10-25 00:00:00"),
        (("2020-10-25 01:00:00", "m", "1"), "2020-10-25 01:00:00"),
        (("2021-10-31 01:00:00", "m", "1"), "2021-10-31 00:00:00"),
        (("2021-10-31 01:00:00", "m", "1"), "2021-10-31 01:00:00"),
    ],
    "a label of another day twice is one instant": [
        (("2021-10-30 01:00:00", "m", "1"), "2021-10-30 00:00:00"),
        (("2021-10-30 01:00:00", "m", "2"), "2021-10-30 00:00:00"),
    ],
}


def document(rows):
    return json.dumps({"columns": NAMES, "data": rows}).encode()


@pytest.fixture(scope="module")
def london(read):
    plain = {
        f"{name}.json": document([(f"2021-10-31 {at}:00", "m", "1") for at, _ in rows]) for name, rows in FILES.items()
    }
    mixed = {f"{name}.json": document([cells for cells, _ in rows]) for name, rows in MIXED.items()}
    return read(LONDON, plain | mixed)


@pytest.mark.parametrize("name", FILES)
def test_rows_of_one_meter_become_the_instants_of(london, name):
    assert [start[11:16] for start in london.values(f"{name}.json", "interval_start")] == [
        utc for _, utc in FILES[name]
    ]
    assert set(london.values(f"{name}.json", "local_date")) == {"2021-10-31"}
    assert set(london.values(f"{name}.json", "reason_code")) == {None}


@pytest.mark.parametrize("name", MIXED)
def test_rows_become_the_instants_of(london, name):
    rows = london.judged[f"{name}.json"]
    assert [None if row["reason_code"] else row["interval_start"] for row in rows] == [utc for _, utc in MIXED[name]]


def test_only_rows_of_a_repeated_time_are_marked_so(london):
    marks = london.values("oldest first.json", "local", "is_repeated")
    assert [label[11:16] for label, repeated in marks if repeated] == ["01:00", "01:30", "01:00", "01:30"]


def test_fifty_half_hours_stay_fifty_and_in_lord_howe_where_the_clocks_go_back_by_half_an_hour_forty_nine(read):
    labels = [f"2021-04-04 {n // 2:02}:{n % 2 * 30:02}:00" for n in range(48)]
    labels.insert(4, "2021-04-04 01:30:00")  # at 02:00 the clocks went back to 01:30
    files = read(LORD_HOWE, {"a.json": document([(label, "m", "1") for label in labels])})
    starts = files.values("a.json", "interval_start")
    assert len(set(starts)) == 49
    assert starts == sorted(starts)
    assert (starts[0], starts[-1]) == ("2021-04-03 13:00:00", "2021-04-04 13:00:00")
    autumn = [f"2021-10-31 {n // 2:02}:{n % 2 * 30:02}:00" for n in range(48)]
    autumn[4:4] = autumn[2:4]
    files = read(LONDON, {"b.json": document([(label, "m", "1") for label in autumn])})
    starts = files.values("b.json", "interval_start")
    assert (len(set(starts)), starts) == (50, sorted(starts))
