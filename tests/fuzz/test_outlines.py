"""The outlines of all fuzzed files: where executors find a frame plainly sound, the driver's verdict is the same."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pyarrow as pa
import pytest

from pipeline import formats
from pipeline.deliveries import by_executors
from tests.fuzz import judging
from tests.spark.deliveries.test_by_executors import CASES

pytestmark = pytest.mark.fuzz

FILES = 20_000
FILES_OF_A_JOB = 2_000


def outlines(spark, form, contents):
    """number -> the facts, of bytes by number."""
    table = pa.table(
        {"file_id": pa.array(list(contents), pa.int64()), "content": pa.array(contents.values(), pa.binary())}
    )
    rows = by_executors.outlined(spark.createDataFrame(table), form.outline).collect()
    return {row["file_id"]: row.asDict() for row in rows}


@pytest.mark.parametrize("name", CASES)
def test_a_verdict_of_an_outline_is_that_of_the_bytes(compiled, seen, name):
    feed, made = CASES[name]
    form, wrong, kinds = formats.format_of(feed), [], Counter()
    for start in range(0, FILES, FILES_OF_A_JOB):
        files = {number: made(number) for number in range(start, start + FILES_OF_A_JOB)}
        found = outlines(compiled, form, {number: file.content for number, file in files.items()})
        for number, file in files.items():
            delivery = replace(judging.delivery(feed, file.name, number), size_bytes=len(file.content))
            said = form.inspect(file.content, delivery, feed, "production")
            facts = found[number]
            by_outline = form.outline.verdict(facts, delivery, feed, "production") if facts["is_plain"] else None
            kinds[said.reason_code or "sound", by_outline is not None] += 1
            if by_outline is not None and by_outline != said:
                wrong.append((number, by_outline, said))
    seen(f"outlines of {name}", [f"{code} {'by outline' if plain else 'read'}" for code, plain in kinds.elements()])
    assert wrong == []
    # An outline refuses nothing; of what is sound it knows a good part, though these files are odd on purpose.
    assert {code for code, plain in kinds if plain} == {"sound"}
    assert kinds["sound", True] > FILES / 50
