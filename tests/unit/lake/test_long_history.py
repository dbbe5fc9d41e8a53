"""A table of very many versions: progress is found in one small read, and a run opens each table once."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError

from jobs import run as main_job
from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.lake import access, commits, gate, progress, stores, tables
from pipeline.lake.path import upkeep
from pipeline.lake.types import arrow_schema
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

VERSIONS = 150
TABLE = tables.RUNS


@pytest.fixture
def context(tmp_path):
    (tmp_path / "gas").mkdir()
    feed = Feed(name="gas", format="smrt", path=str(tmp_path / "gas"))
    made = Context(Settings(lake=str(tmp_path / "lake"), feeds=(feed,)), log=Log("", quiet=True))
    main_job.run(made)
    return made.next_run()


def where(context, table=TABLE):
    return Path(tables.address(context.settings, table))


def lengthen(folder, to=VERSIONS):
    """Give the table a history as long as of years of runs: commits of ours without rows, and a checkpoint near the end."""
    opened = DeltaTable(folder)
    log, mark = folder / "_delta_log", opened.history(1)[0].get("userMetadata")
    said = {"timestamp": 1796057203372, "operation": "WRITE", "operationParameters": {"mode": "Append"}}
    for version in range(opened.version() + 1, to + 1):
        text = json.dumps({"commitInfo": said | ({"userMetadata": mark} if mark else {})})
        (log / f"{version:020d}.json").write_text(text + "\n")
        if version == to - 20:
            DeltaTable(folder).create_checkpoint()


@pytest.fixture
def reads(monkeypatch):
    """Counts what is read: tables opened, by path; commits alone, and parts of histories."""
    counted = Counter()

    class Opened(DeltaTable):
        def __init__(self, path, **more):
            counted[str(path)] += 1
            super().__init__(path, **more)

        def history(self, limit=None):
            counted["history"] += 1
            return super().history(limit)

    monkeypatch.setattr(gate, "DeltaTable", Opened)
    monkeypatch.setattr(upkeep, "DeltaTable", Opened)
    real = commits.newest
    monkeypatch.setattr(commits, "newest", lambda *which: counted.update(["commit"]) or real(*which))
    return counted


def test_progress_of_a_long_history_is_one_small_read(context, reads):
    lengthen(where(context))
    for _ in range(5):
        assert access.mark(context, TABLE)
    assert (reads["history"], reads["commit"]) == (0, 1)


def test_a_run_with_nothing_new_opens_each_table_once_however_long_its_history(context, reads):
    for log in where(context).parents[1].glob("*/*/_delta_log"):
        lengthen(log.parent)
    main_job.run(Context(context.settings, log=Log("", quiet=True)))  # it notes the new versions of gold
    reads.clear()
    fresh = Context(context.settings, log=Log("", quiet=True))
    main_job.run(fresh)
    opened = {path: count for path, count in reads.items() if "/lake/" in path}
    # The row of ops.runs is written on a table that is opened for it.
    assert {Path(path).name: count for path, count in opened.items() if count > 1} == {"runs": 2}
    assert len(opened) > 10
    without_mark = sum(not access.mark(fresh, table) for table in formats.lake_tables(context.settings))
    assert reads["history"] <= 2 * without_mark
    assert access.version(fresh, TABLE) == VERSIONS + 2


def test_the_first_line_alone_is_read_however_many_files_a_commit_adds(context, monkeypatch):
    folder = where(context)
    version = DeltaTable(folder).version() + 1
    mark = progress.text_of({"batch_id": 7})
    lines = [json.dumps({"commitInfo": {"operation": "WRITE", "userMetadata": mark}})]
    lines += [json.dumps({"remove": {"path": f"{n}.parquet", "dataChange": True}}) for n in range(100_000)]
    commit = folder / "_delta_log" / f"{version:020d}.json"
    commit.write_text("\n".join(lines))
    taken = []
    real = stores.opened

    class Counting:
        def __init__(self, system):
            self.system = system

        def open_input_file(self, path):
            file = self.system.open_input_file(path)
            taken.append(file)
            return file

    monkeypatch.setattr(stores, "opened", lambda path: (Counting(real(path)[0]), real(path)[1]))
    places = []
    monkeypatch.setattr(commits, "_anywhere", places.append)
    assert commits.newest(str(folder), version)["userMetadata"] == mark
    assert (len(taken), places) == (1, [])


def test_a_commit_that_says_it_later_or_nothing_is_understood(context):
    folder = where(context)
    log = folder / "_delta_log"
    said = {"commitInfo": {"operation": "WRITE", "userMetadata": "x"}}
    (log / f"{90:020d}.json").write_text("\n".join(map(json.dumps, [{"txn": {"appId": "a", "version": 1}}, said])))
    (log / f"{91:020d}.json").write_text(json.dumps({"txn": {"appId": "commitInfo", "version": 1}}) + "\n")
    (log / f"{92:020d}.json").write_text(json.dumps({"commitInfo": {"operation": "WRITE", "long": "x" * 100_000}}))
    assert commits.newest(str(folder), 90) == said["commitInfo"] | {"version": 90}
    assert commits.newest(str(folder), 91) is None
    assert len(commits.newest(str(folder), 92)["long"]) == 100_000
    assert commits.newest(str(folder), 93) is None


@pytest.mark.parametrize("turn", range(6))
def test_progress_is_what_the_whole_history_says_whoever_commits(context, turn):
    chance = random.Random(turn)
    folder = where(context)
    nothing = arrow_schema(TABLE).empty_table()
    for batch in range(12):
        hand = chance.choice(["ours", "ours", "another", "none", "restore"])
        opened = DeltaTable(folder)
        if hand == "restore":
            opened.restore(chance.randrange(opened.version()))
        else:
            text = {"ours": progress.text_of({"batch_id": batch + 1}), "another": "weekly", "none": None}[hand]
            stamp = None if text is None else CommitProperties(custom_metadata={"userMetadata": text})
            write_deltalake(opened, nothing, mode="append", commit_properties=stamp)
        found = access.lake_of(context).facts.progress(TABLE)
        assert found == progress.search(DeltaTable(folder).history, old_form=False)
        assert access.version(context, TABLE) == DeltaTable(folder).version()


def test_a_table_that_is_removed_made_again_or_broken_is_noticed(context, tmp_path):
    folder, before = where(context), access.version(context, TABLE)
    shutil.copytree(folder, tmp_path / "kept")
    shutil.rmtree(folder)
    assert access.version(context, TABLE) is None
    assert access.mark(context, TABLE) == {}
    write_deltalake(folder, pa.table({"run_id": ["x"]}))
    assert access.version(context, TABLE) == 0
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "kept", folder)
    assert access.version(context, TABLE) == before
    (folder / "_delta_log" / f"{before + 1:020d}.json").write_text("no commit")
    with pytest.raises(DeltaError):
        access.version(context, TABLE)
    (folder / "_delta_log" / f"{before + 1:020d}.json").unlink()
    assert access.version(context, TABLE) == before
