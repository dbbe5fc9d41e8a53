"""The figures that a report is made of: what one row of each is. All energy in kWh."""

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

    `days` are those with readings in it.
    """

    direction: str
    start: date
    kwh: Decimal
    readings: int
    days: int


@dataclass(frozen=True)
class Bin:
    """One interval of the series of a direction: `start` an instant, `minute` of the local day that its clock shows."""

    direction: str
    start: datetime
    day: date
    minute: int
    kwh: Decimal
    readings: int


@dataclass(frozen=True)
class MeterDay:
    """Energy of a meter on a local day, and how many readings that are."""

    meter_id: str
    direction: str
    day: date
    kwh: Decimal
    readings: int


@dataclass(frozen=True)
class Gaps:
    """Missing intervals of a direction on a local day, or of a meter in all (`key` is the day or the meter)."""

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
        """The directions there are, import before export."""
        return sorted(self.kwh, key=lambda name: (name != "import", name))

    @property
    def grain(self) -> int:
        """Minutes of the shortest interval that every reading within the day lies whole in; 1440 for whole days.

        With one length of interval that is its length. With several, sums over shorter ones would hold some meters'
        energy of an hour in its first quarter.
        """
        within = [minutes for minutes in self.lengths if minutes < SHORTEST_DAY_MINUTES]
        short = [minutes for minutes in within if minutes <= HOUR_MINUTES]
        return max(short or within, default=DAY_MINUTES)
