"""What is asked of the log as columns, against the same questions of a list of every delivery. No Spark."""

from __future__ import annotations

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.deliveries import guards, ingestion_log, landing, log_rows, names, news, open_issues, tally
from pipeline.deliveries.decisions import History
from pipeline.deliveries.delivery import CONFLICT, DUPLICATE, LOADED, REFERENCE, REJECTED, WITHDRAWN, Delivery
from pipeline.errors import UsageError
from pipeline.lake import access, maintenance, tables
from pipeline.lake.state import State
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

BATCHES, IN_A_BATCH, SEED = 12, 30, 20261130
BEGAN = datetime(2026, 9, 1, 6, tzinfo=UTC)
CODES = {REJECTED: "MALFORMED_JSON", CONFLICT: "CHANGED_AFTER_LOADING"}
# Longer than any statistic of a data file keeps.
LONG = "a/" * 60


@pytest.fixture(scope="module")
def feeds(tmp_path_factory):
    """A feed whose names are loaded once, and one whose paths may come again."""
    folder = tmp_path_factory.mktemp("landing")
    made = (
        Feed(name="gas", format="smrt", path=str(folder / "gas")),
        Feed(name="power", format="split_json", path=str(folder / "power")),
    )
    for feed in made:
        os.mkdir(feed.path)  # noqa: PTH102
    return made


def drawn(chance, number, batch):
    """A delivery of the batch, of few paths, so that many come again."""
    feed = chance.choice(["gas", "power", "power", REFERENCE] if chance.random() < 0.2 else ["gas", "power"])
    status = chance.choices([LOADED, DUPLICATE, REJECTED, CONFLICT, WITHDRAWN], [6, 1, 1, 1, 1])[0]
    code = CODES.get(status) or (chance.choice([None, "EMPTY_FILE"]) if status == WITHDRAWN else None)
    which = chance.randrange(60)
    name = f"PN{which:06d}.SMRT" if feed == "gas" else f"{which:03d}.json"
    path = chance.choice(["", "sub/", LONG]) + name
    counted = status in {LOADED, WITHDRAWN} and code is None and chance.random() < 0.9
    rejected = chance.choice([0, 0, 3]) if counted else 0
    unread = code == "MALFORMED_JSON" and chance.random() < 0.5
    return Delivery(
        feed, name, f"/in/{path}", path, chance.randrange(3), BEGAN + timedelta(seconds=chance.randrange(3)),
        sha256=None if unread else f"{chance.randrange(3):064d}", status=status, reason_code=code,
        reason="cannot be read: Permission denied" if unread else code and "why", file_id=number, batch_id=batch,
        rows_read=10 if counted else 0, rows_accepted=10 - rejected if counted else 0, rows_rejected=rejected,
        local_dates=tuple(date(2026, 9, 1 + n) for n in chance.sample(range(20), 2)) if counted else (),
        generation=f"PN{which:06d}" if feed == "gas" else None, revision=batch,
        rows_erased=chance.choice([0, 0, 0, 1]) if counted else 0,
    )  # fmt: skip


@pytest.fixture(scope="module", params=["many small files", "compacted", "small row groups"])
def context(request, feeds, tmp_path_factory):
    """A lake whose log has been written in many batches, some deliveries of which were revised since."""
    lake = tmp_path_factory.mktemp("lake")
    made = Context(Settings(lake=str(lake), feeds=feeds), log=Log("", quiet=True))
    log_table = replace(tables.INGESTION_LOG, row_group=8 if request.param == "small row groups" else None)
    maintenance.create_missing(made, [tables.INGESTION_LOG])
    chance = random.Random(SEED)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ingestion_log, "INGESTION_LOG", log_table)
        for batch in range(1, BATCHES + 1):
            made.now = BEGAN + timedelta(days=batch)
            some = [drawn(chance, (batch - 1) * IN_A_BATCH + n + 1, batch) for n in range(IN_A_BATCH)]
            ingestion_log.write(made, some, batch)
        known = ingestion_log.logged(made)
        later = [
            replace(each, status=LOADED, revision=BATCHES + 1)
            for each in chance.sample(known, 5)
            if not each.reason_code
        ]
        ingestion_log.revise(made, later, BATCHES + 1)
    if request.param == "compacted":
        maintenance.compact(made, tables.INGESTION_LOG)
    return made


