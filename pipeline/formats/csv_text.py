"""Delimited text as bronze's rows, by Spark; csv_cells.py finds records and cells."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.formats import csv_bronze, csv_cells
from pipeline.formats.csv_cells import ALL, Facts, others_of, places_of, with_texts
from pipeline.formats.csv_document import Frame, csv_of, meter_in_path
from pipeline.formats.csv_frame import BOM
from pipeline.lake.stores import unchecked
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

    from pipeline.config.csv_columns import Csv
    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

# Spark decodes these; cp1252 differs from latin-1 in its control characters.
CHARSETS = {"latin-1": "ISO-8859-1", "cp1252": "ISO-8859-1", "utf-16-le": "UTF-16LE", "utf-16-be": "UTF-16BE"}
_CONTROLS = [bytes([n]) for n in range(0x80, 0xA0) if n not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}]
CONTROLS = b"".join(_CONTROLS).decode("latin-1"), b"".join(_CONTROLS).decode("cp1252")
FRAMES = pa.schema(
    [
        ("frame_of", pa.int64()),
        ("lines_before", pa.int32()),
        ("width", pa.int32()),
        ("least", pa.int32()),
        ("has_quotes", pa.bool_()),
        ("is_quoted", pa.bool_()),
        ("has_blank_rows", pa.bool_()),
        ("places", pa.list_(pa.int32())),
        ("positions", pa.list_(pa.int32())),
        ("others", pa.list_(pa.int32())),
        ("other_names", pa.list_(pa.string())),
    ]
)


def frame_of(delivery: Delivery) -> Frame:
    """What the driver found around the delivery's rows."""
    if not isinstance(delivery.frame, Frame):
        raise TypeError(delivery.relative_path)  # `inspect` gave it one
    return delivery.frame


def contents(spark: SparkSession, paths: list[str], deliveries: list[Delivery]) -> DataFrame:
    """One row for each file: `value`, the whole text."""
    paths_of: dict[str, list[str]] = {}
    for path, delivery in zip(paths, deliveries, strict=True):
        paths_of.setdefault(frame_of(delivery).encoding, []).append(path)
    parts = [_texts(spark, encoding, some) for encoding, some in sorted(paths_of.items())]
    files = reduce(lambda one, other: one.unionByName(other), parts)
    value = F.col("value")
    return files.withColumn("value", F.when(value.startswith(BOM), F.substring(value, 2, ALL)).otherwise(value))


def _texts(spark: SparkSession, encoding: str, paths: list[str]) -> DataFrame:
    reported = F.col("_metadata.file_path").alias("reported_path")
    if encoding == "utf-8":
        return spark.read.options(**unchecked(paths)).text(paths, wholetext=True).select("value", reported)
    text = F.decode("content", CHARSETS[encoding])
    if encoding == "cp1252":
        text = F.translate(text, *CONTROLS)
    files = spark.read.format("binaryFile").options(**unchecked(paths)).load(paths)
    return files.select(text.alias("value"), reported)


def rows(contents: DataFrame, feed: Feed, deliveries: list[Delivery]) -> DataFrame:
    """Rows as received: from one row for each file (`value`, `file_id`) to bronze's columns."""
    said = csv_of(feed)
    frames = {delivery.file_id: frame_of(delivery) for delivery in deliveries}
    # The encoding is done with; files that differ in nothing else are read alike.
    kinds = {replace(frame, encoding="") for frame in frames.values()}
    facts = Facts(next(iter(kinds)) if len(kinds) == 1 else None, said.columns)
    if facts.frame is None:
        known = contents.sparkSession.createDataFrame(_table(frames, said))
        contents = contents.join(F.broadcast(known), F.col("file_id") == F.col("frame_of"))
    if said.meter is None:
        contents = _with_meter(contents, said, deliveries)
    kept = [name for name in contents.columns if name != "value"]
    exploded = contents.select(*kept, F.posexplode(csv_cells.lines(facts, said)).alias("position", "line"))
    split = exploded.where("line <> ''").withColumn("cells", csv_cells.cells(facts, said))
    named = csv_bronze.names(said)
    places = {f"_cell{n}": facts.place(n) for n, _ in enumerate(said.columns)}
    others = [] if facts.frame is None else others_of(facts.frame, said)
    texts = with_texts(split, places | {f"_other{n}": F.lit(n) for n in others}, facts)
    whole = texts.withColumn("_whole", csv_cells.is_whole(facts, said))
    return whole.select(
        *([] if said.meter else [F.col(csv_bronze.METER)]),
        *(F.col(cell).alias(named[column]) for cell, column in zip(places, said.columns, strict=True)),
        *_arrays(facts, said),
        "file_id",
        (F.col("position") + 1).cast("bigint").alias("row_number"),
        F.when(F.col("_whole"), _extra(facts, others, any(others_of(frame, said) for frame in kinds))).alias("extra"),
        F.when(~F.col("_whole"), F.rtrim("line", F.lit("\r\n"))).alias("raw"),
    )


def _table(frames: dict[int, Frame], said: Csv) -> pa.Table:
    found = [
        {
            "frame_of": file_id,
            "places": places_of(frame, said.columns),
            "positions": frame.positions,
            "others": others_of(frame, said),
            "other_names": [frame.names[place] for place in others_of(frame, said)],
        }
        | {name: getattr(frame, name) for name in FRAMES.names[1:7]}
        for file_id, frame in frames.items()
    ]
    return pa.Table.from_pylist(found, FRAMES)


def _with_meter(contents: DataFrame, said: Csv, deliveries: list[Delivery]) -> DataFrame:
    if said.meter_id is not None:
        return contents.withColumn(csv_bronze.METER, F.lit(said.meter_id))
    table = pa.table(
        {
            "meter_of": pa.array([each.file_id for each in deliveries], pa.int64()),
            csv_bronze.METER: pa.array([meter_in_path(each, said) for each in deliveries], pa.string()),
        }
    )
    known = contents.sparkSession.createDataFrame(table)
    return contents.join(F.broadcast(known), F.col("file_id") == F.col("meter_of"))


def _arrays(facts: Facts, said: Csv) -> list[Column]:
    """The values of a wide row, and the qualities beside them; NULL where the file has no such column."""
    if not said.is_wide:
        return []
    positions = F.col("positions") if facts.frame is None else F.lit(list(facts.frame.positions)).cast("array<int>")
    found = {csv_bronze.VALUES: 0} | ({csv_bronze.QUALITIES: 1} if said.quality_beside else {})

    def fields(beside: int) -> Column:
        return F.transform(positions, lambda place: F.when(place >= 0, F.get("cells", place + beside)))

    return [csv_cells.texts(fields(beside), facts).alias(name) for name, beside in found.items()]


def _extra(facts: Facts, others: list[int], any_has_others: bool) -> Column:  # noqa: FBT001 - of one call
    """Further columns by name; NULL if no file has any, because a map costs as much as everything else of a row."""
    if not any_has_others:
        return F.lit(None).cast("map<string,string>")
    if facts.frame is not None:
        names = facts.frame.names
        return F.create_map(*(each for n in others for each in (F.lit(names[n]), F.col(f"_other{n}"))))
    fields = F.transform("others", lambda place: F.get("cells", place))
    return F.when(F.size("others") > 0, F.map_from_arrays("other_names", csv_cells.texts(fields, facts)))
