"""A region whose clocks have stood still since 1970 has no month to look for a change in."""

from __future__ import annotations

from pyspark.sql import functions as F

from pipeline.clock import columns as clock
from pipeline.clock import zones


def test_a_zone_whose_clocks_never_changed_has_neither_gaps_nor_repeats(spark):
    assert zones.months_of_changes("Asia/Kolkata") == ()
    local = F.col("text").cast("timestamp")
    start = clock.instant(local, "Asia/Kolkata")
    (found,) = (
        spark.sql("SELECT '2021-03-28 01:30:00' AS text")
        .select(
            start.cast("string"),
            clock.is_nonexistent(local, start, "Asia/Kolkata"),
            clock.later_instant(local, start, "Asia/Kolkata").cast("string"),
        )
        .collect()
    )
    assert tuple(found) == ("2021-03-27 20:00:00", False, None)
