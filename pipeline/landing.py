"""Landing folders: which files lie there, what is in them, and how Spark is told to read them."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import fs

from pipeline.errors import LandingFolderError
from pipeline.ingestion_log import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyspark.sql import DataFrame, SparkSession

    from pipeline.config import Feed

UNFINISHED = (".tmp", ".part")
# Hashing runs beside the start of the JVM and is bound by reading; more threads only hold more files in memory.
READERS = 2


def _open(path: str) -> tuple[fs.FileSystem, str]:
    """File system of a folder or URI, and the folder's path in it."""
    if "://" in path:
        system, inside = fs.FileSystem.from_uri(path)
        return system, inside
    return fs.LocalFileSystem(), str(Path(path).absolute())


def find(feed: Feed) -> list[Delivery]:
    """The files below the feed's folder, at any depth, in order of their paths; hidden and unfinished ones left out."""
    system, folder = _open(feed.path)
    try:
        if system.get_file_info(folder).type != fs.FileType.Directory:
            raise LandingFolderError(feed.name, feed.path, "does not exist: create it, or correct the feed's path")
        entries = list(_local_files(folder) if "://" not in feed.path else _remote_files(system, folder))
    except OSError as problem:
        raise LandingFolderError(feed.name, feed.path, f"cannot be listed: {problem}") from None
    found = []
    for relative, size, modified in entries:
        parts = relative.split("/")
        if any(part.startswith(".") for part in parts) or relative.endswith(UNFINISHED):
            continue
        path = feed.path.rstrip("/") + "/" + relative
        found.append(Delivery(feed.name, parts[-1], path, relative, size, modified))
    return sorted(found, key=lambda delivery: delivery.relative_path)


def _remote_files(system: fs.FileSystem, folder: str) -> Iterator[tuple[str, int | None, datetime | None]]:
    for info in system.get_file_info(fs.FileSelector(folder, recursive=True)):
        if info.type != fs.FileType.Directory:
            yield info.path[len(folder) :].lstrip("/"), info.size, _instant(info.mtime_ns or 0)


def _local_files(folder: str) -> Iterator[tuple[str, int | None, datetime | None]]:
    r"""Relative path, size and time; size and time are None for what is no file that can be read.

    Not pyarrow's listing, which leaves out links that lead nowhere and ends at a name that is not UTF-8. Such a name
    is given with its odd bytes as `\xff`, under which it is refused.
    """
    unlisted: list[OSError] = []
    for parent, _, names in os.walk(folder, onerror=unlisted.append):
        for name in names:
            path = os.path.join(parent, name)  # noqa: PTH118 - a name may hold bytes that Path would have to encode
            relative = os.path.relpath(path, folder).encode("utf-8", "backslashreplace").decode()
            try:
                entry = os.stat(path)  # noqa: PTH116
            except OSError:
                yield relative, None, None
                continue
            regular = stat.S_ISREG(entry.st_mode)
            yield (relative, entry.st_size, _instant(entry.st_mtime_ns)) if regular else (relative, None, None)
    for problem in unlisted:
        yield os.path.relpath(str(problem.filename), folder), None, None


def _instant(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=nanoseconds // 1000)


def settled(found: Iterable[Delivery], feed: Feed, now: datetime) -> tuple[list[Delivery], list[Delivery]]:
    """(ready, still being written): changed within the feed's settle_seconds."""
    ready: list[Delivery] = []
    waiting: list[Delivery] = []
    for delivery in found:
        # A time in the future is a wrong clock, not a file in the making.
        age = abs(now - delivery.modified_at) if delivery.modified_at else timedelta.max
        young = age < timedelta(seconds=feed.settle_seconds)
        (waiting if young else ready).append(delivery)
    return ready, waiting


def read(delivery: Delivery, feed: Feed) -> bytes:
    """The delivery's bytes."""
    system, folder = _open(feed.path)
    with system.open_input_stream(f"{folder}/{delivery.relative_path}", compression=None) as stream:
        content: bytes = stream.read()
    return content


def inspect(
    found: list[Delivery],
    feed: Feed,
    look: Callable[[bytes, Delivery, Feed, str], Delivery],
    environment: str,
) -> list[Delivery]:
    """Each file read once: hashed, and its envelope looked at by the format's `look`."""

    def one(delivery: Delivery) -> Delivery:
        if delivery.size_bytes is None:
            return delivery.refused(
                "UNREADABLE", "not a file that can be read (a broken link, a pipe, a closed folder)"
            )
        try:
            content = read(delivery, feed)
        except OSError as problem:
            return delivery.refused("UNREADABLE", f"cannot be read: {problem.strerror or problem}")
        digest = hashlib.sha256(content).hexdigest()
        return look(content, replace(delivery, sha256=digest, size_bytes=len(content)), feed, environment)

    with ThreadPoolExecutor(READERS) as readers:
        return list(readers.map(one, found))


def changed_since(deliveries: list[Delivery], feed: Feed) -> list[Delivery]:
    """Those whose size or time is no longer what it was when they were hashed."""
    system, folder = _open(feed.path)
    infos = system.get_file_info([f"{folder}/{delivery.relative_path}" for delivery in deliveries])
    then = [(delivery.size_bytes, delivery.modified_at) for delivery in deliveries]
    now = [(info.size, _instant(info.mtime_ns or 0)) for info in infos]
    return [delivery for delivery, a, b in zip(deliveries, then, now, strict=True) if a != b]


def spark_path(delivery: Delivery, feed: Feed) -> str:
    """The file's path as Spark reports it, undecoded: `file:/folder/name` for a local one."""
    if "://" in feed.path:
        return delivery.file_path
    return "file:" + str(Path(feed.path).absolute() / delivery.relative_path)


def contents_with_file_id(
    spark: SparkSession,
    contents: Callable[[SparkSession, list[str], list[Delivery]], DataFrame],
    deliveries: list[Delivery],
    feed: Feed,
) -> DataFrame:
    """What is in the files, as the format reads them, with the `file_id` of their delivery.

    Spark takes paths for patterns (so they are escaped) and reports them URL-encoded (so they are decoded). A file
    whose number is not found would turn every value of its rows to NULL further on: it ends the job instead.
    """
    from pyspark.sql import functions as F  # noqa: PLC0415 - a run with nothing new needs no Spark

    paths = [spark_path(delivery, feed) for delivery in deliveries]
    escaped = [re.sub(r"([\[\]{}*?\\])", r"\\\1", path) for path in paths]
    files = contents(spark, escaped, deliveries)
    reported = F.try_url_decode(F.replace(F.col("reported_path"), F.lit("+"), F.lit("%2B")))
    # As Arrow it is a local relation; from a Python list it would cost a Python worker's start.
    ids = [delivery.file_id for delivery in deliveries]
    numbers = spark.createDataFrame(pa.table({"delivery_path": paths, "known_id": pa.array(ids, pa.int64())}))
    unknown = F.raise_error(F.concat(F.lit("Spark read a file that was not asked for: "), F.col("reported_path")))
    return (
        files.withColumn("reported_path", reported)
        .join(F.broadcast(numbers), F.col("reported_path") == F.col("delivery_path"), "left")
        .withColumn("file_id", F.coalesce("known_id", unknown.cast("bigint")))
        .drop("reported_path", "delivery_path", "known_id")
    )
