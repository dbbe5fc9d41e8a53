"""A file that the driver can read and Spark cannot is refused by itself; the others of its batch load."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from jobs import run
from pipeline.deliveries import landing
from tests.jobs.conftest import log, put
from tests.spark.interval_arrays import NORMAL, VILNIUS, parquet

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

ARRAYS = VILNIUS.model_copy(update={"path": "arrays"})
# In the footer: of a dictionary page (04) in the plain encoding (00) there is one (02). No encoding has the number 7e.
PAGES, PAGES_OF_NO_ENCODING = b"\x15\x04\x15\x00\x15\x02\x00", b"\x15\x04\x15\x7e\x15\x02\x00"


def test_a_parquet_file_that_only_spark_cannot_read_is_refused_and_the_others_load(
    lake: Callable[..., Context], tmp_path: Path
) -> None:
    context = lake(ARRAYS)
    sound = parquet((NORMAL, "m", [1]))
    assert PAGES in sound
    for n in range(4):
        put(tmp_path / "arrays", f"{n}.parquet", sound.replace(PAGES, PAGES_OF_NO_ENCODING) if n == 2 else sound)
    batch = run.run(context).batch
    assert log(context) == [
        ("0.parquet", "loaded", None),
        ("1.parquet", "loaded", None),
        ("2.parquet", "rejected", "UNREADABLE"),
        ("3.parquet", "loaded", None),
    ]
    assert [each.rows_read for each in batch.deliveries] == [1, 1, 0, 1]


def test_a_delivery_is_blamed_only_if_spark_can_get_its_bytes(lake: Callable[..., Context], tmp_path: Path) -> None:
    context = lake(ARRAYS)
    put(tmp_path / "arrays", "a [1].parquet", parquet((NORMAL, "m", [1])))
    (delivery,) = run.run(context).deliveries
    feed = context.settings.feeds[0]
    assert landing.is_whole_for_spark(context.spark, delivery, feed)
    assert not landing.is_whole_for_spark(context.spark, replace(delivery, sha256="0" * 64), feed)
    (tmp_path / "arrays" / "a [1].parquet").unlink()
    assert not landing.is_whole_for_spark(context.spark, delivery, feed)