@pytest.fixture(scope="module")
def known(context):
    """Every delivery, by a reader that is not ours."""
    rows = DeltaTable(tables.address(context.settings, tables.INGESTION_LOG)).to_pyarrow_table().to_pylist()
    every = [
        Delivery(
            **{name: value for name, value in row.items() if name not in {"run_id", "local_dates"}},
            local_dates=tuple(row["local_dates"]),
        )
        for row in sorted(rows, key=lambda row: row["file_id"])
    ]
    assert [each.file_id for each in every] == list(range(1, BATCHES * IN_A_BATCH + 1))
    return every


@pytest.fixture(scope="module")
def log(context):
    return ingestion_log.rows(context)


def test_a_delivery_comes_back_as_it_was_logged(context, known):
    assert ingestion_log.logged(context) == known
    assert [each.received_at for each in ingestion_log.logged(context)] == [each.received_at for each in known]


def lay(feed, chance):
    """Some files in the feed's folder: sizes and times that the log may or may not have last."""
    for folder, _, files in os.walk(feed.path, topdown=False):
        for name in files:
            os.unlink(os.path.join(folder, name))  # noqa: PTH108, PTH118
    for which in chance.sample(range(70), 40):
        name = f"PN{which:06d}.SMRT" if feed.name == "gas" else f"{which:03d}.json"
        path = os.path.join(feed.path, chance.choice(["", "sub/", LONG]) + name)  # noqa: PTH118
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(b"x" * chance.randrange(3))
        moment = int((BEGAN + timedelta(seconds=chance.randrange(3))).timestamp())
        os.utime(path, (moment, moment))


@pytest.mark.parametrize("turn", range(4))
def test_the_same_files_are_news_as_by_the_history_of_every_delivery(log, known, feeds, turn):
    chance = random.Random(turn)
    for feed in feeds:
        lay(feed, chance)
        by_name = feed.name == "gas"
        whole = History.of(each for each in known if each.feed == feed.name)
        should = [found for found in landing.find(feed) if not whole.is_unchanged(found, by_name=by_name)]
        found = news.of(log, landing.listed(feed), by_name=by_name)
        assert found.found == should
        assert should
        for each in should:  # and the history knows of them what the whole one does
            digest = f"{chance.randrange(3):064d}"
            seen = replace(each, sha256=digest)
            assert found.history.touched(seen) == whole.touched(seen)
            assert found.history.last_loaded_by_path.get(each.relative_path) == whole.last_loaded_by_path.get(
                each.relative_path
            )
            if by_name:
                key = each.file_name, digest
                assert found.history.loaded_by_name.get(each.file_name) == whole.loaded_by_name.get(each.file_name)
                assert (key in found.history.conflicts) == (key in whole.conflicts)
                assert found.history.withdrawn.get(key) == whole.withdrawn.get(key)


def test_a_second_look_asks_the_log_only_for_names_that_are_new(context, feeds, monkeypatch):
    fresh = log_rows.LogRows(ingestion_log.rows(context)._rows)
    feed = feeds[1]
    lay(feed, random.Random(1))
    first = news.of(fresh, landing.listed(feed), by_name=False)
    asked = []
    real = log_rows.LogRows.pieces_with
    monkeypatch.setattr(log_rows.LogRows, "pieces_with", lambda self, names, column, values, *more: asked.append((column, sorted(values))) or real(self, names, column, asked[-1][1], *more))  # fmt: skip
    assert news.of(fresh, landing.listed(feed), by_name=False).found == first.found
    assert [values for column, values in asked if column == "relative_path"] == []
    (os.path.join(feed.path, "new.json"), open(os.path.join(feed.path, "new.json"), "w").close())  # noqa: PTH118, PTH123
    again = news.of(fresh, landing.listed(feed), by_name=False)
    assert {each.relative_path for each in again.found} == {*(each.relative_path for each in first.found), "new.json"}
    assert [values for column, values in asked if column == "relative_path"] == [["new.json"]]


