"""The arithmetic of docs/platform.md: from the inputs in its tables to rows, bytes, hours and money.

    python benchmarks/scale.py           # write the computed tables into docs/platform.md, between their marks
    python benchmarks/scale.py --check   # exit 1 if the document has other figures

An input is a table line whose first cell is a name in backticks and whose second a number. The test of the document
(tests/unit/documents/test_platform_document.py) computes the same with its own formulas.
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from math import ceil
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "platform.md"
FLEETS = (10_000, 100_000, 1_000_000, 10_000_000)
INPUT = re.compile(r"^\| `(\w+)` \| ([\d,.]+) \|", re.MULTILINE)
DAY_MINUTES, DAY_SECONDS, MONTH_DAYS, YEAR_DAYS = 1440, 86_400, 30, 365
THREE_DIGITS = 100
Given = Mapping[str, float]


def inputs(text: str) -> dict[str, float]:
    """The stated inputs by name."""
    return {name: float(value.replace(",", "")) for name, value in INPUT.findall(text)}


def readings(meters: int, given: Given) -> float:
    """Readings a day."""
    return meters * DAY_MINUTES / given["minutes"]


def gigabytes(meters: int, given: Given, *names: str) -> float:
    """GB a day of stores; the inputs of those names are their bytes per reading."""
    return readings(meters, given) * sum(given[name] for name in names) / 1e9


def partition_megabytes(meters: int, given: Given, name: str = "silver_bytes") -> float:
    """MB of one feed's day."""
    return gigabytes(meters, given, name) * 1000 / given["feeds"]


def files_a_day(meters: int, given: Given, name: str = "silver_bytes") -> int:
    """Files of a day after compaction: at least one for each feed."""
    return int(given["feeds"]) * ceil(partition_megabytes(meters, given, name) / given["file_mb"])


def deliveries(meters: int, given: Given) -> int:
    """Deliveries a day."""
    return ceil(meters / given["meters_a_delivery"])


def load_hours(meters: int, given: Given) -> float:
    """Core hours a day for what is new, every layer."""
    return readings(meters, given) * given["load_us"] / 1e6 / 3600


def late_hours(meters: int, given: Given) -> float:
    """Core hours a day for the days that late readings touch, rewritten from silver to gold."""
    return readings(meters, given) * given["late_days"] * given["rewrite_us"] / 1e6 / 3600


def fixed_hours(given: Given) -> float:
    """Core hours a day that runs cost whatever they load."""
    return given["runs_a_day"] * given["run_cpu_s"] / 3600


def cluster_hours(meters: int, given: Given) -> float:
    """Core hours a day of work on a cluster, which are more than on one machine."""
    on_one = load_hours(meters, given) + late_hours(meters, given) + fixed_hours(given)
    return on_one * given["cluster_factor"]


def paid_hours(meters: int, given: Given) -> float:
    """Core hours a day that are paid for: only a share of them is busy, and a run has a smallest cluster."""
    return max(cluster_hours(meters, given) / given["busy_share"], given["runs_a_day"] * given["run_core_hours"])


def terabytes(meters: int, given: Given) -> float:
    """TB kept after `kept_days`: bronze of rows, silver, meter days."""
    a_day = gigabytes(meters, given, "bronze_row_bytes", "silver_bytes") + meters * given["meter_day_bytes"] / 1e9
    return a_day * given["kept_days"] / 1000


def listed(meters: int, given: Given) -> float:
    """LIST requests a day if the landing folder holds the deliveries of `kept_days`."""
    return given["runs_a_day"] * ceil(deliveries(meters, given) * given["kept_days"] / 1000)


def request_dollars(meters: int, given: Given) -> float:
    """USD a month for requests: files written and read, deliveries read twice, folders listed."""
    written = files_a_day(meters, given) * (1 + given["late_days"]) + files_a_day(meters, given, "bronze_row_bytes")
    puts = written + listed(meters, given)
    gets = (written + 2 * deliveries(meters, given)) * given["gets_a_file"]
    return MONTH_DAYS * (puts * given["usd_1000_put"] + gets * given["usd_1000_get"]) / 1000


def compute_dollars(meters: int, given: Given) -> float:
    """USD a month for cores."""
    return paid_hours(meters, given) * given["usd_core_hour"] * MONTH_DAYS


def store_dollars(meters: int, given: Given) -> float:
    """USD a month for storage."""
    return terabytes(meters, given) * 1000 * given["usd_gb_month"]


def dollars(meters: int, given: Given) -> float:
    """USD a month, all three."""
    return compute_dollars(meters, given) + store_dollars(meters, given) + request_dollars(meters, given)


def erased_rows(meters: int, given: Given) -> float:
    """Rows of silver that one erasure rewrites today: every meter of the feed, on each kept day."""
    return readings(meters, given) / given["feeds"] * given["kept_days"]


