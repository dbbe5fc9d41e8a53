"""20,000 mutated CSV files: the verdict on each and on each of its rows is an independent oracle's."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from pipeline import formats
from tests.fuzz import csv_files, csv_oracle, judging
from tests.fuzz.csv_files import FEED

pytestmark = pytest.mark.fuzz

FILES = 20_000
FORM = formats.format_of(FEED)


@pytest.fixture(scope="module")
def fuzzed(compiled, tmp_path_factory):
    found, texts = judging.Fuzzed(csv_files.made), {}
    for number in range(FILES):
        made = csv_files.made(number)
        said = FORM.inspect(made.content, judging.delivery(FEED, made.name, number), FEED, "production")
        found.add(csv_oracle.verdict(made.name, made.content), said)
        if said.reason_code is None:
            texts[number] = made.content.decode(said.frame.encoding).removeprefix("\ufeff")
    # One table of whole texts, as Spark reads a file: 20,000 files would be listed and opened for minutes. How files
    # are decoded is in tests/spark/formats/test_csv_long.py.
    folder = tmp_path_factory.mktemp("lake")
    numbers = pa.array(list(texts), pa.int64())
    contents = compiled.createDataFrame(pa.table({"file_id": numbers, "value": list(texts.values())}))
    deliveries = [found.said[number] for number in texts]
    bronze = FORM.rows(contents, FEED, deliveries).withColumn("batch_id", F.lit(1))
    bronze.write.parquet(str(folder / "bronze"))
    judged = FORM.judged(compiled.read.parquet(str(folder / "bronze")), FEED, F.lit(judging.AT))
    found.rows = judging.readings_by_file(FORM.in_order(judged, FEED), "direction")
    return found


def test_the_verdict_on_every_file_is_the_oracles(fuzzed):
    assert fuzzed.wrong_verdicts() == []


def test_a_refusal_is_one_line_and_counts_no_rows(fuzzed):
    assert fuzzed.badly_told() == []


def test_the_driver_spark_and_the_oracle_count_the_same_rows(fuzzed):
    assert fuzzed.lost_rows() == []


def test_every_row_of_every_sound_file_is_judged_as_the_oracle_judges_it(fuzzed):
    assert fuzzed.wrong_rows() == []


def test_every_code_was_seen_and_a_third_of_the_files_is_sound(fuzzed, seen):
    files, rows = seen("CSV files", fuzzed.file_codes()), seen("CSV rows", fuzzed.row_codes())
    assert set(files) == {None, *csv_oracle.FILE_CODES}
    assert set(rows) == {None, *csv_oracle.ROW_CODES}
    assert min(*files.values(), *rows.values()) > 50
    assert files[None] > FILES / 3
    assert rows[None] > rows.total() / 3
