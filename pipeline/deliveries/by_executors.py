"""Inspection by Spark's executors, where a run holds more bytes than one driver should read.

They hash the files and say what their frames look like (`Outline`). A file that is not plainly sound
for them is read by the driver, as all are in a smaller run, so the verdicts are the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipeline.deliveries import landing
from pipeline.lake.stores import unchecked
from pipeline.runtime.error_messages import one_line
from pipeline.runtime.memory import MB
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pyspark.sql import Column, DataFrame, Row, SparkSession

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery
    from pipeline.runtime.context import Context

# Megabytes that a driver reads itself.
USUAL_LIMIT = 1024
# The files of one job: what is known of so many stays small on the driver.
FILES_OF_A_JOB = 1000
BOM = "\ufeff"
# As a length: to the end.
ALL = 2**31 - 1


@dataclass(frozen=True)
class Outline:
    """How the frame of a format is seen without the driver reading the file."""

    # A file's text without byte order mark -> a struct of small facts. One is `is_plain`: where it is not true the
    # driver reads the file.
    facts: Callable[[Column], Column]
    # Driver: these facts -> the sound delivery, as the format's `inspect` gives it; None where it must look itself.
    # Last argument: the environment.
    verdict: Callable[[Mapping[str, Any], Delivery, Feed, str], Delivery | None]


def should_inspect(size: int, limit: int | None, master: Callable[[], str]) -> bool:
    """Whether a run of so many bytes is theirs: it is above the limit, in megabytes.

    Without one it is if it is large and they are not on the driver's own machine, where they would only cost: seven
    times its CPU seconds (docs/performance.md).
    """
    if limit is not None:
        return size > limit * MB
    return size > USUAL_LIMIT * MB and not re.match(r"local(\[|$)", master())


def inspect(
    context: Context,
    found: Sequence[Delivery],
    feed: Feed,
    look: Callable[[bytes, Delivery, Feed, str], Delivery],
    outline: Outline,
) -> list[Delivery]:
    """As landing.inspect: each file hashed, and its frame checked; `look` and `outline` are the format's."""
    from pipeline.runtime import session  # noqa: PLC0415 - formats name their outlines where no Spark is needed

    environment = context.settings.environment
    sound: dict[int, Delivery] = {}
    encoding = session.file_name_encoding(context.spark)
    readable = [n for n, each in enumerate(landing.nameable(encoding, list(found), feed)) if not each.reason_code]
    for start in range(0, len(readable), FILES_OF_A_JOB):
        places = readable[start : start + FILES_OF_A_JOB]
        for row in _outlines(context, [replace(found[n], file_id=n) for n in places], feed, outline):
            place = row["file_id"]
            hashed = replace(found[place], sha256=row["sha256"], size_bytes=row["size_bytes"])
            if row["is_plain"] and (judged := outline.verdict(row.asDict(), hashed, feed, environment)):
                sound[place] = judged
    context.log.info("inspected", feed=feed.name, by_executors=len(sound), by_the_driver=len(found) - len(sound))
    others = iter(landing.inspect([each for n, each in enumerate(found) if n not in sound], feed, look, environment))
    return [sound[n] if n in sound else next(others) for n in range(len(found))]


def outlined(contents: DataFrame, outline: Outline) -> DataFrame:
    """A row for each file: `file_id`, `sha256`, `size_bytes` and the facts; from `file_id` and `content`, its bytes."""
    text = F.col("content").cast("string")
    text = F.when(F.is_valid_utf8(text), F.when(text.startswith(BOM), F.substring(text, 2, ALL)).otherwise(text))
    hashed = contents.select(
        "file_id", F.sha2("content", 256).alias("sha256"), F.length("content").alias("size_bytes"), text.alias("text")
    )
    with_facts = hashed.select("file_id", "sha256", "size_bytes", once(F.col("text"), outline.facts).alias("facts"))
    return with_facts.select("file_id", "sha256", "size_bytes", "facts.*")


def once(value: Column, make: Callable[[Column], Column]) -> Column:
    """What is made of a value, which is computed once: otherwise it is computed wherever it is used."""
    return F.transform(F.array(value), make)[0]


def _outlines(context: Context, files: list[Delivery], feed: Feed, outline: Outline) -> list[Row]:
    """The outlines of the files; [] where Spark cannot read one of them."""
    from pipeline.runtime.spark_errors import SPARK_ERRORS  # noqa: PLC0415

    try:
        return outlined(landing.contents_with_file_id(context.spark, _contents, files, feed), outline).collect()
    except SPARK_ERRORS as problem:  # a file went, or cannot be read: the driver says which, and why
        reason = one_line(problem)
        context.log.warning("the driver inspects the files of a job that failed", feed=feed.name, reason=reason)
        return []


def _contents(spark: SparkSession, paths: list[str], deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """The bytes of each file, and its path as Spark names it."""
    files = spark.read.format("binaryFile").options(**unchecked(paths)).load(paths)
    return files.select("content", F.col("_metadata.file_path").alias("reported_path"))
