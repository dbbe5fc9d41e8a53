"""Conditions on feeds and local days, which the large tables are partitioned by: literals, so that they prune."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.clock.zones import day_texts
from pipeline.spark import F

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from pyspark.sql import Column


def on_days(days: Mapping[str, Sequence[date]], prefix: str = "", day: str = "local_date") -> Column:
    """Whether a row is on one of its feed's days, in literals that prune partitions."""
    return F.expr(days_text(days, prefix, day))


def days_text(days: Mapping[str, Sequence[date]], prefix: str = "", day: str = "local_date") -> str:
    """The same as SQL. The configuration checks feed names; nothing from a delivery is in this text."""
    parts = [
        f"({prefix}feed = '{feed}' AND {prefix}{day} IN ({day_texts(some)}))"
        for feed, some in sorted(days.items())
        if some
    ]
    return " OR ".join(parts) or "false"
