"""/files and /restatements: deliveries, what became of them, and what changed after it was published."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field, create_model
from pydantic_core import to_json

from pipeline.lake import tables
from pipeline.lake.snapshots import Pinned
from pipeline.serving import answers, paging, shapes, surroundings
from pipeline.serving.answers import Rows
from pipeline.serving.asked import Asked
from pipeline.serving.common import REFUSALS, AskedRows, pages_of, rows_of
from pipeline.serving.feed_deliveries import OPEN_REFUSALS_SQL
from pipeline.serving.grains import micros
from pipeline.serving.parameters import Day, FeedName, Moment, TimeZone, instant_of, zone_or
from pipeline.serving.problems import ProblemError

router = APIRouter(tags=["Deliveries"])

# Without the file's path on the server: the sender knows `relative_path`.
FILES = tuple(column for column in tables.INGESTION_LOG.columns if column.name != "file_path")
REJECTED = tuple(column for column in tables.REJECTED.columns if column.name not in {"file_id", "feed"})
Status = Literal["loaded", "rejected", "duplicate", "conflict", "withdrawn"]
StatusName = Annotated[Status | None, Query(description="Only deliveries with this status")]
LOG_FEED = "Only this feed, or the `reference` database"
OfDay = Annotated[
    Day | None,
    Query(description="Only loaded deliveries with an accepted reading on this local day: what is behind it"),
]
OfRun = Annotated[str | None, Query(max_length=64, description="Only those that this run decided: ops.runs.run_id")]
Open = Annotated[
    bool, Query(alias="open", description="Only refusals that no later delivery of the same path has settled")
]
LogFeed = Annotated[str | None, Query(pattern="^[a-z][a-z0-9_]{0,62}$", description=LOG_FEED)]
FILES_SQL = f"""
    WITH open_refusals AS ({OPEN_REFUSALS_SQL})
    SELECT * FROM log WHERE ($feed IS NULL OR feed = $feed) AND ($status IS NULL OR status = $status)
        AND ($day IS NULL OR (status = 'loaded' AND list_contains(local_dates, $day)))
        AND ($run_id IS NULL OR run_id = $run_id)
        AND (NOT $open OR file_id IN (SELECT file_id FROM open_refusals))
"""  # noqa: S608 - ours
RESTATED_SQL = """
    SELECT * FROM restatements WHERE ($feed IS NULL OR feed = $feed)
        AND ($table_name IS NULL OR table_name = $table_name)
        AND ($since IS NULL OR restated_at >= make_timestamptz($since))
