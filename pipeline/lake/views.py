# ruff: noqa: S608 - names of feeds and zones are checked by the configuration; nothing of a delivery is in these texts
"""Views for analysts: longer grains, the load profile, and stable names for dashboards. Text only; no Spark.

Hours follow the local clock, days and longer are local days. All energy in kWh.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.lake.view_dialects import SPARK, Dialect

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.config.settings import Settings

TABLE = re.compile(r"\b(?:silver|gold)\.[a-z_]+")
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


def _by_meter(name: str, unit: str, says: Dialect) -> View:
    return View(
        f"gold.meter_{name}",
        f"Energy of a meter in a local {name}, and how many of its intervals are there",
        f"""SELECT feed, meter_id, direction, {says.first_day("local_date", unit)} AS {name}_start,
            {SUMMED.format("consumption")} AS total_kwh, COUNT(*) AS days_with_readings,
            SUM(intervals_received) AS intervals_received, SUM(intervals_expected) AS intervals_expected
        FROM gold.meter_day GROUP BY ALL""",
    )


def _by_feed(name: str, unit: str, says: Dialect) -> View:
    return View(
        f"gold.feed_{name}",
        f"Energy of all meters of a feed in a local {name}",
        f"""SELECT feed, direction, {says.first_day("local_date", unit)} AS {name}_start,
            COUNT(DISTINCT meter_id) AS meterpoint_count, {SUMMED.format("consumption")} AS total_kwh
        FROM gold.meter_day GROUP BY ALL""",
    )


def all_views(settings: Settings, says: Dialect = SPARK) -> tuple[View, ...]:
    """Every view of a lake, in an engine's dialect; views with local times contain the zones of its feeds."""
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
                {says.hour_start("interval_start", local)} AS hour_start,
                local_date, {SUMMED.format(says.kwh)} AS total_kwh, COUNT(*) AS readings
            FROM silver.readings WHERE interval_minutes <= 60 GROUP BY ALL""",
        ),
        _by_meter("month", "MONTH", says),
        _by_meter("year", "YEAR", says),
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
        _by_feed("month", "MONTH", says),
        _by_feed("year", "YEAR", says),
        View(
            "gold.load_profile",
            "The usual half hour: by weekday (1 is Monday) and local clock time, over all days and meters of a feed",
            f"""SELECT feed, direction, {says.weekday("local_date")} AS weekday, {says.clock_time(local)} AS half_hour,
                COUNT(DISTINCT local_date) AS days, {SUMMED.format("total_kwh")} AS total_kwh,
                {says.quotient("SUM(total_kwh)", "SUM(meterpoint_count)")} AS avg_kwh_per_meter
            FROM gold.total_consumption_half_hour GROUP BY ALL""",
        ),
    )


def addressed(query: str, address: Callable[[str], str]) -> str:
    """The query with every `layer.table` replaced by its `address`."""
    return TABLE.sub(lambda found: address(found[0]), query)
