"""The cost of a long log: a lake that knows N deliveries against the same lake with a few. Linux only.

    python benchmarks/long_log.py --deliveries 5000000 --files 200000

Loads a few real deliveries into a lake, copies it, and writes N synthetic deliveries (fifty days, a batch a day) into
the copy's log, with the files of the newest ones in its landing folder. Then runs with nothing new, commands, the API's
pages, and a next day of real deliveries, on both lakes in turns. Prints medians and their ratios, and saves them.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from load import ask
from long_log_lakes import DAYS, FIRST_DAY, configured, grow, lay_real
from process_tree import Measured, run_measured

HERE = Path(__file__).resolve().parent
REAL, PAGES = 20, 30

Figures = dict[str, dict[str, list[float]]]  # "lake: what", figure


def main() -> None:
    """Read the arguments, build both lakes, measure in turns, print, save."""
    parser = argparse.ArgumentParser(description="A lake with a long log against a young one.")
    parser.add_argument("--deliveries", type=int, default=200_000)
    parser.add_argument("--files", type=int, default=200_000, help="how many of them lie in the landing folder")
    parser.add_argument("--next", type=int, default=1000, help="deliveries of the next day")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rebuild", action="store_true", help="build the lakes again, even if they are there")
    parser.add_argument("--without-next-day", action="store_true", help="only what needs no JVM")
    args = parser.parse_args()
    figures = measured(
        args.deliveries, args.files, args.repeat, 0 if args.without_next_day else args.next, args.rebuild
    )
    _print(figures)
    results = HERE / "results" / f"long-log-{datetime.now(UTC):%Y%m%dT%H%M%S}.json"
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps(vars(args) | {"figures": figures}, indent=1))


def measured(deliveries: int, files: int, repeat: int, a_day: int = 1000, rebuild: bool = False) -> Figures:  # noqa: FBT001, FBT002 - a flag of the command
    """The figures of both lakes in turns; `a_day` deliveries for the next day, 0: none."""
    data = HERE / "data" / f"long_log_{deliveries}_{files}"
    young, old = data / "young", data / "old"
    if rebuild or not (data / "complete").exists():
        shutil.rmtree(data, ignore_errors=True)
        _young(young)
        shutil.copytree(young, old, copy_function=shutil.copy2)
        configured(old)
        grow(old, deliveries, files)
        (data / "complete").touch()
    figures: Figures = {}
    for _ in range(repeat):
        for lake in (young, old):
            for name, command in _commands().items():
                _note(figures, f"{lake.name}: {name}", _run(lake, command))
    for lake in (young, old):
        figures[f"{lake.name}: API pages"] = _pages(lake)
    for turn in range(repeat if a_day else 0):
        for lake in (young, old):
            lay_real(lake, a_day, FIRST_DAY + timedelta(days=DAYS + 1 + turn + _turns(data)))
            _note(figures, f"{lake.name}: next day", _run(lake, ["run"]))
        (data / "complete").write_text(str(_turns(data) + 1))
    return figures


def medians(figures: Figures) -> list[tuple[str, str, float, float]]:
    """(what, figure, in the young lake, in the old one)."""
    found = []
    for name in sorted({name.split(": ", 1)[1] for name in figures}):
        for figure in figures.get(f"young: {name}", {}):
            young, old = (statistics.median(figures[f"{lake}: {name}"][figure]) for lake in ("young", "old"))
            found.append((name, figure, young, old))
    return found


def _commands() -> dict[str, list[str]]:
    return {"nothing new": ["run"], "files": ["files", "--limit", "3"], "status": ["status"]}


def _turns(data: Path) -> int:
    """How many next days both lakes have had."""
    return int((data / "complete").read_text() or 0)


def _note(figures: Figures, name: str, measured: Measured) -> None:
    for figure in ("wall_s", "cpu_s", "peak_mb"):
        figures.setdefault(name, {}).setdefault(figure, []).append(getattr(measured, figure))


def _print(figures: Figures) -> None:
    print(f"{'':<14}{'':<9}{'young':>10}{'old':>10}{'ratio':>8}")
    for name, figure, young, old in medians(figures):
        print(f"{name:<14}{figure:<9}{young:>10.2f}{old:>10.2f}{old / young:>8.2f}")


def _run(lake: Path, command: list[str]) -> Measured:
    log = lake / "command.log"
    whole = [sys.executable, "main.py", *command, "--config", str(lake / "meterlake.toml")]
    measured = run_measured(whole, HERE.parent, dict(os.environ), log)
    if measured.exit_code:
        sys.exit(f"{lake.name}: {command}: exit code {measured.exit_code}\n{log.read_text()[-3000:]}")
    return measured


def _young(lake: Path) -> None:
    """A lake with a few real deliveries of two feeds."""
    for feed in ("gas", "electricity"):
        (lake / feed).mkdir(parents=True)
    configured(lake)
    lay_real(lake, REAL, FIRST_DAY - timedelta(days=1))
    _run(lake, ["run"])


def _pages(lake: Path) -> dict[str, list[float]]:
    """Seconds of pages of /files, each behind the one before."""
    with subprocess.Popen(
        [sys.executable, "main.py", "serve", "--port", "0", "--config", str(lake / "meterlake.toml")],
        cwd=HERE.parent, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None  # noqa: S101 - it is piped
            port = int(server.stdout.readline().split("127.0.0.1:")[1].split("/")[0])
            figures: dict[str, list[float]] = {}
            for what, question in {"s": "/files?limit=100", "s rejected": "/files?limit=100&status=rejected"}.items():
                address: str | None = question
                for page in range(PAGES):
                    if address is None:
                        break
                    started = time.perf_counter()
                    address = ask(port, address)["next"]
                    figures.setdefault(what if page else f"{what} (first)", []).append(time.perf_counter() - started)
            return figures
        finally:
            server.send_signal(signal.SIGTERM)


if __name__ == "__main__":
    main()
