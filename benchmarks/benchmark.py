"""All figures of docs/performance.md, measured in one run and written there: `make benchmark`.

    python benchmarks/benchmark.py --sizes S M L --repeat 3
    python benchmarks/benchmark.py --sizes S M --parts csv            # the sizes, and of the rest some

Ours and the peers load the same deliveries, each run a whole process, and each lake is compared with the exact totals
after every run (exit 1 when anything differs). M and L are repeated once. Takes two hours with all parts and L, on two
cores. The parts: the sizes; the same deliveries by Sail; the same readings as CSV; S in hundreds of files; small
deliveries; a log of five million deliveries.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import long_log
from measure import one_repeat, prepared
from process_tree import Measured, run_measured
from small import HUNDRED, checked, hundred_json, ten_smrt

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
REPORT = PROJECT / "docs" / "performance.md"
FIGURES = ("wall_s", "cpu_s", "peak_mb", "spark_jobs", "commits")
HEADINGS = ("wall s", "CPU s", "peak MB", "Spark jobs", "commits")
PEERS = {"polars + delta-rs": "polars_delta.py", "DuckDB + delta-rs": "duckdb_delta.py"}
TUTORIAL = {"tutorial-style Spark": "tutorial_spark.py"}
PER_FILE = "tutorial_per_file.py"
EACH_FILE = f"{next(iter(TUTORIAL))}, a DataFrame per file"
CSV = {"csv": "Meterlake, long CSV", "csv-wide": "Meterlake, wide CSV"}
# Readings in a file, where S comes in hundreds of files.
SMALL_FILE = 2_200
LOG_OF, FILES_OF_THE_LOG = 5_000_000, 200_000  # deliveries; how many lie in the landing folder
# Of an environment of its own, which `make .venv-sail/.packages` makes.
SAIL, WITH_SAIL = "Meterlake, engine = sail", PROJECT / ".venv-sail" / "bin" / "python"
PARTS = ("sail", "csv", "files", "small", "log")
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
LOOP = "x = 0\nfor n in range(20_000_000): x += n"
Runs = dict[tuple[str, str, str], list[dict[str, Any]]]  # size, who, step


def measure_size(size: str, repeat: int, runs: Runs) -> None:
    """Ours and the peers on one size; one after the other in each repeat, so that conditions are the same."""
    data, expected = prepared(HERE / "data" / size, size)
    for _ in range(repeat):
        ours = [sys.executable, "main.py", "run", "--config", str(data / "meterlake.toml")]
        _note(runs, size, "Meterlake", one_repeat(data, ours, expected))
        for name, script in PEERS.items():
            command = [sys.executable, str(HERE / "peers" / script), str(data), str(data / "lake")]
            done = one_repeat(data, command, expected, ("first run", "next day"), ("silver", "gold"))
            _note(runs, size, name, done)
    for name, script in TUTORIAL.items() if size == "S" else ():
        command = [sys.executable, str(HERE / "peers" / script), str(data), str(data / "lake")]
        _note(runs, size, name, one_repeat(data, command, expected, ("first run",), ("silver", "gold")))
    if size != "S":
        shutil.rmtree(data / "lake", ignore_errors=True)


def measure_sail(size: str, repeat: int, runs: Runs) -> None:
    """The same deliveries by the engine without a JVM."""
    if not WITH_SAIL.exists():
        sys.exit(f"error: no {WITH_SAIL.relative_to(PROJECT)}: make {WITH_SAIL.parents[1].name}/.packages")
    data, expected = prepared(HERE / "data" / size, size)
    command = [str(WITH_SAIL), "main.py", "run", "--config", str(data / "meterlake.toml")]
    with_engine = ["env", "METERLAKE_ENGINE=sail", *command]
    for _ in range(repeat):
        _note(runs, size, SAIL, one_repeat(data, with_engine, expected))


def measure_csv(size: str, repeat: int, runs: Runs) -> None:
    """The same readings as delimited text; compared with split JSON, which `measure_size` measured."""
    for form, who in CSV.items():
        data, expected = prepared(HERE / "data" / f"{size}-{form}", size, "--format", form)
        ours = [sys.executable, "main.py", "run", "--config", str(data / "meterlake.toml")]
        for _ in range(repeat):
            _note(runs, size, who, one_repeat(data, ours, expected, ("first run",)))
        shutil.rmtree(data / "lake", ignore_errors=True)


def measure_files(runs: Runs) -> None:
    """S in hundreds of files, as suppliers send them; once, for the tutorial takes minutes."""
    data, expected = prepared(HERE / "data" / f"S-{SMALL_FILE}", "S", "--rows-per-file", str(SMALL_FILE))
    ours = [sys.executable, "main.py", "run", "--config", str(data / "meterlake.toml")]
    size = f"S in {expected['first']['files']} files"
    _note(runs, size, "Meterlake", one_repeat(data, ours, expected, ("first run",)))
    shutil.rmtree(data / "lake")
    command = [sys.executable, str(HERE / "peers" / PER_FILE), str(data), str(data / "lake")]
    peer = run_measured(command, PROJECT, dict(os.environ), data / "run.log")
    runs[size, EACH_FILE, "first run"].append(checked(peer, data, expected["first"]["readings"])._asdict())


def _note(runs: Runs, size: str, who: str, done: list[dict[str, Any]]) -> None:
    for run in done:
        runs[size, who, run["step"]].append(run)


def measure_small(repeat: int, runs: Runs) -> None:
    """A hundred small JSON files; ten SMRT files."""

    def run(arguments: list[str], folder: Path) -> Measured:
        environment = {**os.environ, "METERLAKE_PROFILE": str(folder / "profile.jsonl")}
        return run_measured([sys.executable, "main.py", *arguments], PROJECT, environment, folder / "run.log")

    for _ in range(repeat):
        for name, case in {"100 JSON files + reference": hundred_json, "10 SMRT files": ten_smrt}.items():
            folder = HERE / "data" / case.__name__
            measured = case(folder, run)._asdict()
            profile = json.loads((folder / "profile.jsonl").read_text().splitlines()[-1])
            facts = {"spark_jobs": profile["spark_jobs"], "commits": profile["commits"], "profile": profile}
            runs["small", "Meterlake", name].append(measured | facts)
    folder = HERE / "data" / hundred_json.__name__
    shutil.rmtree(folder / "lake")
    command = [sys.executable, str(HERE / "peers" / PER_FILE), str(folder), str(folder / "lake")]
    peer = checked(run_measured(command, PROJECT, dict(os.environ), folder / "run.log"), folder, HUNDRED)
    runs["small", EACH_FILE, "100 JSON files + reference"].append(peer._asdict())


def median(runs: list[dict[str, Any]], figure: str) -> float | None:
    """The median of a figure; None if it was not reported."""
    known = [run[figure] for run in runs if run.get(figure) is not None]
    return statistics.median(known) if known else None


def ratios(runs: Runs) -> list[str]:
    """Wall clock and CPU seconds of every other one, relative to ours on the same deliveries."""
    lines = ["| ours = 1 | wall | CPU | peak memory |", "|---|---|---|---|"]
    for (size, who, step), done in runs.items():
        ours = runs.get((size, "Meterlake", step))
        if who == "Meterlake" or ours is None:
            continue
        cells = [f"{(median(done, f) or 0) / (median(ours, f) or 1):.2f}" for f in ("wall_s", "cpu_s", "peak_mb")]
        lines.append(f"| {_what(size, step)}: {who} | {' | '.join(cells)} |")
    first = next(iter(runs))[0]
    for size in dict.fromkeys(size for size, who, step in runs if (who, step) == ("Meterlake", "next day")):
        done, base = runs[size, "Meterlake", "next day"], runs[first, "Meterlake", "next day"]
        if size != first:
            cells = [f"{(median(done, f) or 0) / (median(base, f) or 1):.2f}" for f in ("wall_s", "cpu_s", "peak_mb")]
            lines.append(f"| {size}, next day, against {first}, next day | {' | '.join(cells)} |")
    return lines


def table(runs: Runs) -> list[str]:
    """Every run in seconds."""
    lines = [f"| | {' | '.join(HEADINGS)} |", "|---" * (len(HEADINGS) + 1) + "|"]
    for (size, who, step), done in runs.items():
        cells = [_cell(median(done, figure)) for figure in FIGURES]
        lines.append(f"| {_what(size, step)}: {who} | {' | '.join(cells)} |")
    return lines


def _what(size: str, step: str) -> str:
    return f"{size}, {step}" if size != "small" else step


def of_the_log(figures: long_log.Figures) -> list[str]:
    """A lake that knows millions of deliveries beside a young one."""
    lines = [f"| {LOG_OF:,} deliveries in the log | young lake | long log | ratio |", "|---|---|---|---|"]
    for name, figure, young, old in long_log.medians(figures):
        lines.append(f"| {name}, {figure} | {young:,.2f} | {old:,.2f} | {old / young:.2f} |")
    return lines


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 or float(value).is_integer() else f"{value:.1f}"  # noqa: PLR2004 - no need


def steps(runs: Runs, size: str) -> list[str]:
    """Where the first run and the next day spend their time."""
    lines = ["| until | first run: s | jobs | commits | next day: s | jobs | commits |", "|---" * 7 + "|"]
    by_step: dict[str, list[str]] = defaultdict(lambda: ["-"] * 6)
    for n, step in enumerate(("first run", "next day")):
        for each in runs[size, "Meterlake", step][0]["profile"]["steps"]:
            by_step[each["name"]][3 * n : 3 * n + 3] = [
                f"{each['seconds']:.1f}", str(each["spark_jobs"]), str(each["commits"])
            ]  # fmt: skip
    return lines + [f"| {name} | {' | '.join(cells)} |" for name, cells in by_step.items()]


def main() -> None:
    """Read the arguments, measure, keep, write the report."""
    parser = argparse.ArgumentParser(description="Measure ours and the peers, and write docs/performance.md.")
    parser.add_argument("--sizes", nargs="+", choices=["S", "M", "L"], default=["S", "M"])
    parser.add_argument("--repeat", type=int, default=3, help="of S and the small ones; M and L are run once")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what is measured")
    args = parser.parse_args()
    started_at, load = datetime.now(UTC), os.getloadavg()[0]
    before = time.process_time()
    exec(LOOP, {})  # noqa: S102 - our own line
    loop_s = time.process_time() - before
    runs: Runs = defaultdict(list)
    for size in args.sizes:
        repeat = args.repeat if size == "S" else 1
        measure_size(size, repeat, runs)
        if "sail" in args.parts and size != "L":
            measure_sail(size, repeat, runs)
        if "csv" in args.parts and size != "L":
            measure_csv(size, repeat, runs)
    if "files" in args.parts:
        measure_files(runs)
    if "small" in args.parts:
        measure_small(args.repeat, runs)
    log = long_log.measured(LOG_OF, FILES_OF_THE_LOG, args.repeat) if "log" in args.parts else None
    about = {
        "started_at": started_at.isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_before": round(load, 2),
        "loop_s": round(loop_s, 2),
        "python": platform.python_version(),
        "repeat": args.repeat,
    }
    results = HERE / "results" / f"benchmark-{started_at:%Y%m%dT%H%M%S}.json"
    results.parent.mkdir(exist_ok=True)
    kept = [{"size": size, "who": who, "step": step, "runs": done} for (size, who, step), done in runs.items()]
    results.write_text(json.dumps({**about, "measured": kept}, indent=1), encoding="utf-8")
    machine = (
        f"Measured {about['started_at']} in one run on {about['cores']} cores (Python {about['python']}; an empty "
        f"loop of 20 million steps took {loop_s:.2f} s, the load before was {load:.1f}). Medians of {args.repeat} "
        "repeats at S and of the small ones, one run of the others."
    )
    said = [
        machine,
        "",
        *ratios(runs),
        "",
        *table(runs),
        *(["", *of_the_log(log)] if log else []),
        "",
        f"Where the time goes at {args.sizes[0]}:",
        "",
        *steps(runs, args.sizes[0]),
    ]
    print("\n".join(said))
    text = REPORT.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    REPORT.write_text("\n".join([head + BEGIN, *said, END + rest.partition(END)[2]]), encoding="utf-8")


if __name__ == "__main__":
    main()
