"""What the tests of delimited text share: feeds, and the rules in Python beside those in Spark."""

from __future__ import annotations

from collections import defaultdict

from pipeline import formats
from pipeline.config.feeds import Feed
from tests.spark.conftest import RECEIVED

SHOWN = (
    "direction",
    "interval_start",
    "interval_minutes",
    "local_date",
    "consumption",
    "quality",
    "reason_code",
    "reason",
)


def feed(zone="Europe/London", unit="kWh", interval_minutes=None, max_consumption=None, **csv):
    table = {} if {"meter_id", "meter_in_path"} & set(csv) else {"meter": "meter"}
    return Feed(
        name="power",
        format="csv",
        path="in",
        time_zone=zone,
        unit=unit,
        interval_minutes=interval_minutes,
        max_consumption=max_consumption,
        csv=table | csv,
    )


def in_spark(read, path):
    """Readings and refusals that belong to an interval, as Spark judges them."""
    # A row whose day has no place for its list belongs to no interval.
    return [
        (row["row_number"], row["raw"] if row["reason_code"] else None, *(row[name] for name in SHOWN))
        for row in read.judged[path]
        if row["interval_start"] and row["interval_minutes"] and (row["reason_code"] or row["consumption"] is not None)
    ]


def in_python(read, path, of):
    """The same from bronze's rows, as Python judges them."""
    judge = formats.format_of(of).row_judge
    meter = judge.columns(of)[0]
    rows_of = defaultdict(list)
    for row in read.bronze[path]:
        rows_of[row[meter]].append(row)
    found = []
    for rows in rows_of.values():
        by_number = {row["row_number"]: row for row in rows}
        for reading in judge.judged(rows, of, RECEIVED):
            raw = judge.as_received(by_number[reading.row_number], of) if reading.reason_code else None
            found.append((reading.row_number, raw, *(as_text(getattr(reading, name)) for name in SHOWN)))
    return found


def as_text(value):
    if hasattr(value, "tzinfo"):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value if value is None or isinstance(value, int | str) else str(value)


def key(row):
    return [(value is None, str(value)) for value in row]


def assert_same_in_python(read, of):
    for path in read.judged:
        assert sorted(in_python(read, path, of), key=key) == sorted(in_spark(read, path), key=key), path
