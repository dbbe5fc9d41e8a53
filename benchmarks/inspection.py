"""What the driver spends on inspecting deliveries: alone, and with two executors (processes of their own). Linux only.

    python benchmarks/inspection.py --copies 4 16 64

The deliveries of size S, copied so many times, are hashed and their frames checked both ways. Prints the CPU seconds of
the driver (Python and its JVM) and of all processes; both ways must come to the same verdicts.
"""

import argparse
import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from measure import prepared
from pyspark.sql import SparkSession

from pipeline import formats
from pipeline.config.feeds import Columns, Feed
from pipeline.config.settings import Settings
from pipeline.deliveries import by_executors, landing
from pipeline.deliveries.delivery import Delivery
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log

HERE = Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")
WORKERS = "local-cluster[2,1,2048]"


def copied(copies: int) -> Feed:
    """A feed whose folder holds the deliveries of S so many times."""
    data, _ = prepared(HERE / "data" / "S", "S")
    folder = HERE / "data" / f"inspection-{copies}"
    if not folder.exists():
        for copy in range(copies):
            shutil.copytree(data / "landing" / "electricity", folder / f"{copy:04d}")
    columns = Columns(meter_id="meterpoint_id", interval_start="interval_start", consumption="consumption_delta")
    return Feed(name="electricity", format="split_json", path=str(folder), time_zone="Europe/London", columns=columns)


def cpu(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def descendants(pid: int) -> set[int]:
    """A process and all that it started."""
    found = {pid}
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # the thread has ended
            for child in (task / "children").read_text().split():
                found |= descendants(int(child))
    return found


def measured(work: Callable[[], list[Delivery]]) -> tuple[list[Delivery], dict[str, float]]:
    """What the work gives, and the seconds it takes: wall clock, CPU of the driver, CPU of all processes."""
    mine = os.getpid()
    jvm = next((pid for pid in descendants(mine) if "SparkSubmit" in _command(pid)), mine)
    pids, driver = descendants(mine), {mine, jvm}
    before, started = {pid: cpu(pid) for pid in pids}, time.monotonic()
    done = work()
    spent = {pid: cpu(pid) - before[pid] for pid in pids}
    wall = time.monotonic() - started
    return done, {"wall s": wall, "driver CPU s": sum(spent[pid] for pid in driver), "all CPU s": sum(spent.values())}


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")


def main() -> None:
    """Measure each number of copies both ways, print, save."""
    parser = argparse.ArgumentParser(description="Inspection by the driver and by executors.")
    parser.add_argument("--copies", type=int, nargs="+", default=[4, 16, 64])
    args = parser.parse_args()
    spark = (
        SparkSession.builder.master(WORKERS)
        .config("spark.ui.enabled", "false")
        .config("spark.log.level", "ERROR")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    figures = []
    for copies in [1, *args.copies]:  # the first warms up
        feed = copied(copies)
        form, found = formats.format_of(feed), landing.find(feed)
        assert form.outline is not None  # noqa: S101 - split JSON has one
        context = Context(Settings(lake=str(HERE / "data" / "no-lake"), feeds=(feed,)), log=Log("", quiet=True))
        context.start_spark()  # it adopts the running session
        alone, driver = measured(partial(landing.inspect, found, feed, form.inspect, "production"))
        spread, executors = measured(partial(by_executors.inspect, context, found, feed, form.inspect, form.outline))
        if alone != spread:
            raise SystemExit("the verdicts differ")
        megabytes = sum(each.size_bytes or 0 for each in found) / 1_000_000
        for way, spent in {"by the driver": driver, "by executors": executors}.items():
            figures.append({"copies": copies, "files": len(found), "MB": round(megabytes), "way": way, **spent})
            said = ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent.items())
            print(f"{len(found):>5} files, {megabytes:6,.0f} MB, {way:<14} {said}", flush=True)
    spark.stop()
    results = HERE / "results" / f"inspection-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(figures, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
