"""The span of time of a command: half open, its start is included and its end is not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.deliveries.delivery import Delivery


@dataclass(frozen=True)
class Span:
    """From one UTC instant up to another, not included."""

    first: datetime
    end: datetime

    @classmethod
    def of(cls, first: str | None, end: str | None) -> Span | None:
        """From the texts of --from and --to: days (midnight in UTC) or instants with an offset."""
        if first is None and end is None:
            return None
        if first is None or end is None:
            raise UsageError("--from and --to belong together: the first day to include, and the day after the last")
        span = cls(_instant("--from", first), _instant("--to", end))
        if span.first >= span.end:
            raise UsageError(f"--from {first} is not before --to {end}, which is not included itself")
        return span

    def holds(self, instant: datetime | None) -> bool:
        """Whether the instant is in the span; an unknown one is not."""
        return instant is not None and self.first <= instant < self.end

    def parts(self, deliveries: Iterable[Delivery]) -> list[Span]:
        """The UTC days of the span, cut at its ends, on which these deliveries were modified; in order."""
        days = sorted({each.modified_at.astimezone(UTC).date() for each in deliveries if each.modified_at})
        return [
            Span(max(self.first, _midnight(day)), min(self.end, _midnight(day + timedelta(days=1)))) for day in days
        ]

    def local_days(self, some: Iterable[date]) -> list[date]:
        """The local days that are in the span, which must begin and end with a whole day."""
        if any(moment.time() != time() for moment in (self.first, self.end)):
            raise UsageError("only whole local days can be rebuilt: give --from and --to as days, such as 2021-03-28")
        return sorted(day for day in some if self.first.date() <= day < self.end.date())

    def __str__(self) -> str:
        return f"--from {_short(self.first)} --to {_short(self.end)}"


def _instant(option: str, text: str) -> datetime:
    try:
        if len(text) == len("2021-03-28"):
            return _midnight(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise UsageError(
        f"{option} {text!r} is neither a day, such as 2021-03-28, nor an instant with an offset, such as "
        "2021-03-28T08:00:00+00:00"
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _short(moment: datetime) -> str:
    return moment.date().isoformat() if moment.time() == time() else moment.isoformat().replace("+00:00", "Z")
