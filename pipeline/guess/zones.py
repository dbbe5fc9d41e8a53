"""The zone of a file's local times: by whose meter ids they are, and whether its clock keeps summer time."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from pipeline.clock.local_time import day_minutes, first_instant, instants
from pipeline.config.values import DAY_MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from pipeline.guess.times import Label

# What a meter id looks like, where it alone names a country: id, zone, words.
_IDS = (
    (r"ES[0-9]{16}.*", "Europe/Madrid", "CUPS ids that begin with ES are of Spain"),
    (r"IT[0-9]{3}E.*", "Europe/Rome", "POD ids that begin with IT are of Italy"),
    (r"AT[0-9]{6}.*", "Europe/Vienna", "ids that begin with AT are of Austria"),
    (r"DE[0-9]{10}.*", "Europe/Berlin", "ids that begin with DE are of Germany"),
    (r"CH[0-9]{10}.*", "Europe/Zurich", "ids that begin with CH are of Switzerland"),
    (r"LU[0-9]{10}.*", "Europe/Luxembourg", "ids that begin with LU are of Luxembourg"),
    (r"PT[0-9]{4}.*", "Europe/Lisbon", "CPE ids that begin with PT are of Portugal"),
    (r"54[0-9]{16}", "Europe/Brussels", "EAN codes that begin with 54 are of Belgium"),
    (r"87[0-9]{16}", "Europe/Amsterdam", "EAN codes that begin with 87 are of the Netherlands"),
    (r"57[0-9]{16}", "Europe/Copenhagen", "GSRN ids that begin with 57 are of Denmark"),
    (r"70[0-9]{16}", "Europe/Oslo", "GSRN ids that begin with 70 are of Norway"),
    (r"73[0-9]{16}", "Europe/Stockholm", "GSRN ids that begin with 73 are of Sweden"),
    (r"64[0-9]{16}", "Europe/Helsinki", "GSRN ids that begin with 64 are of Finland"),
    (r"59[0-9]{16}", "Europe/Warsaw", "PPE ids that begin with 59 are of Poland"),
)
_NAMES = (
    (r"\bmprn\b", r"1[0-9]{10}", "Europe/Dublin", "MPRNs of eleven digits are of Ireland"),
    (r"\b(mpan|mpxn|mpan core)\b", r"[0-9]{13}|[0-9]{21}", "Europe/London", "MPANs are of Great Britain"),
    (r"\bprm\b|\bpdl\b", r"[0-9]{14}", "Europe/Paris", "PRMs are of France"),
    (r"\blclid\b", r".*", "Europe/London", "LCLid is of London"),
    (r"\besiid\b", r".*", "America/Chicago", "ESI ids are of Texas"),
    (r"\bicp\b", r".*", "Pacific/Auckland", "ICPs are of New Zealand"),
)
SHOWN = "%Y-%m-%d %H:%M"
# One zone for each clock that many files are written by, where no meter id names the country; others share it.
_CLOCKS = (
    ("Europe/Berlin", "central Europe's clock: name your own zone of it (Europe/Vienna, Europe/Madrid, …)"),
    ("Europe/London", "the clock of Great Britain, Ireland (Europe/Dublin) and Portugal (Europe/Lisbon)"),
    ("Europe/Helsinki", "eastern Europe's clock: name your own zone of it (Europe/Athens, Europe/Riga, …)"),
    ("America/New_York", "any North American zone's clock shows this: name yours (America/Chicago, …)"),
    ("Australia/Sydney", "the clock of Australia's south-east (Australia/Melbourne, Australia/Hobart, …)"),
    ("Pacific/Auckland", "New Zealand's clock"),
)


class Zone(NamedTuple):
    """A zone (None: the file does not say), and the sentence that says why."""

    name: str | None
    says: str


def of_meter(name: str, cells: Sequence[str]) -> Zone:
    """The zone of a country whose meter ids look like these; `name` is the column's, in plain words."""
    ids = [cell.strip("' ") for cell in cells if cell]
    for pattern, zone, says in _IDS:
        if ids and all(re.fullmatch(pattern, each) for each in ids):
            return Zone(zone, says)
    for words, pattern, zone, says in _NAMES:
        if ids and re.search(words, name) and all(re.fullmatch(pattern, each) for each in ids):
            return Zone(zone, says)
    return Zone(None, "the file does not say its zone")


def clock_evidence(zone: str, series: list[list[datetime]], labels: Sequence[Label | None], length: int) -> Zone | None:
    """What the file's clock changes say of a zone: repeated or missing local times, or a fixed offset instead.

    None where the file holds no clock change of the zone. `length` is that of an interval in minutes.
    """
    seen = {at for times in series for at in times}
    if not seen:
        return None
    first, last = min(seen), max(seen)
    for day in sorted({at.date() for at in seen}):
        if day_minutes(day, zone) == DAY_MINUTES:
            continue
        gap = [at for at in _times_of(day, length) if not instants(at, zone)]
        # An end label stands at the gap's end, not in it; its first label may be the end of what came before.
        inside = gap[1:] or gap
        if inside and first < inside[0] < last:
            hit = [at for at in inside if at in seen]
            if hit:
                offset = _standard_offset(zone, day)
                return Zone(
                    offset, f"{hit[0]:{SHOWN}} occurs, which no clock in {zone} showed: a clock without summer time"
                )
            return Zone(zone, f"{inside[0]:{SHOWN}} is missing, as it must be in {zone}")
        twice = [at for at in _times_of(day, length) if len(instants(at, zone)) > 1]
        if twice and first < twice[0] < last:
            repeated = sum(1 for label in labels if label and label.at == twice[-1])
            usual = sum(1 for label in labels if label and label.at == twice[-1] + timedelta(hours=2))
            if repeated > usual:
                return Zone(zone, f"{twice[-1]:{SHOWN}} stands twice, as the clock in {zone} showed it")
    return None


def of_clock(series: list[list[datetime]], labels: Sequence[Label | None], length: int) -> Zone | None:
    """The clock that the file's own clock changes fit; None where it holds none that tells."""
    for zone, says in _CLOCKS:
        found = clock_evidence(zone, series, labels, length)
        if found and found.name == zone:
            return Zone(zone, f"{found.says}; {says}")
    return None


def once(zone: str, series: list[list[datetime]], labels: Sequence[Label | None], length: int) -> datetime | None:
    """A local time that the clock of the zone showed twice, and that stands once in a file which goes beyond it."""
    if not series:
        return None
    seen = Counter(label.at for label in labels if label)
    first, last = min(seen), max(seen)
    for day in sorted({at.date() for at in seen}):
        if day_minutes(day, zone) > DAY_MINUTES:
            twice = [at for at in _times_of(day, length) if len(instants(at, zone)) > 1]
            if twice and first < twice[0] < last and all(seen[at] == len(series) for at in twice):
                return twice[0]
    return None


def _times_of(day: date, length: int) -> list[datetime]:
    midnight = datetime.combine(day, datetime.min.time())
    return [midnight + timedelta(minutes=minute) for minute in range(0, DAY_MINUTES, length)]


def _standard_offset(zone: str, day: date) -> str | None:
    """The offset before the clocks went forward, as the configuration writes it."""
    midnight = datetime.combine(day, datetime.min.time())
    at = first_instant(midnight, zone)
    if at is None:
        return None
    minutes = int((midnight - at.replace(tzinfo=None)).total_seconds() // 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
