"""Write quarter-hour deliveries of interval arrays, with the configuration of a lake for them.

    python benchmarks/quarter_hours.py --meters 100000 --days 2 --target DIR
    python main.py run --config DIR/meterlake.toml && python benchmarks/storage.py DIR/lake --ordered

A parquet file holds 10,000 meters' lists of 96 values of one day: the shape in which a data hub sends quarter hours.
`expected.json` holds readings and Wh. It is for bytes and seconds per row at 15 minutes; `measure.py` checks that
results are exact, with half hours.
"""

import argparse
import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

QUARTERS = 96
FIRST_DAY = date(2024, 1, 1)  # a winter without a clock change
METERS_PER_FILE = 10_000
CONFIG = """\
lake = {lake}
environment = "production"

[[feeds]]
name = "quarters"
format = "interval_parquet"
path = {landing}
time_zone = "Europe/London"
unit = "Wh"
"""


def main() -> None:
    """Read the arguments and write the files."""
    parser = argparse.ArgumentParser(description="Write seeded quarter-hour deliveries.")
    parser.add_argument("--meters", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--target", type=Path, required=True)
    args = parser.parse_args()
    target = args.target.resolve()
    landing = target / "landing"
    for folder in (landing, target / "lake"):
        shutil.rmtree(folder, ignore_errors=True)
    landing.mkdir(parents=True)
    rng = np.random.default_rng(args.seed)
    shape = 1 + 0.8 * np.sin((np.arange(QUARTERS) - 44) / QUARTERS * 2 * np.pi)
    total = 0
    for n in range(args.days):
        day = FIRST_DAY + timedelta(days=n)
        for first in range(0, args.meters, METERS_PER_FILE):
            meters = range(first, min(first + METERS_PER_FILE, args.meters))
            wh = (rng.gamma(1.3, 70, (len(meters), QUARTERS)) * shape).astype(np.int64)
            total += int(wh.sum())
            lists = pa.ListArray.from_arrays(pa.array(np.arange(len(meters) + 1) * QUARTERS, pa.int32()), wh.ravel())
            columns = {
                "client_id": pa.array(["hub"] * len(meters)),
                "date": pa.array([str(day)] * len(meters)),
                "ext_dev_ref": pa.array([str(1_200_000_000_000 + 7_919 * meter) for meter in meters]),
                "energy_consumption": lists,
                "resolution": pa.array(["15m"] * len(meters)),
            }
            pq.write_table(pa.table(columns), landing / f"{day}-{first // METERS_PER_FILE:04d}.parquet")
    config = CONFIG.format(lake=json.dumps(str(target / "lake")), landing=json.dumps(str(landing)))
    (target / "meterlake.toml").write_text(config, encoding="utf-8")
    readings = args.meters * args.days * QUARTERS
    (target / "expected.json").write_text(json.dumps({"readings": readings, "wh": total}), encoding="utf-8")
    print(f"{readings:,} readings, {total:,} Wh")


if __name__ == "__main__":
    main()
