"""The cost of a long history of small batches, with `maintain`: the soak's lake against the same readings in one batch.

    python benchmarks/many_batches.py --repeat 3     # after soak.py, with the same --batches

Loads all deliveries of the soak into a second lake in one run, so that none of its tables has more files than needed;
then ten more SMRT files into each, and reads a meter's month from each, in turns. Prints medians and their ratios (the
first lake's divided by the second's), and exits with 1 if the two lakes give different months. Linux only.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from process_tree import run_measured
from soak import CONFIG, lay

HERE = Path(__file__).resolve().parent
MONTH = """SELECT interval_start, consumption, unit, file_id FROM silver.readings WHERE feed = 'gas' AND meter_id =
'000000007' AND local_date >= DATE'2021-02-01' AND local_date < DATE'2021-03-01' ORDER BY interval_start"""


def main() -> None:
    """Read the arguments, load, measure in turns, print, save."""
    parser = argparse.ArgumentParser(description="A history of many batches against one of one batch.")
    parser.add_argument("--batches", type=int, default=1000, help="how many the soak made")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--maintain", action="store_true", help="maintain the first lake before")
    args = parser.parse_args()
    data = HERE / "data" / "soak"
    configs = {"many batches": data / "meterlake.toml", "one batch": data / "one.toml"}
    configs["one batch"].write_text(
        CONFIG.format(lake=json.dumps(str(data / "one")), landing=json.dumps(str(data / "gas")))
    )
    shutil.rmtree(data / "one", ignore_errors=True)
    _command("run", "--config", str(configs["one batch"]))
    if args.maintain:
        _command("maintain", "--config", str(configs["many batches"]))
    seconds: dict[tuple[str, str], list[float]] = {}
    started = datetime.now(UTC)
    for turn in range(args.repeat):
        lay(data / "gas", args.batches + turn)
        months = {}
        for lake, config in configs.items():
            for what, arguments in {"run": ["run"], "month": ["sql", "--format", "csv", MONTH]}.items():
                log = data / "many.log"
                command = [sys.executable, "main.py", *arguments, "--config", str(config)]
                measured = run_measured(command, HERE.parent, dict(os.environ), log)
                if measured.exit_code:
                    sys.exit(f"{lake}, {what}: exit code {measured.exit_code}\n{log.read_text()[-2000:]}")
                seconds.setdefault((lake, what), []).append(measured.wall_s)
            months[lake] = [line.rpartition(",")[0] for line in log.read_text().splitlines() if line.count(",")]
        if months["many batches"] != months["one batch"] or len(months["one batch"]) < 2:  # noqa: PLR2004 - a heading
            sys.exit("the two lakes give different months")
    figures = {f"{lake}: {what}": statistics.median(some) for (lake, what), some in seconds.items()}
    for what in ("run", "month"):
        figures[f"ratio: {what}"] = figures[f"many batches: {what}"] / figures[f"one batch: {what}"]
    for lake in ("lake", "one"):
        figures[f"{lake}: files"] = sum(1 for _ in (data / lake).rglob("*.parquet"))
    print("\n".join(f"{name:<24} {value:8.2f}" for name, value in figures.items()))
    results = HERE / "results" / f"many-batches-{started:%Y%m%dT%H%M%S}.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps({"batches": args.batches, **figures}, indent=1))


def _command(*arguments: str) -> None:
    subprocess.run([sys.executable, "main.py", *arguments], cwd=HERE.parent, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
