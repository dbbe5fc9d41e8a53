"""Mutated files of interval arrays: the verdict on each and on each element is an oracle's; damaged bytes do no harm."""

from __future__ import annotations

from collections import Counter

import pytest
from pyspark.sql import functions as F

from jobs import bronze
from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.deliveries import landing
from pipeline.lake import maintenance
from tests.fuzz import judging, parquet_files, parquet_oracle
from tests.jobs import conftest

pytestmark = pytest.mark.fuzz

VILNIUS = Feed(name="vilnius", format="interval_parquet", path="landing", time_zone="Europe/Vilnius", unit="Wh")
FORMAT = formats.format_of(VILNIUS)
FILES = 2500
DAMAGED_FILES = 2000
# Finding a file that Spark cannot read costs a few jobs: of the damaged files that the driver reads so many are tried.
TRIED = 60


def inspected(content, name, number):
    return FORMAT.inspect(content, judging.delivery(VILNIUS, name, number), VILNIUS, "production")


def received(spark, folder, sound):
    """Bronze rows of files {delivery: bytes}, written into the folder and read as a run reads them."""
    for delivery, content in sound.items():
        (folder / delivery.relative_path).write_bytes(content)
    feed = VILNIUS.model_copy(update={"path": str(folder)})
    contents = landing.contents_with_file_id(spark, FORMAT.contents, list(sound), feed)
    return FORMAT.rows(contents, feed, list(sound)).withColumn("batch_id", F.lit(1))


@pytest.fixture(scope="module")
def fuzzed(compiled, tmp_path_factory):
    found, sound = judging.Fuzzed(parquet_files.made), {}
    for number in range(FILES):
        made = parquet_files.made(number)
        said = inspected(made.content, made.name, number)
        found.add(parquet_oracle.verdict(made.name, made.content, made.table, made.codec), said)
        if said.reason_code is None:
            sound[said] = made.content
    folder = tmp_path_factory.mktemp("lake")
    received(compiled, folder, sound).write.parquet(str(folder / "bronze"))
    judged = FORMAT.judged(compiled.read.parquet(str(folder / "bronze")), VILNIUS, F.lit(judging.AT))
    rows = judging.readings_by_file(judged, "interval_minutes", "quality")
    found.rows = {number: without_empty_elements(of_file) for number, of_file in rows.items()}
    return found


def without_empty_elements(rows):
    """Rows without the first element of a list where that is null; one of a list that holds nothing else stays."""
    elements = Counter(number for number, *_ in rows)
    return [row for row in rows if row[1] is not None or row[4] is not None or elements[row[0]] == 1]


def test_the_verdict_on_every_file_is_the_oracles(fuzzed):
    assert fuzzed.wrong_verdicts() == []


def test_a_refusal_is_one_line_and_counts_no_rows(fuzzed):
    assert fuzzed.badly_told() == []


def test_as_many_rows_come_out_of_a_file_as_it_holds(fuzzed):
    assert fuzzed.lost_rows() == []


def test_every_element_of_every_sound_file_is_judged_as_the_oracle_judges_it(fuzzed):
    assert fuzzed.wrong_rows() == []


def test_every_code_was_seen_and_a_third_of_the_files_is_sound(fuzzed, seen):
    files, rows = seen("parquet files", fuzzed.file_codes()), seen("parquet elements", fuzzed.row_codes())
    assert set(files) == {None, *parquet_oracle.FILE_CODES}
    assert set(rows) == {None, *parquet_oracle.ROW_CODES}
    assert min(*files.values(), *rows.values()) > 30
    assert files[None] > FILES / 3
    assert rows[None] > rows.total() / 3


def test_a_file_with_damaged_bytes_is_refused_or_all_of_its_rows_are_read_and_no_other_suffers(lake, tmp_path, seen):
    context, known, tried = lake(VILNIUS), {}, []
    for number in range(DAMAGED_FILES):
        name, content = f"{number}.parquet", parquet_files.damaged(number)
        known[name] = inspected(content, name, number)
        assert known[name].reason_code is None or judging.is_told(known[name])
        if known[name].reason_code is None and len(tried) < TRIED:
            tried.append(name)
            (tmp_path / VILNIUS.path / name).write_bytes(content)
    seen("damaged parquet files", (each.reason_code for each in known.values()))
    maintenance.create_missing(context, formats.lake_tables(context.settings))
    said = bronze.run(context).deliveries
    codes = seen("damaged parquet files that the driver reads", (each.reason_code for each in said))
    assert codes[None] > TRIED / 2
    assert codes["UNREADABLE"] > 3
    rows = Counter(file_id for (file_id,) in conftest.rows(context, formats.bronze_table(VILNIUS), "file_id"))
    loaded = [each for each in said if each.status == "loaded"]
    assert [
        each for each in loaded if not known[each.file_name].rows_read == each.rows_read == rows[each.file_id]
    ] == []
    assert rows.total() == sum(each.rows_read for each in said)
