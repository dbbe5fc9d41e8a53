"""`replay --dry-run` where Python may judge: no JVM, and the counts that the log has or would get."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from jobs import replay
from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.errors import DamagedLakeError, ReplayError, UsageError
from pipeline.formats import trial
from pipeline.formats.row_readers import READERS
from pipeline.lake import access
from tests.jobs.conftest import smrt
from tests.recipes import EXAMPLES, recipes
from tests.written_lake import again, at, delivery, written

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.runtime.context import Context
    from tests.recipes import Recipe

ROWS = [
    ("2021-01-04 00:00:00", "m1", "1"),
    ("2021-01-04 00:30:00", "m1", "4"),
    ("2021-01-04 00:30:00", "m2", "none"),
]


def electricity(folder: Path, **more: Any) -> Feed:
    return Feed(name="electricity", format="split_json", path=str(folder / "in"), time_zone="Europe/London", **more)


def loaded(folder: Path, feed: Feed) -> Context:
    """A lake with one delivery of three rows, of which the log says that one was rejected."""
    known = delivery(
        1, "day.json", feed="electricity", rows_read=3, rows_accepted=2, rows_rejected=1, local_dates=(at("2021-01-04").date(),)
    )  # fmt: skip
    context = written(folder, feed, deliveries=[known])
    table = formats.bronze_table(feed)
    names = ("interval_start", "meterpoint_id", "consumption_delta")
    lineage = {"file_id": 1, "batch_id": 1, "extra": None, "raw": None}
    rows = [dict(zip(names, row, strict=True)) | lineage | {"row_number": n} for n, row in enumerate(ROWS, start=1)]
    access.write_rows(context, table, rows, {"batch_id": 1})
    return context


def dry_run(context: Context, capsys: pytest.CaptureFixture[str], *names: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    replay.run(context, names, dry_run=True, as_json=True)
    assert not context.has_spark
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["files"]
    return found


def test_rows_in_bronze_are_judged_by_the_rules_of_today(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed = electricity(tmp_path)
    context = loaded(tmp_path, feed)
    (same,) = dry_run(context, capsys, "day.json")
    assert same["before"] == same["after"]
    hourly = electricity(tmp_path, interval_minutes=60)
    (stricter,) = dry_run(again(tmp_path, hourly), capsys, "#1")
    assert (stricter["after"]["rows_accepted"], stricter["after"]["rows_rejected"]) == (1, 2)


def test_rows_that_a_killed_run_left_are_not_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed = electricity(tmp_path)
    context = loaded(tmp_path, feed)
    left = dict.fromkeys(formats.bronze_table(feed).names) | {"file_id": 1, "row_number": 1, "batch_id": 2}
    access.write_rows(context, formats.bronze_table(feed), [left], {"batch_id": 2})
    assert dry_run(again(tmp_path, feed), capsys, "#1")[0]["after"]["rows_read"] == 3


def gas_feed(folder: Path) -> Feed:
    (folder / "gas" / "again").mkdir(parents=True)
    return Feed(name="gas", format="smrt", path=str(folder / "gas"), company="GAZ")


def test_a_refused_file_is_read_again_from_the_landing_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gas, refused = gas_feed(tmp_path), delivery(1, "DV000001.SMRT", "rejected", "WRONG_ENVIRONMENT")
    content = smrt("DV000001", '"0001","20210331","0100","1"', '"0001","20210331","0130","x"')
    (tmp_path / "gas" / "DV000001.SMRT").write_bytes(content)
    digest = trial.inspected(content, refused, gas, "production").sha256
    written(tmp_path, gas, deliveries=[replace(refused, sha256=digest)])
    (found,) = dry_run(again(tmp_path, gas, environment="development"), capsys, "DV000001.SMRT")
    assert found["before"]["reason_code"] == "WRONG_ENVIRONMENT"
    assert found["after"] == {
        "status": "loaded", "reason_code": None, "rows_read": 2, "rows_accepted": 1, "rows_rejected": 1,
    }  # fmt: skip
    # By the old configuration it would be refused as before.
    assert dry_run(again(tmp_path, gas), capsys, "#1")[0]["after"]["reason_code"] == "WRONG_ENVIRONMENT"
    (tmp_path / "gas" / "DV000001.SMRT").write_bytes(b"other")
    with pytest.raises(ReplayError, match="holds other bytes"):
        dry_run(again(tmp_path, gas, environment="development"), capsys, "#1")


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: str(recipe.name))
def test_rows_of_every_recipe_are_counted_in_bronze_as_the_page_says(
    recipe: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = Feed(**recipe.feed)
    content = recipe.file.read_bytes()
    found = delivery(1, str(recipe.file.relative_to(EXAMPLES / recipe.file.parent.name)), feed=feed.name)
    sound = trial.inspected(content, found, feed, "production")
    assert sound.reason_code is None
    context = written(tmp_path, feed, deliveries=[found])
    table = formats.bronze_table(feed)
    nothing = dict.fromkeys(table.names) | {"file_id": 1, "batch_id": 1}
    rows = [nothing | row for row in READERS[feed.format].rows(content, sound, feed)]
    access.write_rows(context, table, rows, {"batch_id": 1})
    (shown,) = dry_run(context, capsys, "#1")
    rejected = len(recipe.expected.rejected)
    assert (shown["after"]["rows_read"], shown["after"]["rows_rejected"]) == (recipe.expected.rows, rejected)


def test_a_name_that_was_refused_because_it_is_loaded_is_a_conflict_still(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gas = gas_feed(tmp_path)
    content = smrt("PN000001", '"0001","20210331","0100","7"')
    (tmp_path / "gas" / "again" / "PN000001.SMRT").write_bytes(content)
    second = delivery(2, "again/PN000001.SMRT", "conflict", "CHANGED_AFTER_LOADING")
    digest = trial.inspected(content, second, gas, "production").sha256
    deliveries = [delivery(1, "PN000001.SMRT", rows_read=1, rows_accepted=1), replace(second, sha256=digest)]
    written(tmp_path, gas, deliveries=deliveries)
    (found,) = dry_run(again(tmp_path, gas), capsys, "#2")
    assert found["after"]["status"] == "conflict"


def test_lost_bronze_and_unknown_names_are_said_without_spark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = electricity(tmp_path)
    context = again(tmp_path, feed)
    known = delivery(1, "day.json", feed="electricity", rows_read=3, rows_accepted=3)
    written(tmp_path, feed, deliveries=[known])
    with pytest.raises(UsageError, match=r"no delivery 'other\.json' in the log"):
        dry_run(context, capsys, "other.json")
    table = tmp_path / "lake" / "bronze" / "electricity"
    table.rename(tmp_path / "gone")
    with pytest.raises(DamagedLakeError, match=r"bronze\.electricity is not there"):
        dry_run(again(tmp_path, feed), capsys, "day.json")


def test_many_rows_are_left_to_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = electricity(tmp_path)
    context = loaded(tmp_path, feed)
    asked: list[str] = []

    def by_spark(_: Context, __: Feed, each: Any, *, in_bronze: bool = True) -> Any:
        asked.append(f"{each.relative_path} {in_bronze}")
        return each

    monkeypatch.setattr(replay, "_by_spark", by_spark)
    monkeypatch.setattr(trial, "MOST_ROWS", 2)
    replay.run(context, ["#1"], dry_run=True, as_json=True)
    assert asked == ["day.json True"]


def test_the_module_imports_no_pyspark() -> None:
    told = "import sys, jobs.replay; print(sorted({'pyspark', 'py4j'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout == "[]\n"
