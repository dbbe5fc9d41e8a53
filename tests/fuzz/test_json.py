"""25,000 mutated files of each JSON format: the verdict on each and on each of its rows is an independent oracle's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from pyspark.sql import functions as F

from pipeline import formats
from pipeline.config.feeds import Feed
from tests.fuzz import judging, obis_documents, obis_oracle, split_documents, split_oracle

pytestmark = pytest.mark.fuzz

FILES = 25_000
# Documents with a NUL between them are one file that Spark reads as it reads many: a NUL parts its records anyway.
DOCUMENTS_OF_A_FILE = 1000
WHOLE_FILES = {"spark.sql.files.openCostInBytes": "1g", "spark.sql.files.maxPartitionBytes": "1g"}


@dataclass(frozen=True)
class Case:
    feed: Feed
    made: object
    oracle: object
    more: tuple[str, ...] = ()

    @property
    def form(self):
        return formats.format_of(self.feed)


CASES = {
    "split JSON": Case(
        Feed(name="power", format="split_json", path="landing", time_zone="Europe/London"),
        split_documents.made,
        split_oracle,
    ),
    "OBIS JSON": Case(
        Feed(name="solar", format="obis_json", path="landing"),
        obis_documents.made,
        obis_oracle,
        ("direction", "quality"),
    ),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture(scope="module")
def fuzzed(compiled, case, tmp_path_factory):
    found, sound = judging.Fuzzed(case.made), {}
    for number in range(FILES):
        made = case.made(number)
        delivery = judging.delivery(case.feed, made.name, number)
        said = case.form.inspect(made.content, delivery, case.feed, "production")
        found.add(case.oracle.verdict(made.name, made.content), said)
        if said.reason_code is None:
            sound[number] = made.content
    found.rows = judged(
        compiled, case, sound, [found.said[number] for number in sound], tmp_path_factory.mktemp("lake")
    )
    for number, content in sound.items():
        if rows := found.rows.get(number):
            found.said[number] = replace(found.said[number], rows_read=len({row[0] for row in rows}))
        else:
            found.said[number] = looked_at_again(case, content, found.said[number])
    return found


def judged(spark, case, sound, deliveries, folder):
    """file number -> its rows, of the documents that the driver lets through: through bronze as a run goes."""
    contents = read(spark, case, list(sound.values()), folder)
    bronze = case.form.rows(contents, case.feed, deliveries).withColumn("batch_id", F.lit(1))
    bronze.write.parquet(str(folder / "bronze"))
    judged = case.form.judged(spark.read.parquet(str(folder / "bronze")), case.feed, F.lit(judging.AT))
    rows = judging.readings_by_file(case.form.in_order(judged, case.feed) if case.form.in_order else judged, *case.more)
    numbers = list(sound)
    return {numbers[place]: of_file for place, of_file in rows.items()}


def read(spark, case, documents, folder):
    """One row a document with its place among them as `file_id`, read as Spark reads a delivery.

    Documents with a NUL between them are one file for Spark to list and open: a NUL parts the records of a delivery
    too, which is one of them.
    """
    paths = []
    for begin in range(0, len(documents), DOCUMENTS_OF_A_FILE):
        path = folder / f"{begin}.json"
        path.write_bytes(b"\x00".join(documents[begin : begin + DOCUMENTS_OF_A_FILE]))
        paths.append(str(path))
    before = {name: spark.conf.get(name) for name in WHOLE_FILES}
    for name, value in WHOLE_FILES.items():
        spark.conf.set(name, value)
    contents = case.form.contents(spark, paths, [])
    # A file is one task's, so rows are counted from its first one.
    place = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << 33) - 1))
    begin = F.regexp_extract("reported_path", r"([0-9]+)\.json$", 1).cast("bigint")
    contents.withColumn("file_id", begin + place).drop("reported_path").write.parquet(str(folder / "contents"))
    for name, value in before.items():
        spark.conf.set(name, value)
    contents = spark.read.parquet(str(folder / "contents"))
    assert contents.count() == len(documents)
    return contents


def looked_at_again(case, content, delivery):
    """The verdict on a delivery that gave Spark no rows, as in jobs/shared/ingestion.py."""
    final = case.form.diagnose(content, delivery, case.feed)
    if final.reason_code is None and final.rows_read:
        return final.refused("MALFORMED_JSON", "Spark's reader found no rows where there are some")
    return final


def test_the_verdict_on_every_file_is_the_oracles(fuzzed):
    assert fuzzed.wrong_verdicts() == []


def test_a_refusal_is_one_line_and_counts_no_rows(fuzzed):
    assert fuzzed.badly_told() == []


def test_as_many_rows_come_out_of_a_file_as_its_data_holds(fuzzed):
    assert fuzzed.lost_rows() == []


def test_every_row_of_every_sound_file_is_judged_as_the_oracle_judges_it(fuzzed):
    assert fuzzed.wrong_rows() == []


def test_every_code_was_seen_and_a_third_of_the_files_is_sound(fuzzed, case, seen):
    files = seen(f"{case.oracle.NAME} files", fuzzed.file_codes())
    rows = seen(f"{case.oracle.NAME} rows", fuzzed.row_codes())
    assert set(files) == {None, *case.oracle.FILE_CODES}
    assert set(rows) == {None, *case.oracle.ROW_CODES}
    assert min(*files.values(), *rows.values()) > 50
    assert files[None] > FILES / 3
    assert rows[None] > rows.total() / 3
