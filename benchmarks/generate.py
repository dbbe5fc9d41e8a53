"""Write the deliveries of one benchmark and the exact totals that must follow from them.

    python benchmarks/generate.py --size S                            # or M, L, into benchmarks/data/
    python benchmarks/generate.py --meters 500 --days 7 --target DIR
    python benchmarks/generate.py --size M --format csv               # the same readings as CSV, into data/M-csv
    python benchmarks/generate.py --size M --format csv-wide          # a row for each meter and day
    python benchmarks/generate.py --size S --rows-per-file 2200       # in hundreds of files, into data/S-2200

Below the target: `landing/` (first run), `next_day/` (linked into it for the second run: one more day, and
corrections of the day before), `reference.db`, `meterlake.toml` (its lake is `lake/` there) and
`expected.json` (kWh as text).
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
from deliveries import MAX_DAYS, ROWS_PER_FILE, Deliveries, day_of
from reference import NAMES, active_on, draw_agreements, product_per_meter_day, write_reference

SIZES = {"S": (5_000, 3), "M": (10_000, 21), "L": (12_000, 87)}  # meters, days
DAYS_PER_FILE = 3
CORRECTED_LATER, CORRECTED_NEXT_DAY = 0.0025, 0.01  # shares of the readings before
CONFIG = """\
lake = {lake}
environment = "production"
active_on = [{active_on}]

[[feeds]]
name = "electricity"
format = "{form}"
path = {landing}
time_zone = "Europe/London"
interval_minutes = 30
direction = "import"
unit = "kWh"

{columns}
[reference]
url = {reference}
feeds = ["electricity"]
"""


COLUMNS = {
    "split_json": """\
[feeds.columns]
meter_id = "meterpoint_id"
interval_start = "interval_start"
consumption = "consumption_delta"
""",
    "csv": """\
[feeds.csv]
meter = "meterpoint_id"
timestamp = "interval_start"
value = "consumption_delta"
""",
    "csv-wide": """\
[feeds.csv]
layout = "wide"
meter = "meter"
timestamp = "day"
value = "(?<time>[0-9]{2}:[0-9]{2})"
""",
}


def generate(target: Path, deliveries: Deliveries, days: int, seed: int) -> None:
    """Fill `target`, from which older deliveries are removed."""
    meters = len(deliveries.meter_ids)
    target = target.resolve()
    landing, next_day = target / "landing" / "electricity", target / "next_day"
    for folder in (landing, next_day, target / "lake"):
        shutil.rmtree(folder, ignore_errors=True)
    (target / "expected.json").unlink(missing_ok=True)  # written last: it says that the rest is complete

    agreements = draw_agreements(meters, days, np.random.default_rng(seed + 1))
    product = product_per_meter_day(meters, days + 1, agreements)
    for first in range(0, days, DAYS_PER_FILE):
        deliveries.readings(landing, first, min(first + DAYS_PER_FILE, days))
    deliveries.corrections(landing, 0, days, CORRECTED_LATER)
    after_first = deliveries.expected(days, product, NAMES)
    deliveries.readings(next_day, days, days + 1)
    deliveries.corrections(next_day, days - 1, days, CORRECTED_NEXT_DAY)
    after_next_day = deliveries.expected(days + 1, product, NAMES)

    write_reference(target / "reference.db", deliveries.meter_ids, agreements)
    as_of = day_of(days // 2)
    config = CONFIG.format(
        lake=json.dumps(str(target / "lake")),
        form=deliveries.form.partition("-")[0],
        columns=COLUMNS[deliveries.form],
        landing=json.dumps(str(landing)),
        reference=json.dumps(f"jdbc:sqlite:{target / 'reference.db'}"),
        active_on=json.dumps(str(as_of)),
    )
    (target / "meterlake.toml").write_text(config, encoding="utf-8")
    expected = {
        "meters": meters,
        "days": days,
        "seed": seed,
        "active_agreements": active_on(as_of, agreements),
        "first": after_first,
        "next_day": after_next_day,
    }
    (target / "expected.json").write_text(json.dumps(expected, indent=1), encoding="utf-8")
    print(f"{deliveries.files} files, {deliveries.rows:,} rows, {after_next_day['total_kwh']} kWh in the end")


def main() -> None:
    """Read the arguments and write the files."""
    parser = argparse.ArgumentParser(description="Write seeded deliveries with known totals.")
    parser.add_argument(
        "--size", choices=SIZES, default="S", help="meters x days: S 5,000 x 3, M 10,000 x 21, L 12,000 x 87"
    )
    parser.add_argument("--meters", type=int, help="another number of meters")
    parser.add_argument("--days", type=int, help=f"another number of days (1 to {MAX_DAYS}, from 2024-01-01)")
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--format", choices=COLUMNS, default="split_json")
    parser.add_argument("--rows-per-file", type=int, default=ROWS_PER_FILE, help="readings in a file")
    parser.add_argument("--target", type=Path, help="folder to fill (benchmarks/data/SIZE)")
    args = parser.parse_args()
    meters, days = args.meters or SIZES[args.size][0], args.days or SIZES[args.size][1]
    if meters < 1 or not 1 <= days <= MAX_DAYS:
        parser.error(f"at least 1 meter and 1 to {MAX_DAYS} days (the clock changes after that)")
    name = f"{meters}x{days}" if args.meters or args.days else args.size
    name += "" if args.format == "split_json" else f"-{args.format}"
    name += "" if args.rows_per_file == ROWS_PER_FILE else f"-{args.rows_per_file}"
    target = args.target or Path(__file__).parent / "data" / name
    generate(target, Deliveries(meters, days, args.seed, args.format, args.rows_per_file), days, args.seed)


if __name__ == "__main__":
    main()