ROWS: dict[str, Callable[[int, Given], float]] = {
    "readings a day, million": lambda n, g: readings(n, g) / 1e6,
    "readings a second, mean": lambda n, g: readings(n, g) / DAY_SECONDS,
    "readings a year, billion": lambda n, g: readings(n, g) * YEAR_DAYS / 1e9,
    "delivered a day as JSON rows, GB": lambda n, g: gigabytes(n, g, "json_bytes"),
    "delivered a day as arrays, GB": lambda n, g: gigabytes(n, g, "array_bytes"),
    "bronze a day from rows, GB": lambda n, g: gigabytes(n, g, "bronze_row_bytes"),
    "bronze a day from arrays, GB": lambda n, g: gigabytes(n, g, "bronze_array_bytes"),
    "silver a day, GB": lambda n, g: gigabytes(n, g, "silver_bytes"),
    "silver a day in the order of meters, GB": lambda n, g: gigabytes(n, g, "silver_ordered_bytes"),
    "gold.meter_day a day, MB": lambda n, g: n * g["meter_day_bytes"] / 1e6,
    "silver of one feed and day, MB": partition_megabytes,
    "silver files a day, as runs leave them": lambda _, g: g["feeds"] * g["runs_a_day"],
    "silver files a day, put together": files_a_day,
    "silver files kept, put together": lambda n, g: files_a_day(n, g) * g["kept_days"],
    "deliveries a day": deliveries,
    "deliveries in the log": lambda n, g: deliveries(n, g) * g["kept_days"],
    "LIST requests a day for the landing folder": listed,
    "core hours a day, new readings": load_hours,
    "core hours a day, late readings": late_hours,
    "core hours a day, late readings in every run": lambda n, g: late_hours(n, g) * g["runs_a_day"],
    "core hours a day, start of the runs": lambda _, g: fixed_hours(g),
    "core hours a day on a cluster, working": cluster_hours,
    "core hours a day on a cluster, paid": paid_hours,
    "cores to do it in two hours": lambda n, g: ceil(cluster_hours(n, g) / 2),
    "stored in the end, TB": terabytes,
    "cores, USD a month": compute_dollars,
    "storage, USD a month": store_dollars,
    "requests, USD a month": request_dollars,
    "all three, USD a month": dollars,
    "USD a meter and year": lambda n, g: dollars(n, g) * YEAR_DAYS / MONTH_DAYS / n,
    "rows that one erasure rewrites, million": lambda n, g: erased_rows(n, g) / 1e6,
    "core hours of one erasure": lambda n, g: erased_rows(n, g) * g["load_us"] / 1e6 / 3600 * g["cluster_factor"],
    "core hours to rebuild everything (`verify`)": lambda n, g: load_hours(n, g) * g["kept_days"] * g["cluster_factor"],
    "one day in the read API's memory, GB": lambda n, g: gigabytes(n, g, "api_bytes"),
}
OTHERS: dict[str, Callable[[Given], float]] = {
    "weather": lambda g: g["grid_points"] * g["variables"] * g["forecast_hours"] * g["weather_runs"],
    "prices": lambda g: g["price_zones"] * DAY_MINUTES / g["minutes"],
    "home profiles": lambda g: FLEETS[-1] * g["profile_changes"],
}


def shown(value: float) -> str:
    """Three digits, or a whole number with commas."""
    if value >= THREE_DIGITS or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}"


def tables(given: Given) -> dict[str, str]:
    """Mark -> the table that follows it."""
    head = "| | " + " | ".join(f"{n:,} meters" for n in FLEETS) + " |\n|---|" + "---:|" * len(FLEETS)
    lines = [f"| {name} | " + " | ".join(shown(of(n, given)) for n in FLEETS) + " |" for name, of in ROWS.items()]
    others = [f"| {name} | {shown(of(given))} |" for name, of in OTHERS.items()]
    return {
        "computed": "\n".join([head, *lines]),
        "others": "\n".join(["| source | rows a day |\n|---|---:|", *others]),
    }


def main() -> None:
    """Write the tables, or compare."""
    parser = argparse.ArgumentParser(description="The arithmetic of docs/platform.md.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 on a difference")
    check = parser.parse_args().check
    before = text = DOCUMENT.read_text(encoding="utf-8")
    for mark, table in tables(inputs(text)).items():
        begin, end = f"<!-- {mark}: begin -->\n", f"<!-- {mark}: end -->"
        text = text[: text.index(begin) + len(begin)] + table + "\n" + text[text.index(end) :]
    if check and text != before:
        sys.exit(f"error: {DOCUMENT.name} states other figures than its inputs lead to: run benchmarks/scale.py")
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
