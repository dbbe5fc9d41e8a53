"""A label is a time only when it is exactly `YYYY-MM-DD HH:MM:SS`: thousands of spoilt ones against plain Python."""

from __future__ import annotations

import random
import re
from datetime import datetime

import pyarrow as pa
from pyspark.sql import functions as F

from pipeline.formats.split_json import _local

SIGNS = "0123456789-: +TZ./"
COUNT = 20_000


def exact(label):
    """The time that a label of the one allowed form shows, else None."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", label):
        return None
    try:
        datetime.strptime(label, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - a wall clock has no zone
    except ValueError:
        return None
    return label


def spoilt(dice):
    """A time on the half hour, with up to three characters changed, put in or taken out."""
    day = f"{dice.choice((1999, 2021, 9999)):04d}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 31):02d}"
    text = list(f"{day} {dice.randrange(24):02d}:{dice.choice((0, 30)):02d}:00")
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(text))
        change = dice.randrange(3)
        if change == 0:
            text[at] = dice.choice(SIGNS)
        elif change == 1:
            text.insert(at, dice.choice(SIGNS))
        else:
            del text[at]
    return "".join(text)


def test_a_label_is_a_time_only_in_the_one_form(spark):
    dice = random.Random(19)
    labels = sorted({spoilt(dice) for _ in range(COUNT)})
    frame = spark.createDataFrame(pa.table({"label": labels}))
    read = frame.select("label", _local(F.col("label")).cast("string").alias("time")).toArrow().to_pylist()
    assert {row["label"]: row["time"] for row in read} == {label: exact(label) for label in labels}
    good = sum(exact(label) is not None for label in labels)
    assert good > COUNT / 10
    assert len(labels) - good > COUNT / 4
