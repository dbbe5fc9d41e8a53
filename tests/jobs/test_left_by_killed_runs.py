"""What a run that was killed left in the lake: the next command removes it, also after the configuration changed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jobs import run, verify
from pipeline import formats
from pipeline.lake import tables
from pipeline.runtime import failpoints
from tests.jobs.conftest import GAS, put, rows, smrt
from tests.jobs.lake_of_two_deliveries import (
    BRONZE,
    COMMANDS,
    bronze,
    loaded,
    readings,
    template,
    third,
)

__all__ = ["loaded", "template", "third"]

pytestmark = pytest.mark.slow  # whole runs of every command, one after the other: `make test-platform`

OTHER = GAS.model_copy(update={"name": "steam", "path": "steam"})


def breaks_off(context, place, command=run.run):
    failpoints.forget()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(failpoints.VARIABLE, f"raise:{place}")
        with pytest.raises(failpoints.Killed):
            command(context)


OTHERS = [
    pytest.param(name, marks=[] if name == "withdraw" else pytest.mark.faults) for name in COMMANDS if name != "run"
]


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_the_next_command_removes_what_a_killed_run_left(loaded, third, name):
    breaks_off(loaded(), "before write ops.ingestion_log")
    assert len(bronze(loaded())) == 3
    COMMANDS[name](loaded())
    left = {file_id for file_id, *_ in bronze(loaded())}
    assert left <= {1, 2}
    run.run(loaded())
    assert ("003", Decimal(4)) in readings(loaded())
    found = bronze(loaded())
    assert len(found) == len({(file_id, row) for file_id, row, _ in found})
    assert max(file_id for file_id, *_ in found) == 3
    verify.run(loaded(), as_json=True)


def test_a_feed_that_left_the_configuration_after_a_kill_leaves_nothing_behind(lake, gas, tmp_path):
    put(gas, "PN000001.SMRT", smrt("PN000001", '"001","20210401","0000",1.5'))
    put(tmp_path / "steam", "PN000009.SMRT", smrt("PN000009", '"009","20210401","0000",9'))
    breaks_off(lake(GAS, OTHER), "before write ops.ingestion_log")
    assert len(rows(lake(GAS, OTHER), formats.bronze_table(OTHER), "file_id")) == 1
    run.run(lake(GAS))
    assert rows(lake(GAS, OTHER), formats.bronze_table(OTHER), "file_id") == []
    assert readings(lake(GAS)) == [("001", Decimal("1.5"))]
    run.run(lake(GAS, OTHER))
    assert rows(lake(GAS, OTHER), formats.bronze_table(OTHER), "file_id") == [(2,)]


@pytest.mark.slow
def test_rows_that_an_older_program_left_twice_are_removed(loaded, gas, spark):
    # A batch that the log does not know, below batches that it knows: 0.2.0 left that after a kill and a withdrawal.
    path = tables.address(loaded().settings, BRONZE)
    twice = spark.read.format("delta").load(path).where("file_id = 2").selectExpr("*").replace(2, 3, "batch_id")
    note = '{"meterlake": {"batch_id": 3}}'
    twice.write.format("delta").mode("append").option("userMetadata", note).save(path)
    assert len(bronze(loaded())) == 3
    put(gas, "PN000003.SMRT", smrt("PN000003", '"003","20210402","0000",4'), 30)
    run.run(loaded())
    assert [(file_id, row) for file_id, row, _ in bronze(loaded())] == [(1, 2), (2, 2), (3, 2)]
    verify.run(loaded(), as_json=True)
