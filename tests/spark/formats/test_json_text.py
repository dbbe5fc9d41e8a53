"""JSON of rejected rows is the same by every engine, and as the rules in Python write it."""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import functions as F

from pipeline.formats import row_rules
from pipeline.formats.row_judge import json_array

TEXTS = [
    "".join(map(chr, range(32))),
    *(
        "\\u001f",
        "\\\\u001f",
        "\\\x1f",
        "\x1f\x1f\x0b",
        "a\\",
        "\\\\\x1a\\u000b",
        'é\x7f\x85\u2028"/',
        "<&>'",
        "",
        "😀",
    ),
]


def test_every_character_is_written_as_python_writes_it(spark):
    rows = spark.createDataFrame(pa.table({"text": TEXTS})).select(
        "text", row_rules.to_json(F.array("text")).alias("json")
    )
    assert [(row["text"], row["json"]) for row in rows.toArrow().to_pylist()] == [
        (text, json_array([text])) for text in TEXTS
    ]
