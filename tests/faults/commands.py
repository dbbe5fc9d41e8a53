"""Every command that writes, as data, on one lake; and what must be true of that lake whatever was killed on it."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from jobs import backfill, erase, maintain, replay, restatements, run, verify, withdraw
from pipeline.deliveries import ingestion_log
from pipeline.deliveries.span import Span
from pipeline.errors import UnfinishedLakeError, UsageError
from pipeline.lake import access, tables
from pipeline.layers import conservation
from pipeline.layers.restated_key import key_text
from pipeline.runtime import failpoints
from tests.faults.a_lake import Lake, with_history
from tests.jobs.conftest import put, split_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

WITHDRAWN, REPLAYED, ERASED = "electricity/1.json", "electricity/0.json", "m3"


@dataclass(frozen=True)
class Command:
    """What it does in this process, its command line, and whether it changes what the lake says.

    A command that changes it is started again after a kill; for the others the next run is enough.
    """

    do: Callable[[Context], Any]
    words: tuple[str, ...]
    changes: bool = False


def _backfill(context: Context) -> None:
    for _ in backfill.run(context, Span.of("2021-04-01", "2021-04-02")):
        pass


def _verify(context: Context) -> None:
    """After a kill the layers may be behind the log: then it says so, and is right once they have followed."""
    with suppress(UnfinishedLakeError):
        verify.run(context, as_json=True)


def _silver(context: Context) -> None:
    backfill.rebuild(context, "silver", Span.of("2021-01-04", "2021-01-05"))


COMMANDS = {
    "run": Command(run.run, ("run",)),
    "withdraw": Command(
        lambda context: withdraw.run(context, WITHDRAWN, "", as_json=True), ("withdraw", WITHDRAWN), changes=True
    ),
    "replay": Command(
        lambda context: replay.run(context, [REPLAYED], dry_run=False, as_json=True),
        ("replay", REPLAYED),
        changes=True,
    ),
    "erase": Command(
        lambda context: erase.run(context, ERASED, as_json=True), ("erase", ERASED, "--yes"), changes=True
    ),
    "maintain": Command(
        lambda context: maintain.run(context, 0, force=True, as_json=True),
        ("maintain", "--retention-hours", "0", "--force"),
    ),
    "backfill": Command(_backfill, ("run", "--from", "2021-04-01", "--to", "2021-04-02")),
    "silver": Command(_silver, ("run", "silver", "--from", "2021-01-04", "--to", "2021-01-05")),
    "verify": Command(_verify, ("verify",)),
}
# Tables that record how a lake came to its state, not the state itself.
OF_THE_WAY = {"ops.restatements", "ops.acknowledgements", "ops.erasures", "responses"}


def with_past(folder: Path) -> Lake:
    """A lake with work for every command: a delivery that was withdrawn, one to withdraw, a meter to erase, news."""
    electricity = folder / "electricity"
    both = (["2021-01-04 00:30:00", "m2", 5], ["2021-01-04 00:30:00", "m3", 6])
    put(electricity, "0.json", split_json(*both, ["2021-01-04 01:00:00", "m2", -1]), -10)
    put(electricity, "past.json", split_json(["2021-01-04 01:00:00", "m1", 7], ["2021-01-05 01:00:00", "m3", 8]), -10)
    found = with_history(folder)
    withdraw.run(found.context(), REPLAYED, "a test of the sender", as_json=True)
    return found


def broken_off(found: Lake, command: Command, place: str) -> bool:
    """The command breaks off at the place, in this process; False if it never passes it."""
    with pytest.MonkeyPatch.context() as patch:
        failpoints.forget()
        patch.setenv(failpoints.VARIABLE, f"raise:{place}")
        try:
            command.do(found.context())
        except failpoints.Killed:
            return True
    return False


def places(found: Lake, command: Command) -> list[str]:
    """Where the command can be killed on this lake so that it leaves another state: before all, after each step."""
    names = found.folder.parent / f"{found.folder.name}.places"
    with pytest.MonkeyPatch.context() as patch:
        failpoints.forget()
        patch.setenv(failpoints.VARIABLE, f"list:{names}")
        command.do(found.context())
    passed = names.read_text().splitlines()
    return passed[:1] + [place for place in passed if place.startswith("after")]


def given_again(found: Lake, command: Command) -> None:
    """Run the command again, without knowing whether it had finished before it was killed."""
    try:
        command.do(found.context())
    except UsageError as problem:
        assert "nothing to withdraw" in str(problem) or "nowhere" in str(problem) or "holds nothing" in str(problem)  # noqa: PT017


def contents(found: Lake) -> dict[str, list[tuple[str, ...]]]:
    """What the lake says, without run ids, which differ in every lake."""
    return {
        name: [tuple(re.sub(r"\brun [0-9a-f]{12}", "run", value) for value in row) for row in rows]
        for name, rows in found.contents().items()
        if name not in OF_THE_WAY
    }


def must_say(found: Lake, expected: dict[str, list[tuple[str, ...]]]) -> None:
    """Assert that the lake says exactly that, table by table."""
    said = contents(found)
    assert said.keys() == expected.keys()
    for name, rows in expected.items():
        assert said[name] == rows, name


def must_be_whole(found: Lake) -> None:
    """Assert that every bronze row belongs to a delivery in the log, once, and that no number was used twice."""
    context = found.context()
    known = ingestion_log.logged(context)
    assert not [number for number, times in Counter(each.file_id for each in known).items() if times > 1]
    received = access.small_rows(context, tables.INGESTION_LOG, ["batch_id", "received_at"])
    assert len({row["batch_id"] for row in received}) == len({tuple(row.values()) for row in received})
    batches = {each.file_id: each.batch_id for each in known}
    for table in access.bronze_tables(context):
        rows = access.small_rows(context, table, ["file_id", "row_number", "batch_id"])
        assert len(rows) == len({(row["file_id"], row["row_number"]) for row in rows}), table
        assert {(row["file_id"], row["batch_id"]) for row in rows} <= {*batches.items()}, table


def must_be_conserved(found: Lake) -> None:
    """Assert that each delivery's rows in bronze and its rejected rows match the log."""
    context = found.context()
    known = ingestion_log.logged(context)
    assert conservation.violations(known, conservation.rows_of_deliveries(context)) == []


def must_end_true(found: Lake) -> None:
    """Assert that the last restatement of each value is what gold says: that value, or none."""
    context = found.context()
    columns = ["table_name", "key", "measure", "old_value", "new_value", "restated_at"]
    restated = sorted(access.small_rows(context, tables.RESTATEMENTS, columns), key=lambda row: row["restated_at"])
    last = {(row["table_name"], row["key"], row["measure"]): row for row in restated}
    now = {
        (table.full_name, key_text(table.key, row), measure): row[measure]
        for table, measures in restatements.MEASURES.items()
        for row in access.small_rows(context, table, table.names)
        for measure in measures
    }
    for key, row in last.items():
        if (row["old_value"], row["new_value"]) != (None, None):  # an erasure took the values
            assert row["new_value"] == now.get(key), key


def answered_once(found: Lake) -> None:
    """Assert that no sender has two responses to one delivery."""
    names = [path.name for path in (found.folder / "responses").rglob("*") if path.is_file()]
    assert len(names) == len({*names})