def test_the_tally_adds_up_to_the_deliveries(log, known):
    counted = tally.of(log, tally.FOR_MEASURES)
    should = Counter((each.feed, each.status, each.batch_id, each.revision) for each in known)
    assert {(t.feed, t.status, t.batch_id, t.revision): t.deliveries for t in counted} == should
    for name in ("rows_read", "rows_accepted", "rows_rejected", "unaccounted", "numbered"):
        assert sum(getattr(t, name) for t in counted) == sum(getattr(each, name) for each in known)
    for done in range(BATCHES + 2):
        assert tally.waiting(counted, done) == sum(each.revision > done for each in known if each.local_dates)
        inside = [e.received_at for e in known if e.revision <= done and e.status == LOADED and e.local_dates]
        assert tally.newest_in(counted, done) == max(inside, default=None)
    newest = {t.feed: t.received_at for t in counted}
    assert newest == {each.feed: each.received_at for each in known}


def test_what_needs_attention_is_the_same(log, known):
    assert open_issues.standing_refusals(open_issues.refused_in(log)) == open_issues.standing_refusals(known)
    assert open_issues.standing_refusals(known)
    never = [("gas", "PN000003-PN000009")]
    assert open_issues.missing_from(log, never) == open_issues.missing_generations(known, never)
    assert open_issues.missing_from(log) == open_issues.missing_generations(known) != []


@pytest.mark.parametrize("turn", range(12))
def test_the_guards_find_with_the_landmarks_what_they_find_with_every_delivery(log, known, turn):
    chance = random.Random(turn)
    names_of = [
        "ops.ingestion_log",
        "bronze.gas",
        "bronze.power",
        "silver.readings",
        "gold.meter_day",
        *guards.SNAPSHOTS,
    ]
    states = {
        name: State(
            name, chance.choice([BATCHES - 1, BATCHES, BATCHES + 1, BATCHES + 2]), holds_files=chance.random() < 0.8
        )
        for name in names_of
        if chance.random() < 0.9
    }
    landmarks = tally.landmarks(log) + tally.first_reading(log)
    assert list(guards.problems(states, landmarks)) == list(guards.problems(states, known))
    assert len(landmarks) <= 6


def test_the_newest_come_first_page_by_page(log, known):
    for status in (None, LOADED, CONFLICT, "unknown"):
        for feed in (None, "gas", REFERENCE):
            should = [e.file_id for e in reversed(known) if status in {None, e.status} and feed in {None, e.feed}]
            where, found, before = log_rows.of(status, feed), [], None
            while page := log.newest(where, 7, before):
                found += page
                before = page[-1]
            assert found == should
            assert log.count(where) == len(should)


def test_deliveries_on_days_and_later_ones(log, known):
    days = {
        "gas": [date(2026, 9, 3)],
        "power": [date(2026, 9, 20), date(2026, 9, 1)],
        "none": [],
        "other": [date(2026, 9, 1)],
    }
    should = [e for e in known if e.status == LOADED and set(days.get(e.feed, ())) & set(e.local_dates)]
    assert log.on_days(days) == should
    assert log.days() == {
        feed: {day for e in known if e.status == LOADED and e.feed == feed for day in e.local_dates}
        for feed in {e.feed for e in known if e.status == LOADED}
    }
    for done in (0, 5, BATCHES):
        assert log.deliveries(log.later_than(done)) == [each for each in known if each.revision > done]
    assert log.deliveries(log.revised()) == [each for each in known if each.is_revised]


def test_a_name_means_the_same_delivery(context, known):
    chance = random.Random(3)
    asked = {
        "#17",
        "#9999",
        "#0",
        "#²",
        "nothing",
        "gas/",
        *(f"{e.feed}/{e.relative_path}" for e in chance.sample(known, 20)),
    }
    asked |= {e.relative_path for e in chance.sample(known, 20)} | {e.file_name for e in chance.sample(known, 20)}
    said = Counter()
    for name in sorted(asked):
        should, found = (meant(some, name) for some in (known, ingestion_log.that_may_be(context, name)))
        assert found == should
        said[type(should)] += 1
    assert len(said) == 2  # some are found, of some there is something to say


