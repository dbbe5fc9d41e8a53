"""Quantiles, averages, outliers and autocorrelation of figures. Pure; floats only for statistics, never for energy."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from statsmodels.tsa.stattools import acf

from pipeline.serving.report.local_time import DAY_MINUTES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from pipeline.serving.report.facts import Bin, MeterDay

MILLIONTH = Decimal("0.000001")
QUANTILES = (Fraction(5, 100), Fraction(25, 100), Fraction(50, 100), Fraction(75, 100), Fraction(95, 100))
MEDIAN = Fraction(1, 2)
SATURDAY = 6
# Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993): the modified z-score and its usual limit.
FAR = 3.5
TO_DEVIATIONS = 1.4826  # for a normal distribution: from its median absolute deviation to its standard deviation
MEAN_TO_DEVIATIONS = 1.2533  # from its mean absolute deviation, used if more than half of the values are equal
FEWEST = 5  # values needed before a median counts as typical
LAG_DAYS = 8  # so that the lag of a week is inside the picture
CONFIDENCE = 0.95
LEAST_PAIRS = 0.25  # of the values: fewer pairs at a lag mean nothing
SHORTEST_SERIES = 8


@dataclass(frozen=True)
class Slot:
    """The values of one clock time, ascending."""

    minute: int
    values: tuple[Decimal, ...]

    @property
    def average(self) -> Decimal:
        """The average over all occurrences: a repeated clock time counts twice."""
        return average(self.values)

    @property
    def quantiles(self) -> tuple[Decimal, ...]:
        """At QUANTILES."""
        return tuple(quantile(self.values, at) for at in QUANTILES)


@dataclass(frozen=True)
class Autocorrelation:
    """Values by lag, from 1, in intervals of `minutes`; NaN if too few pairs have that distance.

    `band` is half the width of the confidence band around zero (Bartlett). `missing` intervals within the series have
    no value; they are left out of the sums, not filled.
    """

    minutes: int
    values: tuple[float, ...]
    band: tuple[float, ...]
    observed: int
    missing: int

    def at(self, minutes: int) -> tuple[float, float] | None:
        """Autocorrelation and band at a lag in minutes, None if the series is too short."""
        place, rest = divmod(minutes, self.minutes)
        if rest or not 0 < place <= len(self.values) or np.isnan(self.values[place - 1]):
            return None
        return self.values[place - 1], self.band[place - 1]

    @property
    def peak(self) -> int | None:
        """The lag, in minutes, of the highest local maximum; None if there is none.

        The smallest lags of a smooth series are always high, which only means that it is smooth.
        """
        padded = np.array([1.0, *self.values, np.nan])
        inner = padded[1:-1]
        peaks = np.flatnonzero((inner > padded[:-2]) & (inner >= padded[2:]))
        return int((peaks[np.argmax(inner[peaks])] + 1) * self.minutes) if len(peaks) else None


@dataclass(frozen=True)
class Outlier:
    """A value far from the typical one of its kind: `score` in robust standard deviations, with its sign."""

    place: int
    value: Decimal
    typical: Decimal
    score: float


def average(values: Sequence[Decimal]) -> Decimal:
    """The mean, rounded half up to six decimals."""
    return (sum(values, Decimal()) / len(values)).quantize(MILLIONTH, ROUND_HALF_UP)


def quantile(ascending: Sequence[Decimal], at: Fraction) -> Decimal:
    """The quantile between order statistics (linear, as SQL's PERCENTILE), exact and then rounded to six decimals."""
    place = (len(ascending) - 1) * at
    below = int(place)
    above = min(below + 1, len(ascending) - 1)
    part = place - below
    between = (ascending[above] - ascending[below]) * part.numerator / part.denominator
    return (ascending[below] + between).quantize(MILLIONTH, ROUND_HALF_UP)


def slots(bins: Sequence[Bin]) -> list[Slot]:
    """The values of each clock time, in order of clock time."""
    values: dict[int, list[Decimal]] = defaultdict(list)
    for each in bins:
        values[each.minute].append(each.kwh)
    return [Slot(minute, tuple(sorted(some))) for minute, some in sorted(values.items())]


def is_weekend(day: date) -> bool:
    """Whether the day is a Saturday or Sunday."""
    return day.isoweekday() >= SATURDAY


def scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Modified z-scores of values of one kind; zeros if there are too few values or all are equal."""
    away = values - np.median(values)
    spread = TO_DEVIATIONS * np.median(np.abs(away)) or MEAN_TO_DEVIATIONS * np.mean(np.abs(away))
    if len(values) < FEWEST or not spread:
        return np.zeros_like(values)
    return np.asarray(away / spread)


def outliers(values: Sequence[Decimal], kinds: Sequence[object]) -> list[Outlier]:
    """Values whose score among those of the same kind is beyond FAR, the farthest first."""
    places: dict[object, list[int]] = defaultdict(list)
    for place, kind in enumerate(kinds):
        places[kind].append(place)
    numbers = np.array(values, dtype=np.float64)
    found = []
    for same in places.values():
        scored = scores(numbers[same])
        for n in np.flatnonzero(np.abs(scored) > FAR):
            typical = quantile(sorted(values[place] for place in same), MEDIAN)
            found.append(Outlier(same[n], values[same[n]], typical, float(scored[n])))
    return sorted(found, key=lambda each: (-abs(each.score), each.place))


def outlying_bins(bins: Sequence[Bin]) -> list[Outlier]:
    """Intervals of a direction far from the median of their clock time."""
    return outliers([each.kwh for each in bins], [each.minute for each in bins])


def outlying_days(days: Sequence[MeterDay]) -> list[Outlier]:
    """Meter-days far from the same meter's median day."""
    return outliers([each.kwh for each in days], [(each.meter_id, each.direction) for each in days])


def autocorrelation(bins: Sequence[Bin], minutes: int) -> Autocorrelation | str:
    """The autocorrelation of one direction's series, in order of time; or why there is none."""
    step = minutes * 60
    places = np.array([int((each.start - bins[0].start).total_seconds()) // step for each in bins])
    series = np.full(places[-1] + 1, np.nan)
    # If clocks are set by less than an interval, two intervals may share a position.
    counts, sums = np.zeros(len(series)), np.zeros(len(series))
    np.add.at(counts, places, 1)
    np.add.at(sums, places, [float(each.kwh) for each in bins])
    series[counts > 0] = sums[counts > 0] / counts[counts > 0]
    present = ~np.isnan(series)
    observed = int(present.sum())
    if observed < SHORTEST_SERIES:
        return f"too short for an autocorrelation ({observed} of at least {SHORTEST_SERIES} values)"
    if np.ptp(series[present]) == 0:
        return f"constant ({observed} equal values): it has no autocorrelation"
    lags = min(LAG_DAYS * DAY_MINUTES // minutes * (4 if minutes == DAY_MINUTES else 1), len(series) - 1)
    pairs = np.array([np.count_nonzero(present[lag:] & present[: len(present) - lag]) for lag in range(1, lags + 1)])
    found = acf(series, nlags=lags, alpha=1 - CONFIDENCE, fft=True, missing="conservative", result_object=True)
    values = np.where(pairs >= LEAST_PAIRS * observed, found.acf[1:], np.nan)
    while len(values) and np.isnan(values[-1]):
        values = values[:-1]
    if not len(values):
        return "too full of gaps for an autocorrelation: no lag has enough pairs of values"
    band = (found.confint[1:, 1] - found.acf[1:])[: len(values)]
    return Autocorrelation(minutes, tuple(values.tolist()), tuple(band.tolist()), observed, len(series) - observed)
