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
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, WriterProperties, write_deltalake
from load import ask
from process_tree import Measured, run_measured

HERE = Path(__file__).resolve().parent
DAYS, FIRST_DAY, REAL, READINGS = 50, date(2026, 9, 1), 20, 48
GAS_SHARE, REJECTED_SHARE, DUPLICATE_SHARE = 0.02, 0.002, 0.01
# Bytes of a synthetic file; the log says so of each.
SIZE = 64
PAGES = 30
CONFIG = """\
lake = {lake}
environment = "production"

[[feeds]]
name = "gas"
format = "smrt"
path = {gas}

[[feeds]]
name = "electricity"
format = "split_json"
path = {electricity}
time_zone = "Europe/London"
interval_minutes = 30

[feeds.columns]
meter_id = "meterpoint_id"
interval_start = "interval_start"
consumption = "consumption_delta"
"""


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
        _configured(old)
        _grow(old, deliveries, files)
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
            _lay_real(lake, a_day, FIRST_DAY + timedelta(days=DAYS + 1 + turn + _turns(data)))
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


def _configured(lake: Path) -> None:
    folders = {name: json.dumps(str(lake / name)) for name in ("lake", "gas", "electricity")}
    (lake / "meterlake.toml").write_text(CONFIG.format(**folders))


def _young(lake: Path) -> None:
    """A lake with a few real deliveries of two feeds."""
    for feed in ("gas", "electricity"):
        (lake / feed).mkdir(parents=True)
    _configured(lake)
    _lay_real(lake, REAL, FIRST_DAY - timedelta(days=1))
    _run(lake, ["run"])


