"""20,000 mutated NEM12 files: the verdict on each and on each of its intervals is that of an independent oracle."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from pipeline import formats
from pipeline.config.feeds import Feed
from tests.fuzz import judging, nem12_files, nem12_oracle

pytestmark = pytest.mark.fuzz

POWER = Feed(name="power", format="nem12", path="landing")
FORMAT = formats.format_of(POWER)
FILES = 20_000
FILES_OF_A_JOB = 5_000
MORE = ("interval_minutes", "direction", "quality")


@pytest.fixture(scope="module")
def fuzzed(compiled):
    found, texts = judging.Fuzzed(nem12_files.made), {}
    for number in range(FILES):
        made = nem12_files.made(number)
        said = FORMAT.inspect(made.content, judging.delivery(POWER, made.name, number), POWER, "production")
        found.add(nem12_oracle.verdict(made.name, made.content), said)
        if said.reason_code is None:
            texts[number] = made.content.decode()
        if (number + 1) % FILES_OF_A_JOB == 0:
            found.rows |= judged(compiled, texts)
            texts.clear()
    return found


def judged(spark, texts):
    """file number -> its rows, of the texts of sound files by number."""
    contents = pa.table({"value": list(texts.values()), "file_id": pa.array(list(texts), pa.int64())})
    bronze = FORMAT.rows(spark.createDataFrame(contents), POWER, []).withColumn("batch_id", F.lit(1))
    rows = FORMAT.judged(bronze, POWER, F.lit(judging.AT))
    of_readings = {name: F.when(F.col("consumption").isNotNull(), F.col(name)) for name in MORE}
    by_file = judging.readings_by_file(rows.withColumns(of_readings), *MORE)
    return {number: without_empty_intervals(of_file) for number, of_file in by_file.items()}


def without_empty_intervals(rows):
    """Rows without the first interval of a day where that is empty; one of a day that holds nothing else stays."""
    intervals = Counter(number for number, *_ in rows)
    return [row for row in rows if row[1] is not None or row[4] is not None or intervals[row[0]] == 1]


def test_the_verdict_on_every_file_is_the_oracles(fuzzed):
    assert fuzzed.wrong_verdicts() == []


def test_a_refusal_is_one_line_and_counts_no_rows(fuzzed):
    assert fuzzed.badly_told() == []


def test_as_many_rows_come_out_of_a_file_as_its_frame_counts(fuzzed):
    assert fuzzed.lost_rows() == []


def test_every_interval_of_every_sound_file_is_judged_as_the_oracle_judges_it(fuzzed):
    assert fuzzed.wrong_rows() == []


def test_every_code_was_seen_and_a_third_of_the_files_is_sound(fuzzed, seen):
    files, rows = seen("NEM12 files", fuzzed.file_codes()), seen("NEM12 intervals", fuzzed.row_codes())
    assert set(files) == {None, *nem12_oracle.FILE_CODES}
    assert set(rows) == {None, *nem12_oracle.ROW_CODES}
    assert min(*files.values(), *rows.values()) > 50
    assert files[None] > FILES / 3
    assert rows[None] > rows.total() / 3
