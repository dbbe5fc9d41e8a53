"""What a lake should say, in plain Python: a list of what arrived, and sums over it. Shares nothing with the pipeline."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
# The day before the clocks go forward, that day, and the day after.
DAYS = (date(2021, 3, 27), date(2021, 3, 28), date(2021, 3, 29))


@dataclass(frozen=True)
class Reading:
    """A row of a delivery: the meter, its local day, the half hour (of gas: the hour), the value as text."""

    meter: str
    day: date
    slot: int
    value: str

    def label(self) -> str:
        """Local wall clock."""
        return (
            f"{datetime.combine(self.day, datetime.min.time()) + timedelta(minutes=30 * self.slot):%Y-%m-%d %H:%M:%S}"
        )


@dataclass
class Arrived:
    """A delivery that a run decided."""

    feed: str
    path: str
    content: bytes
    status: str
    readings: tuple[Reading, ...] = ()


@dataclass
class Ledger:
    """Everything that was decided, in order of arrival, and the agreements."""

    arrived: list[Arrived] = field(default_factory=list)
    # meter -> [(valid_from, valid_to or None, product)], the later one wins.
    agreements: dict[str, list[tuple[date, date | None, str]]] = field(default_factory=dict)

    def decide_json(self, path: str, content: bytes, readings: tuple[Reading, ...] | None) -> None:
        """Identified by its path: the same bytes are nothing new, or a duplicate if something else came in between."""
        before = [each for each in self.arrived if each.feed == "electricity" and each.path == path]
        if before and before[-1].content == content:
            return
        loaded = [each for each in before if each.status == "loaded"]
        if loaded and loaded[-1].content == content:
            status = "duplicate"
        else:
            status = "rejected" if readings is None else "loaded"
        self.arrived.append(Arrived("electricity", path, content, status, readings if status == "loaded" else ()))

    def decide_smrt(self, path: str, content: bytes, readings: tuple[Reading, ...]) -> None:
        """Identified by its bare name, loaded once."""
        name = path.rsplit("/", 1)[-1]
        same = [each for each in self.arrived if each.feed == "gas" and each.path.rsplit("/", 1)[-1] == name]
        if any(each.path == path and each.content == content for each in same):
            return
        loaded = [each for each in same if each.status == "loaded"]
        if not loaded:
            gone = any(each.status == "withdrawn" and each.content == content for each in same)
            status = "duplicate" if gone else "loaded"
        elif loaded[-1].content == content:
            status = "duplicate"
        elif any(each.status == "conflict" and each.content == content for each in same):
            return
        else:
            status = "conflict"
        self.arrived.append(Arrived("gas", path, content, status, readings if status == "loaded" else ()))

    def current(self) -> dict[tuple[str, str, datetime], tuple[date, Decimal]]:
        """(feed, meter, instant) -> (local day, value) of the last accepted one."""
        found = {}
        for delivery in self.arrived:
            if delivery.status != "loaded":
                continue
            for reading in delivery.readings:
                start = self.instant(delivery.feed, reading)
                if start is not None and not reading.value.startswith("-"):
                    found[delivery.feed, reading.meter, start] = (reading.day, Decimal(reading.value))
        return found

    @staticmethod
    def instant(feed: str, reading: Reading) -> datetime | None:
        """The UTC instant; None for a local time that does not exist."""
        midnight = datetime.combine(reading.day, datetime.min.time())
        if feed == "gas":
            return (midnight + timedelta(hours=reading.slot)).replace(tzinfo=UTC)
        local = midnight + timedelta(minutes=30 * reading.slot)
        there = local.replace(tzinfo=LONDON).astimezone(UTC)
        return there if there.astimezone(LONDON).replace(tzinfo=None) == local else None

    def rejected(self) -> int:
        """Rows of loaded deliveries that do not pass."""
        return sum(
            self.instant(delivery.feed, reading) is None or reading.value.startswith("-")
            for delivery in self.arrived
            if delivery.status == "loaded"
            for reading in delivery.readings
        )

    def meter_days(self) -> dict[tuple[str, str, date], tuple[Decimal, int]]:
        """(feed, meter, day) -> (sum, readings)."""
        sums: dict[tuple[str, str, date], tuple[Decimal, int]] = defaultdict(lambda: (Decimal(0), 0))
        for (feed, meter, _), (day, value) in self.current().items():
            total, count = sums[feed, meter, day]
            sums[feed, meter, day] = (total + value, count + 1)
        return dict(sums)

    def half_hours(self) -> dict[datetime, tuple[Decimal, int]]:
        """Electricity's half hour -> (sum, meters)."""
        sums: dict[datetime, tuple[Decimal, int]] = defaultdict(lambda: (Decimal(0), 0))
        for (feed, _, start), (_, value) in self.current().items():
            if feed == "electricity":
                sums[start] = (sums[start][0] + value, sums[start][1] + 1)
        return dict(sums)

    def products(self) -> dict[tuple[date, str], Decimal]:
        """(day, product) -> electricity."""
        sums: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
        for (feed, meter, day), (total, _) in self.meter_days().items():
            if feed == "electricity":
                sums[day, self.product(meter, day)] += total
        return dict(sums)

    def product(self, meter: str, day: date) -> str:
        """The product agreed for a day, the latest agreement first."""
        valid = [
            each for each in self.agreements.get(meter, []) if each[0] <= day and (each[1] is None or day < each[1])
        ]
        # Of agreements that begin on one day, the last one written has the highest number.
        return max(reversed(valid), key=lambda each: each[0])[2] if valid else "(no agreement)"
