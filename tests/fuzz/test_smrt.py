"""100,000 mutated SMRT files: the verdict on each and on each of its rows is that of an independent oracle."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from pipeline import formats
from pipeline.config.feeds import Feed
from tests.fuzz import judging, smrt_files, smrt_oracle

pytestmark = pytest.mark.fuzz

GAS = Feed(name="gas", format="smrt", path="landing")
FORMAT = formats.format_of(GAS)
FILES = 100_000
FILES_OF_A_JOB = 20_000


@pytest.fixture(scope="module")
def fuzzed(compiled):
    found = judging.Fuzzed(smrt_files.made)
    texts = {}
    for number in range(FILES):
        made = smrt_files.made(number)
        said = FORMAT.inspect(made.content, judging.delivery(GAS, made.name, number), GAS, made.environment)
        found.add(smrt_oracle.verdict(made.name, made.content, made.environment), said)
        if said.reason_code is None:
            texts[number] = made.content.decode()
        if (number + 1) % FILES_OF_A_JOB == 0:
            found.rows |= judged(compiled, texts)
            texts.clear()
    return found


def judged(spark, texts):
    """file number -> its rows, of the texts of sound files by number."""
    contents = pa.table({"value": list(texts.values()), "file_id": pa.array(list(texts), pa.int64())})
    bronze = FORMAT.rows(spark.createDataFrame(contents), GAS, [])
    return judging.readings_by_file(FORMAT.judged(bronze.withColumn("batch_id", F.lit(1)), GAS, F.lit(judging.AT)))


def test_the_verdict_on_every_file_is_the_oracles(fuzzed):
    assert fuzzed.wrong_verdicts() == []


def test_a_refusal_is_one_line_and_counts_no_rows(fuzzed):
    assert fuzzed.badly_told() == []


def test_as_many_rows_come_out_of_a_file_as_its_envelope_counts(fuzzed):
    assert fuzzed.lost_rows() == []


def test_every_row_of_every_sound_file_is_judged_as_the_oracle_judges_it(fuzzed):
    assert fuzzed.wrong_rows() == []


def test_every_code_was_seen_and_a_third_of_the_files_is_sound(fuzzed, seen):
    files, rows = seen("SMRT files", fuzzed.file_codes()), seen("SMRT rows", fuzzed.row_codes())
    assert set(files) == {None, *smrt_oracle.FILE_CODES}
    assert set(rows) == {None, *smrt_oracle.ROW_CODES}
    assert min(*files.values(), *rows.values()) > 100
    assert files[None] > FILES / 3
    assert rows[None] > rows.total() / 3
