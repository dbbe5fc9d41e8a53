"""Times as they are written: Spark reads each text as Python does, and Python as its own strptime."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from pipeline.clock import written
from pipeline.config.datetime_pattern import ISO, parsed

PATTERNS = {
    "yyyy-MM-dd HH:mm:ss": "%Y-%m-%d %H:%M:%S",
    "dd/MM/yyyy HH:mm": "%d/%m/%Y %H:%M",
    "yyyyMMddHHmm": "%Y%m%d%H%M",
    "d.M.yyyy H:mm": "%d.%m.%Y %H:%M",
    "yyyy-MM-dd": "%Y-%m-%d",
    "MM/dd/yyyy hh:mm a": "%m/%d/%Y %I:%M %p",
    "dd-MMM-yy HH:mm:ss": "%d-%b-%y %H:%M:%S",
    "d MMMM yyyy[ HH:mm[:ss]]": "%d %B %Y %H:%M",
    "yyyy-MM-dd'T'HH:mm:ssXXX": "%Y-%m-%dT%H:%M:%S+05:30",
    "yyyy-MM-dd HH:mm:ss.SSSZ": "%Y-%m-%d %H:%M:%S.000-0130",
    "uuuu.MM.dd HH.mm x": "%Y.%m.%d %H.%M +02",
    None: "%Y-%m-%dT%H:%M",
}
MOMENTS = [
    datetime(2021, 3, 28, 1, 30, tzinfo=UTC),
    datetime(2019, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2000, 2, 29, tzinfo=UTC),
]
# What may stand in a text instead of one of its characters.
ODD = ["", " ", "9", "x", ":", "-", "+", "Z", "T", "24", "٣", "２", "\n", "\x01", "0"]
MORE = [
    *("2021-06-01 24:00", "2021-06-01 24:00:00", "2021-06-01T24:00Z", "01/06/2021 24:00", "1.6.2021 24:00", "202106012400"),
    *("9999-12-31 24:00", "31/12/9999 24:00", "0000-01-01 00:30", "0000-01-01 00:00:00", "01/01/0000 00:00", "2021-06-01 24:30"),
    *("2021-06-01 00:30:00Z", "2021-06-01 00:30 +0100", "2021-06-01 00:30:00.000+01", "2021-06-01 00:30:00,0-18:59"),
    *("2021-06-01 00:30+19:00", "2021-06-01 00:30.5", "2021-06-01T00", "2021-02-30", "2021-06-01", "20210601", "1 MAY 2021 00:30"),
    *("1 may 2021", "01-jan-21 00:00:00", "13/01/2021 12:30 pm", "01/13/2021 12:30 AM", "01/13/2021 00:30 AM", "01/13/2021 13:30 PM"),
    *("", "null", "2021-6-1 0:30", "12021-06-01 00:30", "+2021-06-01 00:30", " 2021-06-01 00:30", "2021-06-01 00:30 "),
]  # fmt: skip


def texts_of(style):
    """Texts in a style, right ones and such with a character changed, left out or added."""
    found = []
    for moment in MOMENTS:
        right = moment.strftime(style)
        found.append(right)
        for at in range(len(right)):
            found += [right[:at] + odd + right[at + 1 :] for odd in ODD]
            found.append(right[:at] + "0" + right[at:])
    return list(dict.fromkeys([*found, *MORE]))


@pytest.mark.parametrize("pattern", PATTERNS, ids=str)
def test_spark_and_python_read_the_same_of_any_text(spark, pattern):
    of, texts = ISO if pattern is None else parsed(pattern), texts_of(PATTERNS[pattern])
    rows = written.with_time(spark.createDataFrame(pa.table({"text": texts})), F.col("text"), of)
    shown = rows.select("text", F.col("_shown").cast("string").alias("shown"), "_offset").toArrow().to_pylist()
    said = {row["text"]: (row["shown"], row["_offset"] if row["shown"] else None) for row in shown}
    for text in texts:
        read = written.read(text, of)
        moment, offset = read or (None, None)
        seconds = None if offset is None else int(offset.total_seconds())
        assert said[text] == (moment and moment.isoformat(" "), seconds), text


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p and "X" not in p and "Z" not in p and "x" not in p])
def test_python_reads_what_it_wrote(pattern):
    for moment in MOMENTS:
        text, style = moment.strftime(PATTERNS[pattern]), PATTERNS[pattern]
        shown, offset = written.read(text, parsed(pattern))
        assert (shown, offset) == (datetime.strptime(text, style), None)  # noqa: DTZ007 - what a clock showed
