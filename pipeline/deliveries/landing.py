"""Landing folders: which files are there, what is in them, and how Spark reads them."""

from __future__ import annotations

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import fs

from pipeline.deliveries import local_files
from pipeline.deliveries.delivery import Delivery
from pipeline.deliveries.local_files import Entries
from pipeline.deliveries.store_files import listed as _remote_files
from pipeline.errors import LandingFolderError
from pipeline.lake import stores
from pipeline.runtime import jvm_names, memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from pyspark.sql import DataFrame, SparkSession

    from pipeline.config.feeds import Feed

UNFINISHED = (".tmp", ".part")
# What Spark and Hadoop leave beside the files of an output folder.
SIDECARS = re.compile(r"_SUCCESS|_(?:committed|started)_.*|.*\.crc", re.DOTALL)
UNCOMMITTED = "_temporary"
# A time further ahead than this is not a slightly wrong clock: it does not say when the file was written.
WRONG_CLOCK = timedelta(hours=1)
# Hashing runs while the JVM starts and is limited by reading; more threads would only hold more files in memory.
READERS = 2


@dataclass(frozen=True)
class Listing:
    """What lies below a feed's folder, in the order of paths; deliveries are made only of entries that are needed."""

    feed: Feed
    entries: Entries

    @property
    def paths(self) -> list[str]:
        """Below the feed's folder."""
        return self.entries.paths

    def delivery(self, place: int) -> Delivery:
        """The entry at that place, found and not looked at yet."""
        path, seen = self.paths[place], self.entries.seen(place)
        whole = self.feed.path.rstrip("/") + "/" + path
        delivery = Delivery(self.feed.name, path.rpartition("/")[2], whole, path, seen.size, seen.modified)
        objection = seen.objection or memory.too_large(seen.size)
        return delivery.refused("UNREADABLE", objection) if objection else delivery


def find(feed: Feed) -> list[Delivery]:
    """The files below the feed's folder, at any depth, in order of their paths; see `listed`."""
    found = listed(feed)
    return [found.delivery(place) for place in range(len(found.paths))]


def listed(feed: Feed, since: date | None = None) -> Listing:
    """The files below the feed's folder, at any depth; `since`: not in folders whose names are of days before.

    Hidden and unfinished files are left out, and so is what Spark leaves beside its output.
    """
    try:
        system, folder = stores.opened(feed.path)
        # A store has no folders: a missing one is one that nothing has come to yet.
        if not stores.is_remote(feed.path) and system.get_file_info(folder).type != fs.FileType.Directory:
            raise LandingFolderError(feed.name, feed.path, "does not exist: create it, or correct the feed's path")
        is_local = not stores.is_remote(feed.path)
        entries = local_files.listed(folder, since) if is_local else Entries(_remote_files(system, folder, since))
    except OSError as problem:
        raise LandingFolderError(feed.name, feed.path, f"cannot be listed: {problem}") from None
    return Listing(feed, entries.in_order(_is_delivery))


