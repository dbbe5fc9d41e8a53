"""Half-hourly files, written in order of arrival, and the exact totals that follow from them.

Split JSON, or CSV: long (a row a reading) or wide (a row a meter and day). A file holds about 36,000 readings (250
meters x 3 days, 750 meters x 1 day), 1.7 MB: small enough to read a whole file as one record, and many enough (S 21, M
281) that costs per file are visible and the cores share them evenly. Arrival is the modification time, set here to
fixed instants; the names of corrections sort before those of readings, so a pipeline that orders by path gets wrong
totals. Energy is counted in whole Wh, the third decimal of kWh: no float.
"""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

HALF_HOURS = 48
FIRST_DAY = date(2024, 1, 1)  # Europe/London is on UTC until 2024-03-31: no clock change up to MAX_DAYS
MAX_DAYS = 89  # one more day follows
ROWS_PER_FILE = 36_000
DUPLICATES = 0.01  # share of a file's rows that are repeated in it
CORRECTIONS = 0.0025  # and of those repeated with another value
COLUMNS = ("interval_start", "meterpoint_id", "consumption_delta")
CLOCK = [f"{h // 2:02d}:{h % 2 * 30:02d}" for h in range(HALF_HOURS)]
MAX_WH = 5_000  # as drawn; each of at most three corrections adds less than 400
QUOTED = '","'.join(COLUMNS)
# Around the cells of a row, around and between the rows of a file, and the ending of its name.
FORMATS = {
    "split_json": ('["{}","{}",{}]', f'{{{{"columns":["{QUOTED}"],"data":[{{}}]}}}}\n', ",", ".json"),
    "csv": ("{},{},{}", ",".join(COLUMNS) + "\n{}\n", "\n", ".csv"),
    "csv-wide": ("{},{},{}", "meter,day," + ",".join(CLOCK) + "\n{}\n", "\n", ".csv"),
}


