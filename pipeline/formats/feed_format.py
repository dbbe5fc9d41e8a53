"""What a feed format is: functions that take a delivery from bytes to judged rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import Column, DataFrame, SparkSession

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.by_executors import Outline
    from pipeline.deliveries.delivery import Delivery
    from pipeline.formats.row_judge import RowJudge


@dataclass(frozen=True)
class FeedFormat:
    """One value for each format; all functions are pure except `contents`, which names files for Spark to read."""

    # What the name of a file ends in.
    ending: str
    # True: the bare name is the identity of a delivery and is loaded once; False: its path, changed content is new.
    identity_is_name: bool
    # (the source's own columns, further ones after lineage) as lines of `name TYPE comment`.
    bronze_columns: Callable[[Feed], tuple[str, str]]
    # Driver: bytes -> the delivery, refused or with the facts of its envelope. Last argument: the environment.
    inspect: Callable[[bytes, Delivery, Feed, str], Delivery]
    # Spark: paths of these deliveries -> what is in them, with `reported_path`, the path as Spark names it.
    contents: Callable[[SparkSession, list[str], list[Delivery]], DataFrame]
    # the same with `file_id` in its place -> rows as received, the columns of bronze without batch_id.
    rows: Callable[[DataFrame, Feed, list[Delivery]], DataFrame]
    # bronze -> readings with reason_code (NULL: passed), reason, raw, is_repeated. With many_readings_per_row also
    # `position` in the row, from 0, NULL for a position's second instant; a row without a reading has neither
    # consumption nor reason_code. Where the later instant of a repeated time may be on another local day, that day is
    # `later_date`. Last argument: when the row's delivery was received.
    judged: Callable[[DataFrame, Feed, Column], DataFrame]
    # judged rows of files with repeated local times -> the same rows, each occurrence at its own instant.
    in_order: Callable[[DataFrame, Feed], DataFrame] | None = None
    # Whether one row may hold any number of readings; then each has its own length.
    many_readings_per_row: bool = False
    # The most readings that a row can hold.
    most_readings: int = 1
    # How many bytes other formats need for the readings in one byte of this one: for the size of a session.
    weight: int = 1
    # Whether a row's number is its line in the file.
    rows_are_lines: bool = False
    # Whether its rows say their direction; otherwise all have the feed's.
    carries_direction: bool = False
    # Whether its rows have a quality mark.
    carries_quality: bool = False
    # What executors say of a file's frame where the run is too large for the driver; None: the driver reads each file.
    outline: Outline | None = None
    # Driver: a second, exact inspection of a delivery that gave Spark no rows.
    diagnose: Callable[[bytes, Delivery, Feed], Delivery] | None = None
    # `judged` and `in_order` in Python, for one meter: with it `serve` shows every version that was received.
    row_judge: RowJudge | None = None
    # This format with what depends on the feed's own configuration, for a format that is not the same for every feed.
    configured: Callable[[Feed, FeedFormat], FeedFormat] | None = None

    def of(self, feed: Feed) -> FeedFormat:
        """This format for one feed: with the feed's ending and identity, and what else depends on the feed."""
        form = self.configured(feed, self) if self.configured else self
        by_name = form.identity_is_name if feed.identity is None else feed.identity == "name"
        return replace(form, ending=feed.ending or form.ending, identity_is_name=by_name)


def objection_to_name(file_name: str, ending: str, *, case_matters: bool = True) -> str | None:
    """What is wrong with a file's name, or None; for formats whose file names only need the right ending."""
    given, wanted = (file_name, ending) if case_matters else (file_name.lower(), ending.lower())
    if not given.endswith(wanted):
        return f"the name does not end in {ending}"
    if file_name.startswith("_") or ":" in file_name:
        return "Spark reads no name that begins with '_' or holds ':'; rename it"
    return None
