"""Checks that Python and Java know the same clock changes: the driver uses Python's, Spark uses Java's.

Each has its own copy of the time-zone data. If the versions differ, the offsets of the configured zones are compared,
every eight days from 2000 to 2037, once a session; Spark computes them while planning, without a job.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import TZPATH

from pipeline.clock.zones import zone_info
from pipeline.runtime import session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import SparkSession

    from pipeline.runtime.log import Log

FIRST, STEP = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()), 193 * 3600
SAMPLES = (int(datetime(2038, 1, 1, tzinfo=UTC).timestamp()) - FIRST) // STEP
_compared: set[tuple[int, tuple[str, ...]]] = set()


def compare(spark: SparkSession, zones: Sequence[str], log: Log) -> None:
    """Warn, once a session, of zones whose clock changes differ."""
    regions = tuple(sorted({zone for zone in zones if zone != "UTC" and zone[0] not in "+-"}))
    if not regions or (id(spark), regions) in _compared:
        return
    _compared.add((id(spark), regions))
    python, java = version_of_python(), session.zone_data_version(spark)
    if python == java:
        return
    if differing := [zone for zone, offsets in of_spark(spark, regions).items() if offsets != of_python(zone)]:
        log.warning(
            "Python and Java know different clock changes of these zones: update both to the newest time-zone data",
            zones=differing,
            python=python,
            java=java or "unknown",
        )


def of_python(zone: str) -> list[int]:
    """Seconds that the zone is ahead of UTC, at each sample."""
    info = zone_info(zone)
    moments = (datetime.fromtimestamp(FIRST + n * STEP, info) for n in range(SAMPLES))
    return [int(offset.total_seconds()) for each in moments if (offset := each.utcoffset()) is not None]


def of_spark(spark: SparkSession, zones: Sequence[str]) -> dict[str, list[int]]:
    """Zone -> the same from Spark's Java."""
    at = f"timestamp_seconds({FIRST}L + n * {STEP}L)"
    offset = f"CAST(unix_timestamp(from_utc_timestamp({at}, zone)) - unix_timestamp({at}) AS INT)"
    values = ", ".join(f"('{zone}')" for zone in zones)
    offsets = f"transform(sequence(0L, {SAMPLES - 1}L), n -> {offset}) AS offsets"
    # collect(), because toArrow() would start a job.
    rows = spark.sql(f"SELECT zone, {offsets} FROM VALUES {values} AS t(zone)").collect()  # noqa: S608 - names of zones, as the configuration took them
    return {row["zone"]: list(row["offsets"]) for row in rows}


def version_of_python() -> str:
    """The version of the time-zone data that `zoneinfo` reads: the system's, else the package's."""
    for folder in TZPATH:
        source = Path(folder, "tzdata.zi")
        if source.is_file():
            with source.open() as file:
                return file.readline().removeprefix("# version").strip()
        if Path(folder, "UTC").is_file():
            return f"of {folder}"
    try:
        return metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        return "unknown"
