"""Sail against Spark: the same deliveries give the same rows in every table, and Spark proves what Sail wrote.

Run by `make test-sail`, in an environment with pysail.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.deliveries import landing
from tests.conftest import ROOT
from tests.fuzz import (
    csv_files,
    green_button_files,
    nem12_files,
    obis_documents,
    parquet_files,
    smrt_files,
    split_documents,
)
from tests.jobs.conftest import ARRIVED, put, smrt, split_json
from tests.platform.two_engines import ENGINES, Twin, differences
from tests.spark.conftest import refused_by_sail

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("pysail") is None, reason="no pysail: make test-sail"),
]

LONDON = "Europe/London"
FUZZED = [
    (Feed(name="gas", format="smrt", path="landing/gas"), smrt_files.made),
    (Feed(name="power", format="split_json", path="landing/power", time_zone=LONDON), split_documents.made),
    (Feed(name="solar", format="obis_json", path="landing/solar"), obis_documents.made),
    (Feed(name="vilnius", format="interval_parquet", path="landing/vilnius", time_zone="Europe/Vilnius", unit="Wh"), parquet_files.made),
    (Feed(name="meters", format="csv", path="landing/meters", time_zone=LONDON, csv=csv_files.CSV), csv_files.made),
    (Feed(name="grid", format="nem12", path="landing/grid"), nem12_files.made),
    (Feed(name="homes", format="green_button", path="landing/homes", time_zone="America/New_York"), green_button_files.made),
]  # fmt: skip
FILES_OF_A_FORMAT = int(os.environ.get("TEST_SAIL_FILES", "300"))


def twins(folder, text, variables=None):
    """A folder for each engine with the same configuration."""
    made = []
    for engine in ENGINES:
        twin = Twin(folder / engine, engine, variables or {})
        twin.folder.mkdir()
        (twin.folder / "meterlake.toml").write_text(text)
        made.append(twin)
    return made


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The demo, then a second run with corrections; the answers of all steps are looked at by the tests."""
    text = (
        (ROOT / "conf" / "local.toml").read_text().replace("data_lake/landing", "landing").replace("data_lake", "lake")
    )
    by_spark, by_sail = twins(tmp_path_factory.mktemp("demo"), text)
    by_spark.do("demo")
    # With its times, that of the database too.
    shutil.copytree(by_spark.folder / "landing", by_sail.folder / "landing")
    by_sail.do("demo")
    assert differences(by_spark, by_sail) == {}
    for twin in (by_spark, by_sail):
        correct(twin.folder / "landing")
        twin.do("run")
    return by_spark, by_sail


def correct(landing_folder):
    """Late corrections on both clock changes, a duplicate, a conflict, refused files, changed agreements."""
    electricity, gas = landing_folder / "electricity", landing_folder / "gas"
    put(
        electricity,
        "late/spring.json",
        split_json(
            *([f"2021-03-28 {hour:02d}:{half}:00", "1400000001", 1.5] for hour in (0, 2, 3) for half in ("00", "30"))
        ),
        60,
    )
    autumn = [
        [f"2021-10-31 {hour:02d}:{half}:00", "1400000002", f"0.{hour}25{half}"]
        for hour in (0, 1, 1, 2)
        for half in ("00", "30")
    ]
    put(electricity, "late/autumn.json", split_json(*autumn), 61)
    put(electricity, "late/newest first.json", split_json(*reversed(autumn)), 62)
    put(
        electricity,
        "late/odd.json",
        split_json(
            ["2021-03-28 01:30:00", "1400000001", 1],
            ["2021-03-28 04:10:00", "1400000001", 1],
            ["2021-03-28 04:00:00", "1.4E+9", " 1e-1 "],
            ["x", "1400000003", -1],
            ["2021-03-28 05:00:00", "1400000003"],
        ),
        63,
    )
    put(electricity, "late/again.json", split_json(*autumn), 64)
    put(electricity, "late/no.json", b'{"columns": ["a"], "data": []}', 65)
    put(
        gas,
        "PN000900.SMRT",
        smrt(
            "PN000900",
            '"000000001","20210328","0100",1.2345675',
            '"000000001","20210328","0100",2E0',
            '"x","20210328","0100",1',
        ),
        66,
    )
    put(gas, "again/PN000900.SMRT", smrt("PN000900", '"000000001","20210328","0100",9'), 67)
    put(gas, "PN000901.SMRT", smrt("PN000900"), 68)
    with closing(sqlite3.connect(landing_folder / "reference.db")) as connection:
        connection.execute("UPDATE agreement SET agreement_valid_to = '2021-10-31' WHERE agreement_id % 3 = 1")
        connection.commit()
    os.utime(landing_folder / "reference.db", (ARRIVED, ARRIVED))