def at(feed: Feed, relative_path: str) -> Delivery | None:
    """The file at that path below the feed's folder, found and not looked at yet; None where there is none."""
    system, folder = stores.opened(feed.path)
    path = stores.inside(folder, relative_path)
    if not stores.is_remote(feed.path):
        seen = local_files.seen(path, folder) if os.path.lexists(path) else None
    else:
        info = system.get_file_info(path)
        seen = None if info.type == fs.FileType.NotFound else local_files.Seen(info.size, (info.mtime_ns or 0) // 1000)
    return None if seen is None else Listing(feed, Entries([(relative_path, seen)])).delivery(0)


def _is_delivery(relative: str) -> bool:
    if relative.endswith(UNFINISHED) or relative.startswith(".") or "/." in relative:
        return False
    # The pattern is tried only where it can fit: there may be hundreds of thousands of files.
    name = relative.rpartition("/")[2]
    if name.startswith("_") or name.endswith(".crc"):
        return not SIDECARS.fullmatch(name) and UNCOMMITTED not in relative.split("/")
    return UNCOMMITTED not in relative or UNCOMMITTED not in relative.split("/")


def settled(found: Iterable[Delivery], feed: Feed, now: datetime) -> tuple[list[Delivery], list[Delivery]]:
    """(ready, still being written): the latter changed within the feed's settle_seconds before `now`.

    A time ahead of `now` comes from a server whose clock is fast: such a file waits until it is old enough by our
    clock. One that is further ahead than WRONG_CLOCK would wait for ever, so it is loaded.
    """
    ready: list[Delivery] = []
    waiting: list[Delivery] = []
    for delivery in found:
        age = now - delivery.modified_at if delivery.modified_at else timedelta.max
        young = feed.settle_seconds > 0 and -WRONG_CLOCK <= age < timedelta(seconds=feed.settle_seconds)
        (waiting if young else ready).append(delivery)
    return ready, waiting


def read(delivery: Delivery, feed: Feed) -> bytes:
    """The delivery's bytes."""
    system, folder = stores.opened(feed.path)
    if not stores.is_remote(feed.path) and (
        objection := local_files.seen(stores.inside(folder, delivery.relative_path), folder).objection
    ):
        raise PermissionError(objection)
    with system.open_input_stream(stores.inside(folder, delivery.relative_path), compression=None) as stream:
        content: bytes = stream.read()
    return content


def inspect(
    found: list[Delivery],
    feed: Feed,
    look: Callable[[bytes, Delivery, Feed, str], Delivery],
    environment: str,
) -> list[Delivery]:
    """Read each file once: hash it, and check its envelope with the format's `look`."""

    def one(delivery: Delivery) -> Delivery:
        if delivery.reason_code:
            return delivery
        try:
            content = read(delivery, feed)
        except OSError as problem:
            return delivery.refused("UNREADABLE", f"cannot be read: {problem.strerror or problem}")
        digest = hashlib.sha256(content).hexdigest()
        return look(content, replace(delivery, sha256=digest, size_bytes=len(content)), feed, environment)

    with ThreadPoolExecutor(READERS) as readers:
        return list(readers.map(one, found))


def changed_since(deliveries: list[Delivery], feed: Feed) -> list[Delivery]:
    """Those whose size or time changed since they were hashed, and those that are gone.

    In a store, times are compared to the second: Google's listings have milliseconds, an object's own headers none.
    """
    system, folder = stores.opened(feed.path)
    paths = [stores.inside(folder, delivery.relative_path) for delivery in deliveries]
    then = [local_files.Seen(each.size_bytes, local_files.moment(each.modified_at)) for each in deliveries]
    if stores.is_remote(feed.path):
        now = [local_files.Seen(info.size, (info.mtime_ns or 0) // 1000) for info in system.get_file_info(paths)]
        then, now = ([seen.to_the_second() for seen in each] for each in (then, now))
    else:
        now = [local_files.seen(path, folder) for path in paths]
    return [delivery for delivery, a, b in zip(deliveries, then, now, strict=True) if a != b]


def spark_path(delivery: Delivery, feed: Feed) -> str:
    """The file's path as Spark reports it, undecoded."""
    if stores.is_remote(feed.path):
        return delivery.file_path
    return stores.spark_name(str(Path(feed.path) / delivery.relative_path))


def nameable(encoding: str | None, inspected: list[Delivery], feed: Feed) -> list[Delivery]:
    """The deliveries; those whose paths the JVM cannot express are refused without a hash, so they are tried again.

    `encoding` is that of its file names, None if it is not known.
    """
    objection = jvm_names.objection(encoding)

    def is_unnameable(delivery: Delivery) -> bool:
        name = spark_path(delivery, feed)
        return name.startswith("file:") and not name.isascii()

    return [
        replace(each, sha256=None).refused("UNREADABLE", objection)
        if objection and not each.reason_code and is_unnameable(each)
        else each
        for each in inspected
    ]


def is_whole_for_spark(spark: SparkSession, delivery: Delivery, feed: Feed) -> bool:
    """Whether Spark reads the same bytes that were hashed; False if Spark cannot work at all."""
    from pyspark.sql import functions as F  # noqa: PLC0415 - a run with nothing new needs no Spark

    from pipeline.runtime.spark_errors import SPARK_ERRORS  # noqa: PLC0415

    try:
        path = stores.as_pattern(spark_path(delivery, feed))
        files = spark.read.format("binaryFile").options(**stores.unchecked([path])).load(path)
        return [row[0] for row in files.select(F.sha2("content", 256)).collect()] == [delivery.sha256]
    except SPARK_ERRORS:
        return False


def contents_with_file_id(
    spark: SparkSession,
    contents: Callable[[SparkSession, list[str], list[Delivery]], DataFrame],
    deliveries: list[Delivery],
    feed: Feed,
) -> DataFrame:
    """The content of the files, as the format reads them, with the `file_id` of their delivery.

    Spark treats paths as patterns (so they are escaped) and reports them URL-encoded (so they are decoded). A path
    without a known number ends the job; otherwise every value of its rows would become NULL later.
    """
    from pyspark.sql import functions as F  # noqa: PLC0415 - a run with nothing new needs no Spark

    paths = [spark_path(delivery, feed) for delivery in deliveries]
    files = contents(spark, [stores.as_pattern(path) for path in paths], deliveries)
    reported = F.try_url_decode(F.replace(F.col("reported_path"), F.lit("+"), F.lit("%2B")))
    # From Arrow it is a local relation; a Python list would start a Python worker.
    ids = [delivery.file_id for delivery in deliveries]
    numbers = spark.createDataFrame(pa.table({"delivery_path": paths, "known_id": pa.array(ids, pa.int64())}))
    unknown = F.raise_error(F.concat(F.lit("Spark read a file that was not asked for: "), F.col("reported_path")))
    return (
        files.withColumn("reported_path", reported)
        .join(F.broadcast(numbers), F.col("reported_path") == F.col("delivery_path"), "left")
        .withColumn("file_id", F.coalesce("known_id", unknown.cast("bigint")))
        .drop("reported_path", "delivery_path", "known_id")
    )
