"""A feed with an archive, from the folder to gold: what leaves the folder, and what finds it in the archive."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs import erase, explain, replay, run, verify, withdraw
from pipeline.lake import tables
from tests.jobs.conftest import GAS, log, put, rows, smrt, versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest

    from pipeline.runtime.context import Context

HOUR = '"001","20210401","0000"'


def test_deliveries_are_archived_after_silver_and_every_command_finds_them(
    lake: Callable[..., Context], gas: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    feed = GAS.model_copy(update={"archive": str(kept), "company": "GAZ"})
    stranger = GAS.model_copy(update={"archive": str(kept), "company": "OTHER"})
    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},1.5"))
    run.run(lake(feed))
    put(gas, "sub/PN000002.SMRT", smrt("PN000002", f"{HOUR},2.5"), minutes=1)
    run.run(lake(stranger))
    context = lake(feed)
    assert log(context) == [("PN000001.SMRT", "loaded", None), ("sub/PN000002.SMRT", "rejected", "WRONG_COMPANY")]
    assert [each for each in gas.rglob("*") if each.is_file()] == []
    assert {str(each.relative_to(kept)) for each in kept.rglob("*.SMRT")} == {"PN000001.SMRT", "sub/PN000002.SMRT"}
    before = versions(context)
    assert run.run(lake(feed)).deliveries == []
    assert versions(context) == before

    # The refused one was right: it is judged again from the archive, and counts.
    replay.run(lake(feed), ["sub/PN000002.SMRT"], dry_run=True, as_json=True)
    replay.run(lake(feed), ["sub/PN000002.SMRT"], dry_run=False, as_json=True)
    assert rows(context, tables.READINGS, "consumption", "file_id") == [(Decimal("2.500000"), 2)]
    assert (kept / "sub/PN000002.SMRT").exists()
    verify.run(lake(feed), as_json=True)
    capsys.readouterr()
    explain.run(lake(feed), "001", "2021-04-01T00:00Z", as_json=True)
    said = json.loads(capsys.readouterr().out)["versions"]
    assert [(each["file"], each["consumption"]) for each in said] == [
        ("sub/PN000002.SMRT", "2.500000"),
        ("PN000001.SMRT", "1.500000"),
    ]
    withdraw.run(lake(feed), "#2", "by mistake", as_json=True)
    assert rows(context, tables.READINGS, "consumption", "file_id") == [(Decimal("1.500000"), 1)]
    capsys.readouterr()
    erase.run(lake(feed), "001", as_json=True, dry_run=True)
    still_in = json.loads(capsys.readouterr().out)["still_in"]
    assert sorted(still_in) == [str(kept / "PN000001.SMRT"), str(kept / "sub/PN000002.SMRT")]

    # Other bytes under a loaded name are in conflict, and are kept beside the first ones.
    put(gas, "PN000001.SMRT", smrt("PN000001", f"{HOUR},9.9"), minutes=2)
    run.run(lake(feed))
    assert log(context)[2:] == [("PN000001.SMRT", "conflict", "CHANGED_AFTER_LOADING")]
    assert (kept / "PN000001.SMRT").read_bytes() != (kept / "_again/3/PN000001.SMRT").read_bytes()
    verify.run(lake(feed), as_json=True)
