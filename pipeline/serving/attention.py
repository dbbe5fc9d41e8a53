"""/attention: what needs attention, the same list that `status` shows."""

import hashlib

import pyarrow as pa
from fastapi import APIRouter, Request, Response

from pipeline.lake import tables
from pipeline.lake.tables import columns
from pipeline.lake.types import TYPES
from pipeline.serving import answers, shapes
from pipeline.serving.answers import Rows
from pipeline.serving.asked import readable, tagged
from pipeline.serving.common import AskedService, known_parameters, rows_of
from pipeline.serving.parameters import Format
from pipeline.serving.problems import ProblemError

router = APIRouter(tags=["Attention"])

ATTENTION = columns(
    """
    kind STRING What it is: failed_run, lost_files, missing_table, late, refused, gap_in_numbers, check, small_files, …
    feed STRING Its feed, or the `reference` database; null: a matter of the lake
    text STRING What is the matter, in a sentence
    command STRING The command that shows exactly it; null if there is none
    since TIMESTAMP Since when, in the feed's zone; null if it has no beginning
    urgent BOOLEAN Whether a person should do something about it today
    """
)


@router.get(
    "/attention",
    summary="What needs attention, the most urgent first",
    responses=rows_of("Attention", ATTENTION, nullable=("feed", "command", "since")),
)
def attention(request: Request, service: AskedService, format: Format = None) -> Response:  # noqa: A002 - the parameter's name
    """The list that `main.py status` begins with: late feeds, refused deliveries, missing numbers, lost files.

    Time alone can change it, so its ETag is that of its content.
    """
    known_parameters(request)
    form = answers.form(request, format)
    with service.slot(), readable(service):
        pinned = service.snapshots.pin([tables.INGESTION_LOG, tables.RUNS])
        if not pinned.versions:
            raise ProblemError(503, "the lake has no tables yet: `main.py run` creates them")
        items = service.needs_attention()
    found = pa.table(
        [pa.array([getattr(item, each.name) for item in items], TYPES[each.type][1]) for each in ATTENTION],
        names=[each.name for each in ATTENTION],
    )
    rows = Rows(shapes.texts(found, ATTENTION, service.zone_of(None)), total=len(items))
    content = hashlib.sha256(repr(rows.columns).encode()).hexdigest()
    tag = answers.etag(request, {"content": content}, form)
    if answers.is_known(request, tag):
        return tagged(Response(status_code=304), tag)
    return tagged(answers.page(request, rows, ATTENTION, answers.Meta(pinned.versions), form), tag)
