"""What the tests of interval arrays share: files of literal rows, and the readings in judged rows."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.feeds import Feed

VILNIUS = Feed(name="vilnius", format="interval_parquet", path="landing", time_zone="Europe/Vilnius", unit="Wh")
NORMAL, SPRING, AUTUMN = "2021-03-27", "2021-03-28", "2021-10-31"


def numbered(count):
    """1, 2, 3 … as the values of a day."""
    return list(range(1, count + 1))


def parquet(*rows, dates=None, values=None, **options):
    """A file of rows (day, meter, values)."""
    out = io.BytesIO()
    table = pa.table(
        {
            "client_id": pa.array(["c1"] * len(rows)),
            "date": pa.array([row[0] for row in rows], dates or pa.string()),
            "ext_dev_ref": pa.array([row[1] for row in rows]),
            "energy_consumption": pa.array([row[2] for row in rows], values or pa.list_(pa.int64())),
            "resolution": pa.array(["?"] * len(rows)),
        }
    )
    pq.write_table(table, out, **options)
    return out.getvalue()


def short(text):
    return text.removesuffix(":00")


def readings(found):
    """(start, minutes, consumption) of each reading that passed, in order of time."""
    passed = [row for row in found if row["reason_code"] is None and row["consumption"] is not None]
    return sorted((short(row["interval_start"]), row["interval_minutes"], row["consumption"]) for row in passed)
