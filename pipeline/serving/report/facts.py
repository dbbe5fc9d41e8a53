"""The figures of a report: what one row of each is. All energy in kWh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.serving.report.local_time import DAY_MINUTES, SHORTEST_DAY_MINUTES

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

HOUR_MINUTES = 60


@dataclass(frozen=True)
class Total:
    """Energy of all readings of a direction in a local day, week or month: `start` is its first day.

    `days` counts its days with readings.
    """

    direction: str
    start: date
    kwh: Decimal
    readings: int
    days: int


@dataclass(frozen=True)
class Bin:
    """One interval of a direction's series: `start` is an instant, `minute` its clock time in minutes of the day."""

    direction: str
    start: datetime
    day: date
    minute: int
    kwh: Decimal
    readings: int


@dataclass(frozen=True)
class MeterDay:
    """Energy of a meter on a local day, and the number of readings."""

    meter_id: str
    direction: str
    day: date
    kwh: Decimal
    readings: int


@dataclass(frozen=True)
class Gaps:
    """Missing intervals of a direction on a local day, or of a meter in total (`key` is the day or the meter)."""

    direction: str
    key: Any
    intervals: int
    meters: int
    minutes: int


@dataclass(frozen=True)
class Extent:
    """What was read: `lengths` are minutes of an interval -> readings, `kwh` is by direction."""

    readings: int
    meters: int
    days: tuple[date, ...]
    lengths: dict[int, int]
    kwh: dict[str, Decimal]
    newest_file: int

    @property
    def directions(self) -> list[str]:
        """The directions with readings, import before export."""
        return sorted(self.kwh, key=lambda name: (name != "import", name))

    @property
    def grain(self) -> int:
        """Minutes of the shortest interval that holds every reading within the day as a whole; 1440 for whole days.

        If all readings have one length, it is that length. With several, shorter intervals would put the whole hour of
        some meters into its first quarter.
        """
        within = [minutes for minutes in self.lengths if minutes < SHORTEST_DAY_MINUTES]
        short = [minutes for minutes in within if minutes <= HOUR_MINUTES]
        return max(short or within, default=DAY_MINUTES)