def test_every_table_has_the_same_rows_after_corrections(demo):
    by_spark, by_sail = demo
    assert differences(by_spark, by_sail) == {}
    rows = {name: count for name, (count, _) in by_sail.digests().items()}
    assert by_sail.digests() == by_spark.digests()
    assert min(rows[name] for name in rows if name.split("/")[0] in {"bronze", "silver", "gold"}) > 0
    assert rows["ops/restatements"] > 0


def test_a_delivery_that_is_withdrawn_leaves_the_same_rows(demo):
    by_spark, by_sail = demo
    for twin in demo:
        twin.do("withdraw", "late/autumn.json", "--reason", "by mistake")
    assert differences(by_spark, by_sail) == {}
    assert any("withdrawn by a run" in row for row in by_sail.tables()["ops/ingestion_log"])


def test_another_run_of_either_engine_finds_nothing_new(demo):
    for twin in demo:
        before = twin.digests()
        twin.do("run")
        assert {name: digest for name, digest in twin.digests().items() if name != "ops/runs"} == {
            name: digest for name, digest in before.items() if name != "ops/runs"
        }


def test_spark_proves_the_lake_that_sail_wrote(demo):
    _, by_sail = demo
    proof = Twin(by_sail.folder, "spark", {"METERLAKE_ENGINE": "sail"})
    told = json.loads(proof.do("verify", "--engine", "spark", "--json").splitlines()[0])
    assert told["equal"]


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """A lake of every format with the first files of the fuzz tests, sound and broken, without those that Sail refuses."""
    feeds = [feed.model_dump(mode="json", exclude_unset=True, exclude={"csv"}) for feed, _ in FUZZED]
    feeds = [feed | ({"csv": csv_files.CSV} if feed["format"] == "csv" else {}) for feed in feeds]
    variables = {"METERLAKE_FEEDS": json.dumps(feeds)}
    by_spark, by_sail = twins(tmp_path_factory.mktemp("fuzzed"), 'lake = "lake"\nactive_on = [2021-10-31]\n', variables)
    refused = {feed.format: fill(by_spark.folder, feed, made) for feed, made in FUZZED}
    # With their times: the order of files is that of their modification.
    shutil.copytree(by_spark.folder / "landing", by_sail.folder / "landing")
    for twin in (by_spark, by_sail):
        twin.do("run")
    return by_spark, by_sail, refused


def fill(folder, feed, made):
    """Put the files of a format into its landing folder; returns how many sound ones Sail refuses."""
    refused, form = 0, formats.format_of(feed)
    there = feed.model_copy(update={"path": str(folder / feed.path)})
    for number in range(FILES_OF_A_FORMAT):
        file = made(number)
        name = (
            file.name
            if file.name.strip() and "/" not in file.name and not file.name.startswith(".")
            else f"a{form.ending}"
        )
        path = put(folder / feed.path, f"{number:05d}/{name}", file.content, number)
        (found,) = landing.inspect([landing.at(there, f"{number:05d}/{name}")], there, form.inspect, "production")
        if found.reason_code is None and refused_by_sail(there, replace(found, file_id=1, batch_id=1)):
            path.unlink()
            refused += 1
    return refused


def test_fuzzed_deliveries_of_every_format_give_the_same_rows(fuzzed):
    by_spark, by_sail, refused = fuzzed
    assert differences(by_spark, by_sail) == {}
    rows = {name: count for name, (count, _) in by_sail.digests().items()}
    assert all(rows[f"bronze/{feed.name}"] > FILES_OF_A_FORMAT / 10 for feed, _ in FUZZED)
    assert min(rows["silver/readings"], rows["silver/rejected_readings"], rows["gold/missing_intervals"]) > 1000
    # Nearly all of them are read: of arrays, those of floating-point numbers and of odd further columns are not.
    assert max(count for form, count in refused.items() if form != "interval_parquet") <= FILES_OF_A_FORMAT / 50
    assert refused["interval_parquet"] < FILES_OF_A_FORMAT / 4


def test_what_only_spark_does_is_refused_in_a_line_that_names_it(demo):
    _, by_sail = demo
    for arguments in (
        ("verify",),
        ("erase", "1400000001", "--yes"),
        ("replay", "#1"),
        ("sql", "SELECT 1"),
        ("run", "--from", "2021-01-01", "--to", "2022-01-01"),
    ):
        said = by_sail.do(*arguments, code=2)
        assert said.startswith('meterlake: not with engine = "sail": '), said
        assert said.count("\n") == 1
    for key, what in (("METERLAKE_CATALOG", "a catalog"), ("METERLAKE_LAKE", "an object store")):
        said = Twin(by_sail.folder, "sail", {key: "s3://bucket/lake" if key == "METERLAKE_LAKE" else "main"}).do(
            "run", code=2
        )
        assert what in said or "not both" in said
        assert said.count("\n") == 1