class Deliveries:
    """Writes files in order of arrival and keeps the current values: `wh[meter, day, half hour]`."""

    def __init__(
        self, meters: int, days: int, seed: int, form: str = "split_json", rows_per_file: int = ROWS_PER_FILE
    ) -> None:
        """Draw every reading of `days` + 1 days, higher in the evening, most of them below 1 kWh."""
        self.form, self.rows_per_file = form, rows_per_file
        row, self.file, self.between, self.ending = FORMATS[form]
        before, middle, after = (row.split("{}")[n] for n in (0, 1, 3))
        self.rng = np.random.default_rng(seed)
        shape = 1 + 0.8 * np.sin((np.arange(HALF_HOURS) - 22) / HALF_HOURS * 2 * np.pi)
        drawn = self.rng.gamma(1.3, 140, (meters, days + 1, HALF_HOURS)) * shape
        self.wh: Ints = np.minimum(drawn, MAX_WH).astype(np.int64)
        self.meter_ids = [str(1_200_000_000_000 + 7_919 * i) for i in range(meters)]
        self.times = [
            f"{before}{day_of(day)} {h // 2:02d}:{h % 2 * 30:02d}:00{middle}"
            for day in range(days + 1)
            for h in range(HALF_HOURS)
        ]
        self.meters = [f"{meter_id}{row.split('{}')[2]}" for meter_id in self.meter_ids]
        self.wh_text = [f"{wh // 1000}.{wh % 1000:03d}{after}" for wh in range(MAX_WH + 1_200)]
        self.files = self.rows = self.sent_on = 0

    def readings(self, folder: Path, first: int, last: int) -> None:
        """Deliver the days `first` to `last` - 1 of every meter, on the morning after them."""
        self.sent_on = last
        meters, step = len(self.meter_ids), max(1, self.rows_per_file // (HALF_HOURS * (last - first)))
        for part, start in enumerate(range(0, meters, step), 1):
            block = self.wh[start : start + step, first:last]
            meter, day, half_hour = (axis.ravel() for axis in np.indices(block.shape))
            wh, n = block.ravel(), block.size
            again, corrected = round(n * DUPLICATES), round(n * CORRECTIONS)
            picked = self.rng.choice(n, again + corrected, replace=False)
            change = np.concatenate([np.zeros(again, np.int64), self.rng.integers(1, 400, corrected)])
            # A repeat comes anywhere after its row; on a tie the stable sort keeps it after.
            after = picked + self.rng.integers(0, n - picked)
            order = np.argsort(np.concatenate([np.arange(n), after]), kind="stable")
            row = np.concatenate([np.arange(n), picked])[order]
            sent = np.concatenate([wh, wh[picked] + change])[order]
            name = f"readings-{day_of(first)}-{part:04d}{self.ending}"
            self._write(folder / name, meter[row] + start, day[row] + first, half_hour[row], sent)
            wh[picked] += change
            self.wh[start : start + step, first:last] = wh.reshape(block.shape)

    def corrections(self, folder: Path, first: int, last: int, share: float) -> None:
        """Deliver other values for a `share` of the readings of the days `first` to `last` - 1."""
        shape = (len(self.meter_ids), last - first, HALF_HOURS)
        size = int(np.prod(shape))
        picked = np.sort(self.rng.choice(size, round(size * share), replace=False))
        for part, start in enumerate(range(0, len(picked), ROWS_PER_FILE), 1):
            meter, day, half_hour = np.unravel_index(picked[start : start + ROWS_PER_FILE], shape)
            sent = self.wh[meter, day + first, half_hour] + self.rng.integers(1, 400, len(meter))
            self.wh[meter, day + first, half_hour] = sent
            name = f"corrections-{day_of(first)}-{part:04d}{self.ending}"
            self._write(folder / name, meter, day + first, half_hour, sent)

    def _write(self, path: Path, meter: Ints, day: Ints, half_hour: Ints, wh: Ints) -> None:
        """Write one delivery, modified on the morning of the day `sent_on`, a second after the one before."""
        if self.form == "csv-wide":
            written = self._wide_rows(meter, day, half_hour, wh)
        else:
            cells = zip((day * HALF_HOURS + half_hour).tolist(), meter.tolist(), wh.tolist(), strict=True)
            written = [self.times[t] + self.meters[m] + self.wh_text[v] for t, m, v in cells]
        data = self.between.join(written)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.file.format(data), encoding="utf-8")
        morning = datetime.combine(day_of(self.sent_on), datetime.min.time(), UTC) + timedelta(
            hours=6, seconds=self.files
        )
        os.utime(path, (morning.timestamp(), morning.timestamp()))
        self.files, self.rows = self.files + 1, self.rows + len(written)

    def _wide_rows(self, meter: Ints, day: Ints, half_hour: Ints, wh: Ints) -> list[str]:
        """A row for each meter and day; what comes again stands in further rows, behind them and else empty."""
        rows: dict[tuple[int, int, int], list[str]] = {}
        times: dict[tuple[int, int, int], int] = {}
        for m, d, h, v in zip(meter.tolist(), day.tolist(), half_hour.tolist(), wh.tolist(), strict=True):
            turn = times[m, d, h] = times.get((m, d, h), -1) + 1
            rows.setdefault((turn, m, d), [""] * HALF_HOURS)[h] = self.wh_text[v]
        return [f"{self.meter_ids[m]},{day_of(d)},{','.join(cells)}" for (_, m, d), cells in sorted(rows.items())]

    def expected(self, days: int, product: Ints, names: Sequence[str]) -> dict[str, object]:
        """Exact totals of the first `days` days after everything delivered so far; kWh as decimal text.

        `product[meter, day]` is an index into `names`.
        """
        wh = self.wh[:, :days].sum(axis=2)
        per_product = {
            str(day_of(d)): {
                name: _kwh(wh[chosen, d].sum()) for i, name in enumerate(names) if (chosen := product[:, d] == i).any()
            }
            for d in range(days)
        }
        return {
            "files": self.files,
            "rows": self.rows,
            "readings": len(self.meter_ids) * days * HALF_HOURS,
            "total_kwh": _kwh(wh.sum()),
            "kwh_per_day": {str(day_of(d)): _kwh(wh[:, d].sum()) for d in range(days)},
            "kwh_per_day_and_product": per_product,
        }


def day_of(index: int) -> date:
    """Name the calendar day with this number, the first being 0."""
    return FIRST_DAY + timedelta(days=index)


def _kwh(wh: np.int64) -> str:
    return f"{int(wh) // 1000}.{int(wh) % 1000:03d}"
