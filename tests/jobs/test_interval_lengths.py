"""How meters are counted in gold: by rows where no reading of the days is shorter than half an hour."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from jobs import backfill, run
from pipeline.deliveries.span import Span
from pipeline.lake import tables
from pipeline.layers import changed_days
from tests.jobs.conftest import put, rows
from tests.spark.interval_arrays import VILNIUS, parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context


def test_of_a_feed_of_any_length_the_files_of_a_day_say_whether_one_is_shorter_than_half_an_hour(
    lake: Callable[..., Context], tmp_path: Path
) -> None:
    feed = VILNIUS.model_copy(update={"path": "arrays"})
    folder = tmp_path / "arrays"
    folder.mkdir()
    meters = ("m1", "m2")
    put(folder, "a.parquet", parquet(*(("2021-06-01", meter, [1000] * 48) for meter in meters)))
    put(folder, "b.parquet", parquet(*(("2021-06-02", meter, [500] * 96) for meter in meters)))
    run.run(lake(feed))
    context = lake(feed)
    halves, quarters = {feed.name: [date(2021, 6, 1)]}, {feed.name: [date(2021, 6, 2)]}
    assert changed_days.interval_lengths(context) == {feed.name: [changed_days.ANY_LENGTH]}
    assert changed_days.all_last(context, halves, 30)
    assert not changed_days.all_last(context, quarters, 30)
    assert not changed_days.all_last(context, {feed.name: [*halves[feed.name], *quarters[feed.name]]}, 30)
    assert set(rows(context, tables.HALF_HOUR, "meterpoint_count", "total_kwh")) == {(2, Decimal("2.000000"))}
    # Whichever way meters are counted, the days are the same.
    for span in (Span.of("2021-06-01", "2021-06-02"), Span.of("2021-06-02", "2021-06-03")):
        assert span is not None
        backfill.rebuild(lake(feed), "gold", span)
    assert set(rows(context, tables.HALF_HOUR, "meterpoint_count", "total_kwh")) == {(2, Decimal("2.000000"))}
