# ruff: noqa: S608 - the texts are made of the constants below; values come in as relations or parameters
"""The report's figures: DuckDB queries over silver.readings and gold.missing_intervals, exact decimals, all in kWh.

Instants stay instants: the repeated hour in autumn is two hours in every series, and one clock time with two
occurrences in a profile. Local times come from Python's zones (a relation `wall`), so DuckDB needs no zones.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from pipeline.serving.report.facts import Bin, Extent, Gaps, MeterDay, Total
from pipeline.serving.report.local_time import DAY_MINUTES

if TYPE_CHECKING:
    from pyarrow import dataset as ds

    from pipeline.serving.report.local_time import LocalClock

SETTINGS: dict[str, Any] = {"python_enable_replacements": False, "enable_external_access": False}
# Wh / 1000 as in gold: each value rounded half up. (DuckDB's division would use floating point.)
KWH = "CASE WHEN unit = 'Wh' THEN ROUND(consumption * 0.001::DECIMAL(4,3), 6)::DECIMAL(18,6) ELSE consumption END"
PERIODS = {
    "day": "local_date",
    "week": "date_trunc('week', local_date)::DATE",
    "month": "date_trunc('month', local_date)::DATE",
}


class Figures:
    """Figures of one feed from its rows, already restricted to the requested days and meter.

    `readings` has the columns of silver.readings, `gaps` those of gold.missing_intervals. Each is read once or twice
    into sums by instant and by meter and day; everything else is computed from these.
    """

    def __init__(self, readings: ds.Dataset | pa.Table, gaps: ds.Dataset | pa.Table, clock: LocalClock) -> None:
        self._database = duckdb.connect(":memory:", config=SETTINGS)
        self._database.register("reading", readings)
        self._database.register("missing", gaps)
        self._database.execute(
            f"""CREATE TEMP TABLE moment AS
            SELECT direction, make_timestamp(epoch_us(interval_start)) AS start, interval_minutes AS minutes,
                local_date, SUM({KWH}) AS kwh, COUNT(*) AS readings, MAX(file_id) AS file_id
            FROM reading GROUP BY ALL"""
        )
        self._database.execute(
            f"""CREATE TEMP TABLE meter_day AS
            SELECT meter_id, direction, local_date, SUM({KWH}) AS kwh, COUNT(*) AS readings
            FROM reading GROUP BY ALL"""
        )
        starts = [row[0] for row in self._rows("SELECT DISTINCT start FROM moment ORDER BY start")]
        walls = [clock.wall(start.replace(tzinfo=UTC)) for start in starts]
        kind = pa.timestamp("us")
        self._database.register("wall", pa.table({"start": pa.array(starts, kind), "wall": pa.array(walls, kind)}))

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._database.execute(query, list(values)).fetchall()

    def extent(self) -> Extent:
        """The extent of the readings; empty if there are none."""
        ((readings, newest),) = self._rows("SELECT SUM(readings)::BIGINT, MAX(file_id) FROM moment")
        ((meters,),) = self._rows("SELECT COUNT(DISTINCT meter_id) FROM meter_day")
        days = self._rows("SELECT DISTINCT local_date FROM moment ORDER BY local_date")
        lengths = self._rows("SELECT minutes, SUM(readings)::BIGINT FROM moment GROUP BY ALL ORDER BY ALL")
        kwh = self._rows("SELECT direction, SUM(kwh) FROM moment GROUP BY ALL ORDER BY ALL")
        return Extent(readings or 0, meters, tuple(day for (day,) in days), dict(lengths), dict(kwh), newest or 0)

    def totals(self, period: str) -> list[Total]:
        """Energy by local day, week (from Monday) or month."""
        rows = self._rows(
            f"""SELECT direction, {PERIODS[period]} AS period, SUM(kwh), SUM(readings)::BIGINT,
                COUNT(DISTINCT local_date)
            FROM moment GROUP BY ALL ORDER BY ALL"""
        )
        return [Total(*row) for row in rows]

    def series(self, grain: int) -> list[Bin]:
        """Energy by interval of `grain` minutes, in order of time; without longer readings, unless `grain` is a day.

        Intervals follow the local clock, as the hours of gold.meter_hour do: with 60 minutes the sums are those of
        gold.feed_hour.
        """
        if grain == DAY_MINUTES:
            rows = self._rows(
                """SELECT direction, local_date::TIMESTAMP, local_date, 0, SUM(kwh), SUM(readings)::BIGINT
                FROM moment GROUP BY ALL ORDER BY ALL"""
            )
        else:
            rows = self._rows(
                """SELECT direction, start - to_seconds(over) AS start, local_date, (since - over) // 60 AS minute,
                    SUM(kwh), SUM(readings)::BIGINT
                FROM (SELECT *, since % (? * 60) AS over FROM (
                    SELECT moment.*, (hour(wall) * 60 + minute(wall)) * 60 + second(wall)::BIGINT AS since
                    FROM moment JOIN wall USING (start) WHERE minutes <= ?))
                GROUP BY ALL ORDER BY ALL""",
                grain,
                grain,
            )
        return [Bin(name, start.replace(tzinfo=UTC), *rest) for name, start, *rest in rows]

    def meter_days(self) -> list[MeterDay]:
        """Energy of each meter on each local day."""
        rows = self._rows("SELECT * FROM meter_day ORDER BY direction, meter_id, local_date")
        return [MeterDay(*row) for row in rows]

    def gaps_by_day(self) -> list[Gaps]:
        """Missing intervals by direction, local day and length."""
        return self._gaps("local_date")

    def gaps_by_meter(self) -> list[Gaps]:
        """Missing intervals by direction, meter and length."""
        return self._gaps("meter_id")

    def _gaps(self, key: str) -> list[Gaps]:
        rows = self._rows(
            f"""SELECT direction, {key}, COUNT(*), COUNT(DISTINCT meter_id), interval_minutes
            FROM missing GROUP BY direction, {key}, interval_minutes ORDER BY {key}, direction, interval_minutes"""
        )
        return [Gaps(*row) for row in rows]
