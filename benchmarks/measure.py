"""Measure the main job on generated deliveries: first run, one more day, nothing new; each a whole process.

    python benchmarks/measure.py --size S --repeat 3

Generates the deliveries if they are missing, starts every repeat from an empty lake, compares the lake
with the exact totals after every run (exit 1 if anything differs), prints medians and ranges, and saves
all figures in benchmarks/results/. benchmarks/README.md explains each figure.
"""

import argparse
import json
import os
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from check import LAYERS, differences
from process_tree import run_measured

HERE = Path(__file__).resolve().parent
# What is run, and the part of expected.json that must be true after it.
STEPS = {"first run": "first", "next day": "next_day", "nothing new": "next_day"}
FIGURES = {
    "wall s": "wall_s",
    "CPU s": "cpu_s",
    "peak MB": "peak_mb",
    "Spark jobs": "spark_jobs",
    "commits": "commits",
}

NO_DECIMALS_FROM = 1000


def commits(lake: Path) -> set[Path]:
    """Every Delta commit of every table below the lake."""
    return {path.relative_to(lake) for path in lake.rglob("_delta_log/*.json") if path.stem.isdigit()}


def one_repeat(
    data: Path,
    command: list[str],
    expected: Mapping[str, Any],
    steps: Collection[str] = tuple(STEPS),
    layers: Collection[str] = LAYERS,
) -> list[dict[str, Any]]:
    """Run the steps on a fresh lake, one record each; exit if a run fails or the lake is wrong in those layers."""
    lake, landing = data / "lake", data / "landing" / "electricity"
    next_day = sorted((data / "next_day").iterdir())
    shutil.rmtree(lake, ignore_errors=True)
    lake.mkdir()
    for file in next_day:
        (landing / file.name).unlink(missing_ok=True)
    runs: list[dict[str, Any]] = []
    for step in steps:
        part = STEPS[step]
        if step == "next day":
            for file in next_day:
                os.link(file, landing / file.name)  # the same file: content and modification time
        before, profile, log = commits(lake), data / "profile.jsonl", data / "run.log"
        profile.unlink(missing_ok=True)
        measured = run_measured(
            command,
            HERE.parent,
            {**os.environ, "METERLAKE_PROFILE": str(profile)},
            log,
        )
        if measured.exit_code:
            tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
            sys.exit("\n".join([f"{step}: exit code {measured.exit_code}", *tail]))
        new = sorted(str(path) for path in commits(lake) - before)
        wrong = differences(lake, expected[part], expected["meters"], expected["active_agreements"], layers)
        if step == "nothing new":
            wrong += [f"a new version without new data: {path}" for path in new if not path.startswith("ops/")]
        if wrong:
            sys.exit("\n".join([f"{step}: THE LAKE IS WRONG", *wrong]))
        profiled = json.loads(profile.read_text().splitlines()[-1]) if profile.exists() else {}
        runs.append(
            {
                "step": step,
                **measured._asdict(),
                "spark_jobs": profiled.get("spark_jobs"),
                "commits": len(new),
                "new": new,
                "profile": profiled,
            }
        )
        print(f"{step:<12} {measured.wall_s:6.1f} s wall, {measured.cpu_s:6.1f} s CPU", file=sys.stderr)
    return runs


def cell(values: Iterable[float | None]) -> str:
    """Format the median and, for several values, the range; `-` if the figure was not reported."""
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    if min(known) == max(known) and isinstance(known[0], int):
        return str(known[0])
    digits = 1 if isinstance(known[0], float) and max(known) < NO_DECIMALS_FROM else 0
    text = f"{statistics.median(known):.{digits}f}"
    return text if len(known) == 1 else f"{text} ({min(known):.{digits}f}..{max(known):.{digits}f})"


def table(runs: list[dict[str, Any]]) -> str:
    """One line for each step, one column for each figure."""
    lines = [["", *FIGURES]]
    lines += [
        [step, *(cell(run.get(key) for run in runs if run["step"] == step) for key in FIGURES.values())]
        for step in STEPS
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(map(str.rjust, line, widths)) for line in lines)


def prepared(data: Path, size: str, *more: str) -> tuple[Path, dict[str, Any]]:
    """The folder with its deliveries, generated if they are missing, and the expected totals."""
    if not (data / "expected.json").exists():
        generate = [sys.executable, str(HERE / "generate.py"), "--size", size, "--target", str(data), *more]
        subprocess.run(generate, check=True)
    expected: dict[str, Any] = json.loads((data / "expected.json").read_text())
    return data, expected


def main() -> None:
    """Read the arguments, measure, print, save."""
    parser = argparse.ArgumentParser(description="Measure the main job on generated deliveries.")
    parser.add_argument(
        "--size", choices=["S", "M", "L"], default="S", help="meters x days: 5,000 x 3, 10,000 x 21, 12,000 x 87"
    )
    parser.add_argument("--data", type=Path, help="a folder filled by generate.py (benchmarks/data/SIZE)")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--steps", nargs="+", choices=list(STEPS), default=list(STEPS), help="which runs, in order")
    parser.add_argument("--command", default=f"{shlex.quote(sys.executable)} main.py", help="what to measure")
    args = parser.parse_args()
    data, expected = prepared((args.data or HERE / "data" / args.size).resolve(), args.size)
    started_at, load = datetime.now(UTC), os.getloadavg()[0]
    command = [*shlex.split(args.command), "run", "--config", str(data / "meterlake.toml")]
    runs = [run for _ in range(args.repeat) for run in one_repeat(data, command, expected, args.steps)]
    about = {
        "started_at": started_at.isoformat(timespec="seconds"),
        "meters": expected["meters"],
        "days": expected["days"],
        "repeats": args.repeat,
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
        "python": platform.python_version(),
    }
    results = HERE / "results" / f"{data.name}-{started_at:%Y%m%dT%H%M%S}.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps({**about, "runs": runs}, indent=1), encoding="utf-8")
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    print(table(runs))
    print("every run gave the exact totals")


if __name__ == "__main__":
    main()
