# ruff: noqa: S608 - names of feeds and zones are checked by the configuration; nothing of a delivery is in these texts
"""Views for analysts: longer grains, the load profile, and stable names for dashboards. Text only; no Spark.

Hours follow the local clock, days and longer are local days. All energy in kWh.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.config.settings import Settings

TABLE = re.compile(r"\b(?:silver|gold)\.[a-z_]+")
KWH = (
    "CASE WHEN unit = 'Wh' THEN CAST(ROUND(CAST(consumption AS DECIMAL(28,9)) / 1000, 6) AS DECIMAL(18,6)) "
    "ELSE consumption END"
)
SUMMED = "CAST(SUM({}) AS DECIMAL(28,6))"


@dataclass(frozen=True)
class View:
    """A view: `layer.name`, what one row is, and its SELECT over tables and views named `layer.table`."""

    name: str
    comment: str
    query: str

    @property
    def uses(self) -> list[str]:
        """The tables and views it reads."""
        return sorted(set(TABLE.findall(self.query)))


def _by_meter(name: str, unit: str) -> View:
    return View(
        f"gold.meter_{name}",
        f"Energy of a meter in a local {name}, and how many of its intervals are there",
        f"""SELECT feed, meter_id, direction, CAST(TRUNC(local_date, '{unit}') AS DATE) AS {name}_start,
            {SUMMED.format("consumption")} AS total_kwh, COUNT(*) AS days_with_readings,
            SUM(intervals_received) AS intervals_received, SUM(intervals_expected) AS intervals_expected
        FROM gold.meter_day GROUP BY ALL""",
    )


def _by_feed(name: str, unit: str) -> View:
    return View(
        f"gold.feed_{name}",
        f"Energy of all meters of a feed in a local {name}",
        f"""SELECT feed, direction, CAST(TRUNC(local_date, '{unit}') AS DATE) AS {name}_start,
            COUNT(DISTINCT meter_id) AS meterpoint_count, {SUMMED.format("consumption")} AS total_kwh
        FROM gold.meter_day GROUP BY ALL""",
    )


def all_views(settings: Settings) -> tuple[View, ...]:
    """Every view of a lake; views with local times contain the zones of its feeds."""
    zone = "CASE feed " + " ".join(f"WHEN '{f.name}' THEN '{f.time_zone}'" for f in settings.feeds) + " ELSE 'UTC' END"
    local = f"FROM_UTC_TIMESTAMP(interval_start, {zone})"
    return (
        View(
            "gold.aggregate_per_half_hour",
            "The same as gold.total_consumption_half_hour, under the name that dashboards use",
            "SELECT * FROM gold.total_consumption_half_hour",
        ),
        View(
            "gold.meter_hour",
            "Energy of a meter in an hour of the local clock; readings of an hour or less",
            f"""SELECT feed, meter_id, direction,
                interval_start - MAKE_DT_INTERVAL(0, 0, MINUTE({local}), SECOND({local})) AS hour_start,
                local_date, {SUMMED.format(KWH)} AS total_kwh, COUNT(*) AS readings
            FROM silver.readings WHERE interval_minutes <= 60 GROUP BY ALL""",
        ),
        _by_meter("month", "MONTH"),
        _by_meter("year", "YEAR"),
        View(
            "gold.feed_hour",
            "Energy of all meters of a feed in an hour of the local clock; readings of an hour or less",
            f"""SELECT feed, direction, hour_start, local_date, COUNT(*) AS meterpoint_count,
                {SUMMED.format("total_kwh")} AS total_kwh
            FROM gold.meter_hour GROUP BY ALL""",
        ),
        View(
            "gold.feed_day",
            "Energy of all meters of a feed on a local day, and how many of their intervals are there",
            f"""SELECT feed, direction, local_date, COUNT(*) AS meterpoint_count,
                {SUMMED.format("consumption")} AS total_kwh,
                SUM(intervals_received) AS intervals_received, SUM(intervals_expected) AS intervals_expected
            FROM gold.meter_day GROUP BY ALL""",
        ),
        _by_feed("month", "MONTH"),
        _by_feed("year", "YEAR"),
        View(
            "gold.load_profile",
            "The usual half hour: by weekday (1 is Monday) and local clock time, over all days and meters of a feed",
            f"""SELECT feed, direction, WEEKDAY(local_date) + 1 AS weekday, DATE_FORMAT({local}, 'HH:mm') AS half_hour,
                COUNT(DISTINCT local_date) AS days, {SUMMED.format("total_kwh")} AS total_kwh,
                CAST(SUM(total_kwh) / SUM(meterpoint_count) AS DECIMAL(18,6)) AS avg_kwh_per_meter
            FROM gold.total_consumption_half_hour GROUP BY ALL""",
        ),
    )


def addressed(query: str, address: Callable[[str], str]) -> str:
    """The query with every `layer.table` replaced by its `address`."""
    return TABLE.sub(lambda found: address(found[0]), query)
