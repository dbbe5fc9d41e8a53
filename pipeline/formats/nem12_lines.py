"""NEM12 files, each one text, taken apart into their 300 records by Spark.

Each text is cut at its 300 records, and the last 200 record before a run of them is carried along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.formats.nem12_rows import DETAILS
from pipeline.formats.smrt_envelope import FIELD
from pipeline.spark import F

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from pipeline.config.feeds import Feed
    from pipeline.deliveries.delivery import Delivery

LINE_END = "\r?\n"
BEFORE_A_DAY = LINE_END + r'(?=[ \t]*+"?300)'
AFTER_A_DAY = LINE_END + r'(?=[ \t]*+"?[29]00)'
HOLDS_DETAILS = r'\n[ \t]*+"?200'
ARE_DETAILS = r'\A[ \t]*+"?200'
IS_OF_A_DAY = r'\A[ \t]*+"?[45]00'
WHOLE_LINE = rf"\A(?:{FIELD},)*+{FIELD}\z"
EACH_FIELD = rf"(?:\A|,){FIELD}"
QUALITY = r"\A[A-Za-z][0-9]{0,2}\z"


def rows(contents: DataFrame, feed: Feed, deliveries: list[Delivery]) -> DataFrame:  # noqa: ARG001
    """300 records as text: from one row for each file (`value`, `file_id`) to bronze's columns.

    All with functions of arrays: a window over a file's lines would sort the whole text.
    """
    parts = contents.select("file_id", F.split("value", BEFORE_A_DAY).alias("parts"))
    # A part begins with a 300 record, except for the first one; 200 records stand at the ends of parts.
    last = F.size("parts") - 1
    held = F.filter(F.sequence(F.lit(0), last), lambda n: (n == 0) | F.get("parts", n).rlike(HOLDS_DETAILS))
    sections = F.transform(
        "held",
        lambda n, at: F.struct(
            n.alias("before"),
            _last_details(F.get("parts", n)).alias("details"),
            F.slice("parts", n + 2, F.coalesce(F.get("held", at + 1), last) - n).alias("days"),
        ),
    )
    of_details = parts.withColumn("held", held).select("file_id", F.explode(sections).alias("section"))
    described = of_details.select("file_id", "section.*").withColumn("details", fields_of(F.col("details")))
    days = described.select("file_id", "before", "details", F.posexplode("days").alias("position", "text"))
    return _taken_apart(days)


def _last_details(part: Column) -> Column:
    """The last 200 record of a part, NULL if it has none."""
    return F.try_element_at(F.filter(F.split(part, LINE_END), lambda line: line.rlike(ARE_DETAILS)), F.lit(-1))


def fields_of(line: Column) -> Column:
    """The fields of a line without the blanks around them, NULL if a quote is open or stray."""
    usual = F.transform(F.split(line, ","), lambda field: F.trim(field, F.lit(" \t")))
    quoted = F.transform(F.regexp_extract_all(line, F.lit(EACH_FIELD), F.lit(1)), _unquoted)
    return F.when(~line.contains('"'), usual).when(line.rlike(WHOLE_LINE), quoted)


def _unquoted(field: Column) -> Column:
    inner = F.substring(field, F.lit(2), F.length(field) - 2)
    quoted = F.replace(inner, F.lit('""'), F.lit('"'))
    return F.when(field.startswith('"'), quoted).otherwise(F.rtrim(field, F.lit(" \t")))


def _taken_apart(days: DataFrame) -> DataFrame:
    """Bronze's columns: the values of a day are what stands before the quality method."""
    own = days.withColumn("lines", F.split(F.get(F.split("text", AFTER_A_DAY, 2), F.lit(0)), LINE_END))
    fields = own.withColumn("fields", fields_of(F.get("lines", F.lit(0))))
    after_date = fields.withColumn("after_date", F.slice("fields", 3, F.size("fields")))
    placed = after_date.withColumn(
        "quality_at",
        F.array_position(F.transform("after_date", lambda field: field.rlike(QUALITY)), F.lit(True)),  # noqa: FBT003
    )
    at = F.col("quality_at").cast("int")
    # Without a quality method, the empty fields that a spreadsheet adds are no values.
    filled = F.array_position(F.reverse(F.transform("after_date", lambda field: field != "")), F.lit(True))  # noqa: FBT003
    number = F.when(filled > 0, F.size("after_date") - filled.cast("int") + 1).otherwise(0)
    without_method = F.slice("after_date", 1, number)
    nmi, suffix = F.get("details", F.lit(1)), F.get("details", F.lit(4))
    meter = F.when((nmi != "") & (suffix != ""), F.concat_ws("/", nmi, suffix))
    of_day = F.filter(F.slice("lines", 2, F.size("lines")), lambda line: line.rlike(IS_OF_A_DAY))
    return placed.select(
        meter.alias("meter"),
        *(F.get("details", F.lit(n)).alias(name) for n, name in enumerate(DETAILS, start=1)),
        F.get("fields", F.lit(1)).alias("interval_date"),
        F.when(at > 0, F.slice("after_date", 1, at - 1)).otherwise(without_method).alias("interval_values"),
        F.when(at > 0, F.get("after_date", at - 1)).alias("quality_method"),
        F.when(at > 0, F.slice("after_date", at + 1, F.size("after_date"))).alias("further"),
        F.when(F.size("lines") > 1, of_day).alias("records"),
        "file_id",
        (F.col("before") + F.col("position") + 1).cast("bigint").alias("row_number"),
        F.when(F.col("fields").isNull(), F.get("lines", F.lit(0))).alias("raw"),
    )
