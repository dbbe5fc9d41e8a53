"""/runs/latest: the last run of the main job, and when the next one is due."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field, create_model
from pydantic_core import to_json

from pipeline.attention.runs import MAIN_JOB
from pipeline.lake import tables
from pipeline.lake.snapshots import Pinned
from pipeline.serving import answers, shapes
from pipeline.serving.common import REFUSALS, AskedRows
from pipeline.serving.gauges import LAYERS
from pipeline.serving.grains import micros
from pipeline.serving.problems import ProblemError
from pipeline.serving.rhythm import next_due

router = APIRouter(tags=["Runs"])

# What a scheduler starts: `watch` waits for files instead, and a demo or a backfill is started by hand.
SCHEDULED = "run"
# Enough for three weeks of runs every half hour, and read in milliseconds.
MOST_STARTS = 1000
RUNS_SQL = """
    SELECT * FROM runs
    WHERE list_contains($main, split_part(command, ' --', 1)) ORDER BY started_at DESC LIMIT $most
"""

# A run that failed early has counted nothing, and a step that a command leaves out has taken no time.
UNKNOWN = ("files", "rows_read", "rows_merged", "error", *(f"{layer}_milliseconds" for layer in LAYERS))

LatestRun: type[BaseModel] = create_model(
    "LatestRun",
    __base__=shapes.model("Run", tables.RUNS.columns, nullable=UNKNOWN),
    succeeded_at=(str | None, Field(description="End of the newest of these runs that succeeded")),
    next_due_at=(
        str | None, Field(description="When the next `run` starts by the rhythm of earlier ones; null if none is seen")
    ),
    as_of=(dict[str, int], Field(description="Versions of the tables that the answer comes from")),
)  # fmt: skip


@router.get(
    "/runs/latest", summary="The last run, and when the next is due", responses={200: {"model": LatestRun}, **REFUSALS}
)
def latest_run(asked: AskedRows) -> Response:
    """The newest `run`, `watch` or `demo` of ops.runs; other commands are no runs of the main job."""
    if asked.form != "json":
        raise ProblemError(406, "a run is available as application/json only", "format")

    def body(pinned: Pinned) -> bytes:
        reads = {"runs": pinned.dataset(tables.RUNS)}
        found = asked.service.engine.query(RUNS_SQL, {"main": sorted(MAIN_JOB), "most": MOST_STARTS}, reads)
        if not found.num_rows:
            raise ProblemError(404, "no run yet: `main.py run` makes the first")
        zone_of = asked.service.zone_of("UTC")
        shown = shapes.texts(found.slice(0, 1), tables.RUNS.columns, zone_of)
        runs = found.select(["command", "started_at", "finished_at", "status"]).to_pylist()
        succeeded = next((run["finished_at"] for run in runs if run["status"] == "succeeded"), None)
        due = next_due([run["started_at"] for run in reversed(runs) if run["command"] == SCHEDULED])
        facts: dict[str, Any] = {name: values[0] for name, values in shown.items()}
        for name, moment in (("succeeded_at", succeeded), ("next_due_at", due)):
            facts[name] = None if moment is None else shapes.iso(micros(moment), zone_of(None))
        return to_json(facts | {"as_of": pinned.versions})

    return asked.whole([tables.RUNS], body, answers.MEDIA["json"])
