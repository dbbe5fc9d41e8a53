"""Responses for senders after faults: a run that was killed, a folder that cannot be written."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from jobs import run
from pipeline.errors import AcknowledgementError
from pipeline.lake import access, tables
from tests.jobs.conftest import ELECTRICITY, GAS, put, rows, smrt, versions
from tests.jobs.responses import CUT, HOUR, asking, noted, responses

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context


def test_a_run_killed_before_its_responses_are_recorded_finds_them_in_place(
    lake: Callable[..., Context], gas: Path, answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = asking(GAS, answers)
    put(gas, "PN000008.SMRT", CUT)
    put(gas, "PN000009.SMRT", CUT)
    write_rows = access.write_rows

    def killed(context: Context, table: tables.Table, *rest: Any) -> int:
        if table is tables.ACKNOWLEDGEMENTS:
            raise KeyboardInterrupt
        return write_rows(context, table, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(access, "write_rows", killed)
        with suppress(KeyboardInterrupt):
            run.run(lake(feed))
    context = lake(feed)
    kept, taken = sorted(answers.iterdir())
    said, number = taken.read_bytes(), kept.stat().st_ino
    taken.unlink()
    (answers / ".2.ack.json.part").symlink_to(gas / "PN000009.SMRT")  # a sender's trap, or what a killed run left
    assert noted(context) == []
    run.run(context)
    # The first delivery of a feed that has just begun to ask is not lost; a removed response comes back unchanged.
    assert noted(context) == [(1, "gas", "rejected", 1), (2, "gas", "rejected", 1)]
    assert (kept.stat().st_ino, taken.read_bytes(), len(responses(answers))) == (number, said, 2)
    assert (gas / "PN000009.SMRT").read_bytes() == CUT
    before = versions(context)
    run.run(lake(feed))
    assert versions(context) == before


def test_a_folder_that_cannot_be_written_stops_nothing_else(
    lake: Callable[..., Context], gas: Path, electricity: Path, answers: Path, tmp_path: Path
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_bytes(b"a file")
    feeds = [asking(GAS, occupied), asking(ELECTRICITY, answers)]
    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},1.5"))
    put(gas, "PN000009.SMRT", CUT)
    put(electricity, "empty.json", b"")
    context = lake(*feeds)
    with pytest.raises(AcknowledgementError) as caught:
        run.run(context)
    assert caught.value.exit_code == 1
    assert str(caught.value).startswith(f"feed 'gas': response '{occupied}/PN00000")
    assert "(a file is where its folder should be), 2 in all;" in str(caught.value)
    assert len(rows(context, tables.METER_DAY, "consumption")) == 1
    assert rows(context, tables.RUNS, "status", "error") == [("failed", str(caught.value)[:300])]
    assert noted(context) == [(3, "electricity", "rejected", 1)]

    # The feed that was answered is not answered again while the other one waits.
    (taken,) = answers.iterdir()
    taken.unlink()
    before = versions(context)
    context = lake(*feeds)
    with pytest.raises(AcknowledgementError):
        run.run(context)
    assert (versions(context), list(answers.iterdir()), context.has_spark) == (before, [], False)

    occupied.unlink()
    run.run(lake(*feeds))
    assert sorted(said["verdict"] for said in responses(occupied).values()) == ["accepted", "refused"]
    assert (len(noted(context)), list(answers.iterdir())) == (3, [])
    assert access.done_to(context, tables.ACKNOWLEDGEMENTS) == 1