"""

# A reference snapshot has no size and no time; a file that could not be read has no digest.
UNKNOWN = ("size_bytes", "modified_at", "sha256", "reason_code", "reason", "created_at", "generation")
RESTATED_UNKNOWN = (
    "meter_id",
    "interval_start",
    "product_display_name",
    "product",
    "old_value",
    "new_value",
    "file_id",
)
Delivery = shapes.model("Delivery", FILES, nullable=UNKNOWN)
RejectedRow = shapes.model("RejectedRow", REJECTED, nullable=["meter_id", "raw"])
Delivered: type[BaseModel] = create_model(
    "DeliveryWithRejectedRows",
    __base__=(Delivery, surroundings.Surroundings),
    rejected_rows=(list[RejectedRow], Field(description="Rejected rows, the first `limit`")),  # type: ignore[valid-type]
    rejected_rows_left_out=(int, Field(description="How many more there are")),
    as_of=(dict[str, int], Field(description="Versions of the tables that the answer comes from")),
)


def _of_log(asked: Asked, feed: str | None) -> None:
    if feed != "reference":
        asked.service.feed(feed)


@router.get("/files", summary="Deliveries: how many, and what became of each", responses=pages_of(Delivery))
def files(
    asked: AskedRows,
    status: StatusName = None,
    feed: LogFeed = None,
    day: OfDay = None,
    run_id: OfRun = None,
    open_only: Open = False,  # noqa: FBT002 - a parameter of the address
) -> Response:
    """Deliveries, newest first. `total` says how many there are."""
    _of_log(asked, feed)

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        zone_of = asked.service.zone_of("UTC")
        if day is None and run_id is None and not open_only:
            return asked.service.log.page(
                pinned, FILES, status=status, feed=feed, after=after, limit=asked.limit, zone_of=zone_of
            )
        return paging.rows_after(
            asked.service.engine,
            FILES_SQL,
            {"feed": feed, "status": status, "day": day, "run_id": run_id, "open": open_only},
            {"log": pinned.dataset(tables.INGESTION_LOG)},
            FILES,
            ("file_id",),
            after=after,
            limit=asked.limit,
            zone_of=zone_of,
            descending=True,
            counted=True,
        )

    return asked.answer([tables.INGESTION_LOG], FILES, rows, time_zone="UTC")


@router.get("/files/latest", summary="The newest delivery", responses={200: {"model": Delivered}, **REFUSALS})
def latest_file(asked: AskedRows, status: StatusName = None, feed: LogFeed = None) -> Response:
    """The delivery with the highest file_id (of a feed or status, if given), with its rejected rows."""
    _of_log(asked, feed)
    return _one(asked, lambda pinned: asked.service.log.newest(pinned, status, feed, 1))


@router.get(
    "/files/{file_id}", summary="A delivery and its rejected rows", responses={200: {"model": Delivered}, **REFUSALS}
)
def file(asked: AskedRows, file_id: Annotated[int, Path(ge=0, lt=2**63, description="Its number")]) -> Response:
    """One delivery, with its rejected rows and the reasons."""
    return _one(asked, lambda _: [file_id])


def _one(asked: Asked, which: Callable[[Pinned], list[int]]) -> Response:
    if asked.form != "json":
        raise ProblemError(406, "a delivery is available as application/json only", "format")

    def body(pinned: Pinned) -> bytes:
        engine, zone_of = asked.service.engine, asked.service.zone_of("UTC")
        names = [column.name for column in FILES]
        found = asked.service.log.table(pinned, names, which(pinned))
        if not found.num_rows:
            raise ProblemError(404, "no such delivery; /files lists all")
        facts = {name: values[0] for name, values in shapes.texts(found, FILES, zone_of).items()}
        reads = {"rejected": pinned.dataset(tables.REJECTED)}
        rows = engine.query(
            "SELECT * FROM rejected WHERE file_id = $file_id ORDER BY row_number, reason_code",
            {"file_id": facts["file_id"]}, reads,
        )  # fmt: skip
        shown = shapes.texts(rows.slice(0, asked.limit), REJECTED, zone_of)
        facts["rejected_rows"] = [dict(zip(shown, each, strict=True)) for each in zip(*shown.values(), strict=True)]
        facts["rejected_rows_left_out"] = rows.num_rows - len(facts["rejected_rows"])
        facts |= surroundings.of_delivery(facts, pinned, engine, zone_of)
        return to_json(facts | {"as_of": pinned.versions})

    return asked.whole([*surroundings.TABLES, tables.REJECTED], body, answers.MEDIA["json"])


@router.get(
    "/restatements",
    summary="Published values that changed",
    responses=rows_of("Restatement", tables.RESTATEMENTS.columns, nullable=RESTATED_UNKNOWN),
)
def restatements(
    asked: AskedRows,
    since: Annotated[Moment | None, Query(description="Restated at or after this day (of tz) or instant")] = None,
    table: Annotated[
        Literal[
            "gold.total_consumption_half_hour", "gold.consumption_per_product_per_day", "gold.avg_half_hour_by_product",
            "gold.meter_day",
        ] | None,
        Query(description="Only values of this table"),
    ] = None,
    feed: FeedName = None,
    tz: TimeZone = None,
) -> Response:  # fmt: skip
    """Values of gold that changed after they were published, oldest change first, each with the delivery behind it."""
    asked.service.feed(feed)
    moment = None if since is None else micros(instant_of(since, zone_or(tz, "UTC")))
    wanted = {"feed": feed, "since": moment, "table_name": table}
    key = ("restated_at", "table_name", "key", "measure", "batch_id")

    def rows(pinned: Pinned, after: list[Any] | None) -> Rows:
        reads = {"restatements": pinned.dataset(tables.RESTATEMENTS)}
        return paging.rows_after(
            asked.service.engine, RESTATED_SQL, wanted, reads, tables.RESTATEMENTS.columns, key,
            after=after, limit=asked.limit, zone_of=asked.service.zone_of(tz or "UTC"), counted=True,
        )  # fmt: skip

    units = {"old_value": "kWh; a count for measures that are counts", "new_value": "as old_value"}
    return asked.answer([tables.RESTATEMENTS], tables.RESTATEMENTS.columns, rows, time_zone=tz or "UTC", units=units)
