"""The reference's rows, judged: typed, each with the reason for its refusal, and which of an id's rows counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from pipeline.clock import columns as clock
from pipeline.formats import row_rules

if TYPE_CHECKING:
    import pyarrow as pa

LINEAGE = {"file_id", "row_number", "batch_id"}
# Years from 0001: Python, and so the driver, does not have a year 0.
A_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?"
AN_OFFSET = r" ?(Z|[+-][0-9]{2}(:?[0-9]{2})?)"  # PostgreSQL says hours only where that is enough
A_DATE = rf"\A[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([ T]{A_TIME}({AN_OFFSET})?)?\z"
WITH_OFFSET = rf"[ T]{A_TIME}{AN_OFFSET}\z"
# An id; surrounding blanks and a fraction of zeros (from a floating-point column of another tool) are cut off.
NUMBER = r"\A[ \t\r\n]*([+-]?[0-9]+)(\.0+)?[ \t\r\n]*\z"


def _date(text: Column, zone: str) -> Column:
    """The date of a text: `YYYY-MM-DD`, an instant with an offset (its local day in the zone), or one without.

    NULL for anything else.
    """
    local_day = clock.local_date(text.try_cast("timestamp"), zone)
    day = F.when(text.rlike(WITH_OFFSET), local_day).otherwise(F.substring(text, 1, 10).try_cast("date"))
    return F.when(text.rlike(A_DATE) & ~text.startswith("0000"), day)


def _blank(text: Column) -> Column:
    return F.coalesce(row_rules.is_blank(text), F.lit(True))  # noqa: FBT003 - NULL is blank


def judged_agreements(bronze: DataFrame, zone: str = "UTC") -> DataFrame:
    """Agreement rows, typed, each with the reason for its refusal or NULL; instants become days of the zone."""
    valid_from, valid_to = (_date(F.col(name), zone) for name in ("agreement_valid_from", "agreement_valid_to"))
    open_ended = _blank(F.col("agreement_valid_to"))
    number = F.regexp_extract("agreement_id", NUMBER, 1).try_cast("bigint")
    broken = [
        (number.isNull(), F.lit("agreement_id is missing or no number")),
        (_blank(F.col("meterpoint_id")), F.lit("meterpoint_id is missing")),
        (_blank(F.col("product_id")), F.lit("product_id is missing")),
        (valid_from.isNull(), _bad_date("agreement_valid_from")),
        (~open_ended & valid_to.isNull(), _bad_date("agreement_valid_to")),
    ]
    typed = {"agreement_id": number, "valid_from": valid_from, "valid_to": F.when(~open_ended, valid_to)}
    return _judged(bronze, broken, "meterpoint_id").withColumns(typed)


def judged_products(bronze: DataFrame) -> DataFrame:
    """Product rows, typed, each with the reason for its refusal or NULL."""
    broken = [(_blank(F.col("product_id")), F.lit("product_id is missing"))]
    return _judged(bronze, broken, None).withColumn("is_variable", F.trim("is_variable").try_cast("boolean"))


def judged_meterpoints(bronze: DataFrame) -> DataFrame:
    """Meterpoint rows, each with the reason for its refusal or NULL."""
    broken = [(_blank(F.col("meterpoint_id")), F.lit("meterpoint_id is missing"))]
    return _judged(bronze, broken, "meterpoint_id")


def _last_of_each(judged: DataFrame, key: str) -> DataFrame:
    """Of a snapshot's good rows with one id the last one counts; rows with other content are refused."""
    good = F.col("reason_code").isNull()
    of_id = Window.partitionBy("file_id", key)
    last = F.max_by(F.when(good, F.col("raw")), F.when(good, F.col("row_number"))).over(of_id)
    differs = good & (F.col("raw") != last)
    shown = row_rules.shown(F.col(key).cast("string"))
    said = F.concat(F.lit(f"{key} "), shown, F.lit(" stands twice with different content: the last row counts"))
    marked = judged.withColumn("_differs", differs)
    other = {"reason": said, "reason_code": F.lit("REFERENCE_ROW_INVALID")}
    columns = {name: F.when(F.col("_differs"), value).otherwise(F.col(name)) for name, value in other.items()}
    return marked.withColumns(columns).drop("_differs")


def judged(table: str, bronze: DataFrame, zone: str, *, may_repeat: bool = True) -> DataFrame:
    """Rows of one of the tables, typed, each with the reason for its refusal or NULL; `zone` is the reference's.

    `may_repeat`: an id may stand in several rows (see `repeats`); where none does a sort is saved.
    """
    rows = judged_agreements(bronze, zone) if table == "agreement" else _OTHERS[table](bronze)
    return _last_of_each(rows, KEYS[table]) if may_repeat else rows


def repeats(table: str, rows: pa.Table) -> bool:
    """Whether an id may stand in several rows, of a snapshot in bronze: numbers are compared as numbers."""
    ids = [each.strip(row_rules.BLANKS) for each in rows[KEYS[table]].to_pylist() if each is not None]
    found = [re.sub(r"\A[+-]?0*(?=[0-9])|\.0+\Z", "", each) for each in ids] if table == "agreement" else ids
    return len(set(found)) < len(found)


_OTHERS = {"product": judged_products, "meterpoint": judged_meterpoints}
KEYS = {"agreement": "agreement_id", "product": "product_id", "meterpoint": "meterpoint_id"}


def _bad_date(name: str) -> Column:
    return F.concat(F.lit(f"{name} is no date: "), row_rules.shown(F.col(name)))


def _judged(bronze: DataFrame, broken: list[tuple[Column, Column]], meter: str | None) -> DataFrame:
    reason = F.coalesce(*(F.when(test, said) for test, said in broken))
    return bronze.withColumns(
        {
            "raw": row_rules.to_json(F.struct(*(name for name in bronze.columns if name not in LINEAGE))),
            "meter_id": F.col(meter) if meter else F.lit(None).cast("string"),
            "reason": reason,
            "reason_code": F.when(reason.isNotNull(), F.lit("REFERENCE_ROW_INVALID")),
        }
    )


def current(judged: DataFrame, key: str) -> DataFrame:
    """Rows that passed, one for each key: the last of the snapshot."""
    valid, _ = row_rules.split(judged)
    last = Window.partitionBy(key).orderBy(F.col("row_number").desc())
    return valid.withColumn("rank", F.row_number().over(last)).where("rank = 1").drop("rank")
