"""What belongs to a delivery besides its own row: what to do next, responses that were written, its neighbours."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field, create_model

from pipeline.deliveries.delivery import LOADED, REFERENCE, REFUSED, REJECTED, WITHDRAWN
from pipeline.formats import advice
from pipeline.lake import tables
from pipeline.lake.tables import columns
from pipeline.serving import shapes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from pipeline.lake.snapshots import Pinned
    from pipeline.serving.engine import Engine

RESPONSES = columns(
    """
    response_name STRING Name of the response file
    status STRING What it says became of the delivery
    written_at TIMESTAMP Start of the run that wrote it
    run_id STRING The run that wrote it: ops.runs.run_id
    """
)
NEIGHBOURS = columns(
    """
    relation STRING before, after: by file_id in the same feed; number_before, number_after: by the sender's own number
    file_id BIGINT Number of the neighbour
    relative_path STRING Its path below the feed's landing folder
    status STRING What became of it
    generation STRING Generation number in the SMRT header
    """
)
RESPONSES_SQL = "SELECT * FROM responses WHERE file_id = $file_id ORDER BY batch_id"
# The sender's numbers count by prefix; of one number the loaded delivery is shown, else the newest.
NEIGHBOURS_SQL = """
    WITH feed AS (SELECT file_id, coalesce(relative_path, file_name) AS relative_path, status, generation FROM log
            WHERE feed = $feed AND file_id <> $file_id),
        numbered AS (SELECT * FROM feed WHERE generation[:2] = $generation[:2])
    SELECT * FROM (SELECT 3 AS place, 'before' AS relation, * FROM feed WHERE file_id < $file_id
        ORDER BY file_id DESC LIMIT 1)
    UNION ALL SELECT * FROM (SELECT 4, 'after', * FROM feed WHERE file_id > $file_id ORDER BY file_id LIMIT 1)
    UNION ALL SELECT * FROM (SELECT 1, 'number_before', * FROM numbered WHERE generation < $generation
        ORDER BY generation DESC, status = 'loaded' DESC, file_id DESC LIMIT 1)
    UNION ALL SELECT * FROM (SELECT 2, 'number_after', * FROM numbered WHERE generation > $generation
        ORDER BY generation, status = 'loaded' DESC, file_id DESC LIMIT 1)
    ORDER BY place
"""

Response = shapes.model("WrittenResponse", RESPONSES)
Neighbour = shapes.model("Neighbour", NEIGHBOURS, nullable=["relative_path", "generation"])
Surroundings: type[BaseModel] = create_model(
    "Surroundings",
    next_step=(str | None, Field(description="What can be done about it; null if nothing is to be done")),
    responses=(list[Response], Field(description="Response files that were written for its sender, in order")),  # type: ignore[valid-type]
    neighbours=(list[Neighbour], Field(description="Deliveries of the same feed before and after it")),  # type: ignore[valid-type]
)
TABLES = (tables.INGESTION_LOG, tables.ACKNOWLEDGEMENTS)


def of_delivery(
    facts: dict[str, Any], pinned: Pinned, engine: Engine, zone_of: Callable[[str | None], tzinfo]
) -> dict[str, Any]:
    """The `Surroundings` of a delivery with those facts."""
    asked = {"file_id": facts["file_id"]}
    answered = engine.query(RESPONSES_SQL, asked, {"responses": pinned.dataset(tables.ACKNOWLEDGEMENTS)})
    # Without its folder on the server, as with the delivery itself.
    names = [PurePath(path).name for path in answered["response_path"].to_pylist()]
    answered = answered.append_column("response_name", [names] if names else answered["response_path"])
    near = engine.query(
        NEIGHBOURS_SQL, asked | {"feed": facts["feed"], "generation": facts["generation"]},
        {"log": pinned.dataset(tables.INGESTION_LOG)},
    )  # fmt: skip
    return {
        "next_step": next_step(facts),
        "responses": _rows(shapes.texts(answered, RESPONSES, zone_of)),
        "neighbours": _rows(shapes.texts(near, NEIGHBOURS, zone_of)),
    }


def next_step(facts: dict[str, Any]) -> str | None:
    """What can be done about a delivery with those facts, in sentences; None if nothing is to be done."""
    again = f"If the configuration was wrong, correct it, then `main.py replay '#{facts['file_id']}'`."
    if facts["feed"] == REFERENCE:
        mend = "Correct it in the database: the next run reads it again."
        return mend if facts["status"] in REFUSED or facts["rows_rejected"] else None
    if facts["status"] in REFUSED:
        step = advice.OF_CODE.get(facts["reason_code"] or "", advice.OTHERWISE)
        sentences = [f"{step[0].upper()}{step[1:]}.", "The next run loads the corrected file."]
        return " ".join([*sentences, *([again] if facts["status"] == REJECTED else [])])
    if facts["status"] == WITHDRAWN and not facts["reason_code"]:
        return f"To count it again: `main.py replay '#{facts['file_id']}'`."
    if facts["status"] == LOADED and facts["rows_rejected"]:
        return f"Tell the sender which rows did not pass; corrected ones may come in any later delivery. {again}"
    return None


def _rows(shown: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(shown, each, strict=True)) for each in zip(*shown.values(), strict=True)]