def meant(some, name):
    try:
        return names.delivery_named(some, name, {LOADED}, "withdraw")
    except UsageError as problem:
        return str(problem)


def test_many_values_of_which_most_are_nowhere(log, known):
    wanted = [f"{LONG}{which:03d}.json" for which in range(0, 400, 3)]
    assert log.deliveries_with("relative_path", wanted) == [each for each in known if each.relative_path in set(wanted)]
    numbers = [*range(0, 10_000, 7)]
    assert log.deliveries_with("file_id", numbers) == [each for each in known if each.file_id in set(numbers)]
    assert log.deliveries_with("file_id", []) == []


def test_the_newest_of_each_feed_and_the_values_of_a_column(log, known):
    for column in ("feed", "batch_id", "status", "relative_path", "reason_code", "generation"):
        assert log.distinct(column) == {getattr(each, column) for each in known} - {None}
    for status in (LOADED, WITHDRAWN, "unknown"):
        newest = {each.feed: each.file_id for each in known if each.status == status}
        found = log.newest_of_feeds(pc.field("status") == status)
        assert found == newest


def test_the_next_numbers_follow_the_greatest(context, log):
    assert ingestion_log.last_batch(context) == BATCHES + 1
    assert log.greatest("file_id") == BATCHES * IN_A_BATCH


@pytest.mark.parametrize("few", [1000, 2])
def test_a_revision_replaces_its_deliveries_and_no_other(feeds, tmp_path, monkeypatch, few):
    monkeypatch.setattr(ingestion_log, "FEW_TO_REPLACE", few)
    context = Context(Settings(lake=str(tmp_path), feeds=feeds), log=Log("", quiet=True))
    maintenance.create_missing(context, [tables.INGESTION_LOG])
    chance = random.Random(5)
    for batch in (1, 2, 3):
        ingestion_log.write(context, [drawn(chance, batch * 10 + n, batch) for n in range(10)], batch)
    before = ingestion_log.logged(context)
    changed = [replace(each, reason="changed", revision=4) for each in before if each.file_id in {11, 25, 39}]
    ingestion_log.revise(context, changed, 4)
    after = ingestion_log.logged(context)
    by_id = {each.file_id: each for each in changed}
    assert after == [by_id.get(each.file_id, each) for each in before]
    assert [each.received_at for each in after] == [each.received_at for each in before]
    assert access.mark(context, tables.INGESTION_LOG)["batch_id"] == 4


def test_only_the_row_groups_that_may_hold_a_value_are_read(context, log, monkeypatch):
    if DeltaTable(tables.address(context.settings, tables.INGESTION_LOG)).to_pyarrow_dataset().count_rows() < 1:
        pytest.fail("an empty log proves nothing")
    parts = []
    real = log_rows.columns.pieces
    monkeypatch.setattr(log_rows.columns, "pieces", lambda rows, *more: parts.append(rows) or real(rows, *more))
    log.table_with(["file_id"], "file_id", range(IN_A_BATCH * 2 + 1, IN_A_BATCH * 3))
    read = sum(part.count_rows() for part in parts)
    whole = log.count()
    assert read == whole if len(list(log._rows.get_fragments())) == 1 else read < whole / 2


def test_a_log_that_is_not_there_knows_nothing(feeds, tmp_path):
    context = Context(Settings(lake=str(tmp_path), feeds=feeds), log=Log("", quiet=True))
    log = ingestion_log.rows(context)
    assert (ingestion_log.logged(context), ingestion_log.last_batch(context), log.greatest("file_id")) == ([], 0, 0)
    assert (tally.of(log, tally.FOR_MEASURES), tally.landmarks(log), log.newest(None, 5)) == ([], [], [])
    assert (log.distinct("feed"), log.newest_of_feeds(pc.field("rows_read") > 0)) == (set(), {})