def _lay_real(lake: Path, count: int, day: date) -> None:
    """Deliveries of one meter and day each, the last twentieth of them SMRT files."""
    gas = max(1, count // 20)
    folder = lake / "electricity" / f"{day:%Y/%m/%d}"
    folder.mkdir(parents=True)
    columns = ["interval_start", "meterpoint_id", "consumption_delta"]
    for number in range(count - gas):
        labels = [f"{day} {half // 2:02d}:{half % 2 * 30:02d}:00" for half in range(READINGS)]
        rows = [[label, f"{12 * 10**11 + number}", f"0.{half:03d}"] for half, label in enumerate(labels)]
        (folder / f"real_{number:06d}.json").write_text(json.dumps({"columns": columns, "data": rows}))
    first = 900_000 + (day - FIRST_DAY).days * 500
    for number in range(first, first + gas):
        lines = [f'"CONSU","{number:09d}","{day:%Y%m%d}","{hour:02d}00",1.{hour:03d}' for hour in range(24)]
        header = f'"HEADR","SMRT","GAZ","{day:%Y%m%d}","060000","PN{number:06d}"'
        (lake / "gas" / f"PN{number:06d}.SMRT").write_text("\n".join([header, *lines, '"TRAIL"', ""]))


def _grow(lake: Path, deliveries: int, files: int) -> None:
    """Write the deliveries into the log, a batch a day, and the newest files into the landing folder."""
    log = DeltaTable(lake / "lake" / "ops" / "ingestion_log")
    (known,) = pa.table(log.to_pyarrow_dataset().to_table(columns=["file_id", "batch_id"])).group_by([]).aggregate(
        [("file_id", "max"), ("batch_id", "max")]
    ).to_pylist()  # fmt: skip
    first_id, batch = known["file_id_max"] + 1, known["batch_id_max"]
    mark = _mark(log)
    schema = pa.schema(log.to_pyarrow_dataset().schema)
    left = files
    for some in _days(deliveries, first_id, batch):
        batch += 1
        rows = pa.table({name: some[name] for name in schema.names}, schema=schema)
        stamp = CommitProperties(custom_metadata={"userMetadata": _text(mark | {"batch_id": batch})})
        # As the program writes it.
        write_deltalake(log, rows, mode="append", commit_properties=stamp, writer_properties=WRITER)
    for some in _days(deliveries, first_id, known["batch_id_max"], newest_first=True):
        left -= _lay_synthetic(lake, some, left)
        if left <= 0:
            break
    for table in sorted((lake / "lake").glob("*/*/_delta_log")):
        opened = DeltaTable(table.parent)
        if (said := _mark(opened)).get("batch_id") and table.parent.name != "ingestion_log":
            stamp = CommitProperties(custom_metadata={"userMetadata": _text(said | {"batch_id": batch})})
            nothing = opened.to_pyarrow_dataset().schema.empty_table()
            write_deltalake(opened, nothing, mode="append", commit_properties=stamp)


WRITER = WriterProperties(compression="ZSTD", max_row_group_size=20_000)


def _mark(table: DeltaTable) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(table.history(1)[0].get("userMetadata") or "{}").get("meterlake", {})
    return found


def _text(mark: dict[str, Any]) -> str:
    return json.dumps({"meterlake": mark})


def _days(deliveries: int, first_id: int, batch: int, *, newest_first: bool = False) -> Iterator[dict[str, Any]]:
    """The log's columns of each day."""
    a_day = deliveries // DAYS
    for day in reversed(range(DAYS)) if newest_first else range(DAYS):
        yield _day(day, a_day, first_id + day * a_day, batch + 1 + day)


def _day(number: int, count: int, first_id: int, batch: int) -> dict[str, Any]:
    """A day's deliveries: some refused, some of them sent again a day later under the same path."""
    chance = np.random.default_rng(number)
    day = FIRST_DAY + timedelta(days=number)
    six = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    gas = int(count * GAS_SHARE)
    drawn = chance.random(count)
    refused, again = drawn < REJECTED_SHARE, drawn > 1 - DUPLICATE_SHARE
    status = np.where(refused, "rejected", np.where(again, "duplicate", "loaded"))
    counts = np.where(status == "loaded", READINGS, 0)
    generations = [f"PN{number * gas + each:06d}" for each in range(gas)]
    names = [f"{name}.SMRT" for name in generations] + [f"meter_{each:06d}.json" for each in range(count - gas)]
    paths = names[:gas] + [f"{day:%Y/%m/%d}/{name}" for name in names[gas:]]
    is_gas = np.arange(count) < gas
    return {
        "file_id": np.arange(first_id, first_id + count),
        "feed": np.where(is_gas, "gas", "electricity"),
        "file_name": names,
        "file_path": [f"/landing/{path}" for path in paths],
        "size_bytes": np.full(count, SIZE),
        "modified_at": [six + timedelta(milliseconds=each) for each in range(count)],
        "sha256": [chance.bytes(32).hex() for _ in range(count)],
        "status": status,
        "reason_code": ["MALFORMED_JSON" if each else None for each in refused],
        "reason": ["line 1: the text ends within an array" if each else None for each in refused],
        "rows_read": counts,
        "rows_accepted": counts,
        "rows_rejected": np.zeros(count, int),
        "created_at": [six if own else None for own in is_gas],
        "generation": generations + [None] * (count - gas),
        "received_at": [six + timedelta(hours=2)] * count,
        "batch_id": np.full(count, batch),
        "run_id": [f"{number:012x}"] * count,
        "relative_path": paths,
        "local_dates": [[day - timedelta(days=1)] if each else [] for each in counts],
        "repeated_times": np.zeros(count, int),
        "revision": np.full(count, batch),
        "rows_erased": np.zeros(count, int),
    }  # fmt: skip


def _lay_synthetic(lake: Path, some: dict[str, Any], most: int) -> int:
    """The day's files, with the sizes and times that the log says."""
    laid = 0
    for feed, path, at in list(zip(some["feed"], some["relative_path"], some["modified_at"], strict=True))[:most]:
        file = lake / str(feed) / path
        if not file.parent.exists():
            file.parent.mkdir(parents=True)
        file.write_bytes(b" " * SIZE)
        moment = int(at.timestamp()) * 10**9 + at.microsecond * 1000
        os.utime(file, ns=(moment, moment))
        laid += 1
    return laid


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
