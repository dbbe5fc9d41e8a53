"""Withdrawals and replays that change nothing: they are only shown, or they cannot be and say why."""

from __future__ import annotations

import json

import pytest

from jobs import replay, run, withdraw
from pipeline.config.feeds import Feed
from pipeline.errors import LakeError, ReplayError, UsageError
from pipeline.lake import run_lock
from tests.jobs.conftest import GAS, every_version, put, smrt

pytestmark = pytest.mark.faults


def test_a_dry_run_on_a_lake_that_is_not_there_makes_none(lake, gas, tmp_path):
    for dry_run in (
        lambda: replay.run(lake(GAS), ["#1"], dry_run=True, as_json=True),
        lambda: withdraw.run(lake(GAS), "#1", "", as_json=True, dry_run=True),
    ):
        with pytest.raises(LakeError, match="has no tables yet"):
            dry_run()
    assert not (tmp_path / "lake").exists()


def test_what_a_withdrawal_would_do_is_shown_and_not_done(lake, gas, capsys):
    put(gas, "PN000001.SMRT", smrt("PN000001", '"0001","20210331","0100","1"', '"0001","20210401","0100","x"'))
    put(gas, "PN000002.SMRT", smrt("PN000002")[:-7])
    run.run(lake(GAS))
    before = every_version(lake(GAS))
    with run_lock.held(lake(GAS), "a run at work"):
        withdraw.run(lake(GAS), "PN000001.SMRT", "", as_json=True, dry_run=True)
        shown = json.loads(capsys.readouterr().out)
        assert shown == {
            "dry_run": True,
            "file_id": 1,
            "file": str(gas / "PN000001.SMRT"),
            "status": "loaded",
            "rows": 1,
            "rejected_rows": 1,
            "days": ["2021-03-31"],
        }
        withdraw.run(lake(GAS), "#1", "", as_json=False, dry_run=True)
        assert "1 reading on one day and 1 rejected row would no longer count" in capsys.readouterr().out
        withdraw.run(lake(GAS), "#2", "", as_json=False, dry_run=True)
        assert "TRAILER_MISSING) would be settled" in capsys.readouterr().out
        with pytest.raises(UsageError, match="in the log"):
            withdraw.run(lake(GAS), "PN000009.SMRT", "", as_json=True, dry_run=True)
    assert every_version(lake(GAS)) == before


def test_what_cannot_be_taken_back_or_looked_at_again_is_said_in_a_line(lake, gas):
    other = Feed(name="water", format="smrt", path="water")
    cut = put(gas, "PN000001.SMRT", smrt("PN000001")[:-7])
    put(gas, "a/PN000002.SMRT", smrt("PN000002")[:-7])
    put(gas, "b/PN000002.SMRT", smrt("PN000002")[:-8])
    put(gas.parent / "water", "PN000001.SMRT", smrt("PN000001")[:-7])
    run.run(lake(GAS, other))
    withdraw.run(lake(GAS, other), "gas/PN000001.SMRT", "settled", as_json=False)
    for name, said in {
        "gas/PN000001.SMRT": "is withdrawn: there is nothing to withdraw",
        "PN000009.SMRT": "no delivery 'PN000009.SMRT' in the log",
        "PN000001.SMRT": "is a delivery of gas, water: add the feed",
    }.items():
        with pytest.raises(UsageError, match=said):
            withdraw.run(lake(GAS, other), name, "", as_json=False)
    with pytest.raises(UsageError, match="means 2 deliveries"):
        replay.run(lake(GAS, other), ["PN000002.SMRT"], dry_run=False, as_json=False)
    with pytest.raises(UsageError, match="no longer in the configuration"):
        replay.run(lake(other), ["gas/PN000001.SMRT"], dry_run=False, as_json=False)
    cut.write_bytes(smrt("PN000001"))
    with pytest.raises(ReplayError, match="holds other bytes"):
        replay.run(lake(GAS, other), ["gas/PN000001.SMRT"], dry_run=False, as_json=False)
    cut.unlink()
    with pytest.raises(ReplayError, match="is no longer in the landing folder"):
        replay.run(lake(GAS, other), ["gas/PN000001.SMRT"], dry_run=False, as_json=False)
