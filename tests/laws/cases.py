"""What the laws are asked of: every clock change of every zone, and days that hypothesis draws on top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.laws.oracle import DAY, FIRST_DAY, HOUR, LAST_DAY, MINUTE, QUARTER, clock

LENGTHS = (15, 30, 60)
MICRO = 1_000_000  # values are counted in millionths
ROWS_OF_A_FILE = 1_000_000  # fewer than that
VALUES_BELOW = 1000 * MICRO
BAD_VALUES = {None: "CONSUMPTION_INVALID", "n/a": "CONSUMPTION_INVALID", "-0.000001": "CONSUMPTION_NEGATIVE"}
BAD_SHARE = 0.03

# An example is a batch of many cases, and no smaller one says more: nothing to shrink, nothing to remember.
DRAWS = settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=8,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ZONES_OF_A_BATCH, DAYS_OF_A_BATCH = 3, 32


@dataclass(frozen=True)
class Asked:
    """Local days of a zone (days since 1970), and the feed that delivers them."""

    zone: str
    minutes: int
    days: tuple[int, ...]
    meters: int = 1


def every_change(zones):
    """The days before, on and after each change of the zones; of a clock that stood still, the first and last day."""
    return [Asked(zone, 30, tuple(clock(zone).days_near_changes or [FIRST_DAY, LAST_DAY])) for zone in zones]


def every_kind_of_change(zones):
    """The days of all changes of some zones, in quarter hours and in half hours or hours by turns.

    Between them they hold each kind of change that was anywhere: by how much, and at which local time.
    """
    kinds = {zone: {(begin - until, until % DAY) for until, begin in clock(zone).changes} for zone in zones}
    found, left = [], set().union(*kinds.values())
    while left:
        zone = max(zones, key=lambda name: len(kinds[name] & left))
        left -= kinds[zone]
        lengths = (15, 30) if len(found) % 4 else (15, 60)
        found += [Asked(zone, minutes, tuple(clock(zone).days_of_changes)) for minutes in lengths]
    return found


def drawn(zones):
    """Batches drawn by hypothesis: some zones, an interval, days near a change and any other, some meters."""
    days = st.tuples(st.booleans(), st.integers(FIRST_DAY, LAST_DAY))
    batches = st.tuples(
        st.lists(st.sampled_from(zones), min_size=ZONES_OF_A_BATCH, max_size=ZONES_OF_A_BATCH, unique=True),
        st.sampled_from(LENGTHS),
        st.lists(days, min_size=DAYS_OF_A_BATCH, max_size=DAYS_OF_A_BATCH, unique=True),
        st.integers(1, 3),
    )
    found = {}

    @DRAWS
    @given(batches)
    def draw(batch):
        names, minutes, picks, meters = batch
        for zone in names:
            near = clock(zone).days_near_changes
            days = sorted({near[n % len(near)] if at_change and near else n for at_change, n in picks})
            found[zone, minutes] = Asked(zone, minutes, tuple(days), meters)

    draw()
    return list(found.values())


@dataclass(frozen=True)
class Source:
    """Rows of split-JSON files, one file a day and order of its rows, as parallel arrays; what must become of them."""

    file: np.ndarray
    day: np.ndarray
    newest_first: np.ndarray
    row: np.ndarray
    meter: np.ndarray
    label: np.ndarray
    instant: np.ndarray  # -1 for a label that no clock shows
    micro: np.ndarray  # the value in millionths, where it is sound
    text: np.ndarray  # the value as delivered
    reason: np.ndarray  # reason_code that must refuse the row, "" if none may

    def bronze(self):
        """The rows as bronze holds them."""
        label = pc.strftime(pa.array(self.label, pa.timestamp("s")), format="%Y-%m-%d %H:%M:%S")
        return pa.table(
            {
                "interval_start": label,
                "meterpoint_id": pc.cast(pa.array(self.meter), pa.string()),
                "consumption_delta": pa.array(self.text, pa.string()),
                "raw": pa.nulls(len(label), pa.string()),
                "file_id": self.file,
                "row_number": self.row,
                "batch_id": np.ones_like(self.file),
            }
        )


def sources(asked):
    """The files of each feed, numbered throughout."""
    found, files = [], 0
    for case in asked:
        found.append(source(case, files + 1))
        files += 2 * len(case.days)
    return found


def source(asked, first_file):
    """The files of a feed, each day of all its meters once from the oldest row to the newest and once the other way.

    They hold every label of the interval's grid, those that the clock skips too; a few values are unusable.
    """
    dice = np.random.default_rng([asked.minutes, asked.meters, *asked.days])
    parts = []
    for day in asked.days:
        labels, instants = _labels_of_day(clock(asked.zone), day, asked.minutes)
        labels, instants = np.repeat(labels, asked.meters), np.repeat(instants, asked.meters)
        meters = np.tile(np.arange(asked.meters), len(labels) // asked.meters)
        micro = dice.integers(0, VALUES_BELOW, len(labels))
        bad = np.where(dice.random(len(labels)) < BAD_SHARE, dice.integers(0, len(BAD_VALUES), len(labels)), -1)
        for newest_first in (False, True):
            order = slice(None, None, -1 if newest_first else 1)
            rows = [labels[order], instants[order], meters[order], micro[order], bad[order]]
            parts.append((first_file + len(parts), day, newest_first, rows))
    sizes = [len(rows[0]) for *_, rows in parts]
    label, instant, meter, micro, bad = (np.concatenate(arrays) for arrays in zip(*(p[-1] for p in parts), strict=True))
    file, day, newest_first = (np.repeat([part[n] for part in parts], sizes) for n in range(3))
    texts, codes = np.array([*BAD_VALUES], object), np.array([*BAD_VALUES.values(), ""])
    return Source(
        file=file,
        day=day,
        newest_first=newest_first,
        row=np.concatenate([np.arange(1, size + 1) for size in sizes]),
        meter=meter,
        label=label,
        instant=instant,
        micro=micro,
        text=np.where(bad < 0, _decimals(micro), texts[bad]),
        reason=np.where(instant < 0, "LOCAL_TIME_NONEXISTENT", codes[bad]),
    )


def _labels_of_day(zone_clock, day, minutes):
    """(labels, instants) of a day in the order of time, on the interval's grid; -1 as the instant of a skipped one."""
    shown = zone_clock.quarters(day)
    on_grid = shown[zone_clock.shown(shown) % (minutes * MINUTE) == 0]
    grid = np.arange(day * DAY, (day + 1) * DAY, minutes * MINUTE)
    skipped = np.setdiff1d(grid, zone_clock.shown(on_grid))
    labels = np.concatenate([zone_clock.shown(on_grid), skipped])
    about = np.concatenate([on_grid, 2 * skipped - zone_clock.shown(skipped)])
    order = np.argsort(about, kind="stable")
    return labels[order], np.concatenate([on_grid, np.full(len(skipped), -1)])[order]


def _decimals(micro):
    """Millionths as decimal text with all six digits."""
    whole = pc.cast(pa.array(micro // MICRO), pa.string())
    rest = pc.utf8_lpad(pc.cast(pa.array(micro % MICRO), pa.string()), 6, "0")
    return pc.binary_join_element_wise(whole, rest, ".").to_numpy(zero_copy_only=False)


def labels(asked):
    """Every quarter hour that a wall clock could show on the days that a change touches, every hour on others."""
    touched = clock(asked.zone).days_of_changes
    return np.concatenate([day * DAY + np.arange(0, DAY, QUARTER if day in touched else HOUR) for day in asked.days])
