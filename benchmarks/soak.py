"""A thousand small batches through one `watch`: latency and memory over time. Linux only.

    python benchmarks/soak.py --batches 1000

Each batch is ten small SMRT files, put into the landing folder when the batch before is done. Exit 1 if a reading is
missing afterwards. The figures of every hundred batches are printed and saved in results/.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

HERE = Path(__file__).resolve().parent
FILES, METERS, BATCHES_A_DAY, SECONDS_FOR_A_BATCH = 10, 5, 4, 300
CONFIG = """\
lake = {lake}
environment = "production"

[[feeds]]
name = "gas"
format = "smrt"
path = {landing}
"""


def lay(landing: Path, batch: int) -> int:
    """Ten files with six hours of five meters each, whole when they appear; returns how many readings."""
    day = date(2021, 1, 1) + timedelta(days=batch // BATCHES_A_DAY)
    hours = range(batch % BATCHES_A_DAY * 6, batch % BATCHES_A_DAY * 6 + 6)
    for file in range(FILES):
        name = f"PN{batch * FILES + file:06d}"
        energy = f"{file}.{batch % 1000:03d}"
        rows = [
            f'"CONSU","{file * METERS + meter:09d}","{day:%Y%m%d}","{hour:02d}00",{energy}'
            for meter in range(METERS)
            for hour in hours
        ]
        part = landing / f".{name}.part"
        part.write_text("\n".join([f'"HEADR","SMRT","GAZ","{day:%Y%m%d}","060000","{name}"', *rows, '"TRAIL"', ""]))
        part.rename(landing / f"{name}.SMRT")
    return FILES * METERS * len(hours)


def resident_mb(pid: int) -> tuple[float, float]:
    """(Python, its JVM), in 10^6 bytes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    threads = [
        child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    javas = [child for child in {*children, *threads} if Path(f"/proc/{child}/comm").read_text().strip() == "java"]
    page = os.sysconf("SC_PAGE_SIZE") / 1e6
    own, *java = (int(Path(f"/proc/{each}/statm").read_text().split()[1]) * page for each in (str(pid), *javas))
    return round(own, 1), round(sum(java), 1)


def main() -> None:
    """Read the arguments, soak, print, save."""
    parser = argparse.ArgumentParser(description="Batches through one watch.")
    parser.add_argument("--batches", type=int, default=1000)
    parser.add_argument("--maintain-every", type=int, default=200)
    args = parser.parse_args()
    data = HERE / "data" / "soak"
    shutil.rmtree(data, ignore_errors=True)
    landing = data / "gas"
    landing.mkdir(parents=True)
    config = data / "meterlake.toml"
    config.write_text(CONFIG.format(lake=json.dumps(str(data / "lake")), landing=json.dumps(str(landing))))
    every = ["--maintain-every", str(args.maintain_every)]
    with (data / "watch.err").open("w") as errors:
        watch = subprocess.Popen(
            [sys.executable, "main.py", "watch", "--json", "--poll", "0.2", "--config", str(config), *every],
            cwd=HERE.parent,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    lines = iter(watch.stdout or ())
    started, readings = datetime.now(UTC), 0
    seconds: list[float] = []
    figures: list[dict[str, float]] = []
    try:
        for batch in range(args.batches):
            readings += lay(landing, batch)
            files = 0
            while files < FILES:  # the watch may look between two of them
                facts = json.loads(next(lines))
                files += facts["files"]
            seconds.append(facts["seconds"])
            if len(seconds) % 100 == 0 or batch == args.batches - 1:
                last = seconds[-100:]
                python, jvm = resident_mb(watch.pid)
                figure = {"batches": len(seconds), "median_s": statistics.median(last), "slowest_s": max(last)}
                figures.append(figure | {"python_mb": python, "jvm_mb": jvm})
                print(figures[-1], flush=True)
        watch.send_signal(signal.SIGTERM)
        code = watch.wait(SECONDS_FOR_A_BATCH)
    finally:
        watch.kill()
    table = QueryBuilder().register("t", DeltaTable(data / "lake" / "silver" / "readings"))
    found = pa.table(table.execute("select count(*) as n from t").read_all()).to_pylist()[0]["n"]
    results = HERE / "results" / f"soak-{started:%Y%m%dT%H%M%S}.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(
        json.dumps({"started_at": started.isoformat(), "seconds": seconds, "figures": figures}, indent=1)
    )
    if code or found != readings:
        sys.exit(f"exit code {code}, {found} readings of {readings}")
    print(f"{readings:,} readings, all there; the watch ended with 0 after {(datetime.now(UTC) - started)}")


if __name__ == "__main__":
    main()
