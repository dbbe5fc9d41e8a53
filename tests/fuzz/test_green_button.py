"""20,000 mutated Green Button files: the verdict on each and on each of its readings is an independent oracle's."""

from __future__ import annotations

import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from pipeline import formats
from pipeline.config.feeds import Feed
from tests.fuzz import green_button_files, green_button_oracle, judging

pytestmark = pytest.mark.fuzz

HOMES = Feed(name="homes", format="green_button", path="landing", time_zone="America/New_York")
FORMAT = formats.format_of(HOMES)
FILES = 20_000
MORE = ("interval_minutes", "direction", "quality")


@pytest.fixture(scope="module")
def fuzzed(compiled, tmp_path_factory):
    found, texts = judging.Fuzzed(green_button_files.made), {}
    for number in range(FILES):
        made = green_button_files.made(number)
        said = FORMAT.inspect(made.content, judging.delivery(HOMES, made.name, number), HOMES, "production")
        found.add(green_button_oracle.verdict(made.name, made.content), said)
        if said.reason_code is None:
            texts[number] = made.content.decode()
    folder = tmp_path_factory.mktemp("lake")
    contents = pa.table({"value": list(texts.values()), "file_id": pa.array(list(texts), pa.int64())})
    bronze = FORMAT.rows(compiled.createDataFrame(contents), HOMES, [found.said[number] for number in texts])
    bronze.withColumn("batch_id", F.lit(1)).write.parquet(str(folder / "bronze"))
    rows = FORMAT.judged(compiled.read.parquet(str(folder / "bronze")), HOMES, F.lit(judging.AT))
    of_readings = {name: F.when(F.col("consumption").isNotNull(), F.col(name)) for name in MORE}
    found.rows = judging.readings_by_file(rows.withColumns(of_readings), *MORE)
    return found


def test_the_verdict_on_every_file_is_the_oracles(fuzzed):
    assert fuzzed.wrong_verdicts() == []


def test_a_refusal_is_one_line_and_counts_no_rows(fuzzed):
    assert fuzzed.badly_told() == []


def test_as_many_rows_come_out_of_a_file_as_it_has_readings(fuzzed):
    assert fuzzed.lost_rows() == []


def test_every_reading_of_every_sound_file_is_judged_as_the_oracle_judges_it(fuzzed):
    assert fuzzed.wrong_rows() == []


def test_every_code_was_seen_and_a_third_of_the_files_is_sound(fuzzed, seen):
    files, rows = seen("Green Button files", fuzzed.file_codes()), seen("Green Button readings", fuzzed.row_codes())
    assert set(files) == {None, *green_button_oracle.FILE_CODES}
    assert set(rows) == {None, *green_button_oracle.ROW_CODES}
    assert min(*files.values(), *rows.values()) > 50
    assert files[None] > FILES / 3
    assert rows[None] > rows.total() / 3
