"""What a feed format is: functions that take a delivery from bytes to judged rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame, SparkSession

    from pipeline.config.settings import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import RowJudge


@dataclass(frozen=True)
class FeedFormat:
    """One value a format; the functions are pure but for `contents`, which names files for Spark to read."""

    # What the name of a file ends in.
    ending: str
    # True: the bare name is the identity of a delivery and is loaded once; False: its path, changed content is new.
    identity_is_name: bool
    # (the source's own columns, further ones that follow lineage) as lines of `name TYPE comment`.
    bronze_columns: Callable[[Feed], tuple[str, str]]
    # Driver: bytes -> the delivery, refused or with what its envelope says. Last argument: the environment.
    inspect: Callable[[bytes, Delivery, Feed, str], Delivery]
    # Spark: paths of these deliveries -> what is in them, with `reported_path`, the path as Spark names it.
    contents: Callable[[SparkSession, list[str], list[Delivery]], DataFrame]
    # the same with `file_id` in its place -> rows as received, the columns of bronze without batch_id.
    rows: Callable[[DataFrame, Feed, list[Delivery]], DataFrame]
    # bronze -> readings with reason_code (NULL: passed), reason, raw, is_repeated. Where a row may hold several: also
    # `position` in the row, from 0 on, and `is_repeated` for a position's second instant; a row that holds none is one
    # without consumption and reason_code. Last argument: when the delivery of a row came.
    judged: Callable[[DataFrame, Feed, Column], DataFrame]
    # judged rows of files with repeated local times -> the same with each occurrence on its own instant.
    in_order: Callable[[DataFrame, Feed], DataFrame] | None = None
    # Whether one row may hold several readings, or none; then each says how long it is.
    many_readings_per_row: bool = False
    # How many readings a row can hold.
    most_readings: int = 1
    # How many bytes of the other formats hold as many readings as one byte of this one: for the size of a session.
    weight: int = 1
    # Whether a row's number is the line of the file that it stands on.
    rows_are_lines: bool = False
    # Whether its rows say their direction, else all have the feed's.
    carries_direction: bool = False
    # Whether its rows say something of their quality.
    carries_quality: bool = False
    # Driver: a second, exact look at a delivery that gave Spark no rows.
    diagnose: Callable[[bytes, Delivery, Feed], Delivery] | None = None
    # The same as `judged` and `in_order` in Python, for one meter: so `serve` shows every version that was received.
    row_judge: RowJudge | None = None


def objection_to_name(file_name: str, ending: str) -> str | None:
    """What is wrong with a file's name, None where nothing is; of formats whose names say no more than the format."""
    if not file_name.endswith(ending):
        return f"the name does not end in {ending}"
    if file_name.startswith("_") or ":" in file_name:
        return "Spark reads no name that begins with '_' or holds ':'; rename it"
    return None
