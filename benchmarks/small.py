"""Small deliveries: a hundred JSON files with the reference database, and ten SMRT files into a lake with a history."""

import json
import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
from deliveries import FIRST_DAY
from deltalake import DeltaTable, QueryBuilder
from generate import COLUMNS, CONFIG
from process_tree import Measured
from reference import draw_agreements, write_reference
from soak import CONFIG as SMRT_CONFIG
from soak import lay

FILES, ROWS, HALF_HOURS = 100, 143, 48
HUNDRED = FILES * ROWS  # readings
HISTORY = 4  # batches of SMRT files
Run = Callable[[list[str], Path], Measured]


def hundred_json(folder: Path, run: Run) -> Measured:
    """100 files of 143 readings, one meter each, and the agreements, into an empty lake."""
    shutil.rmtree(folder, ignore_errors=True)
    landing = folder / "landing" / "electricity"
    landing.mkdir(parents=True)
    total = Decimal(0)
    meters = [str(1_200_000_000_000 + 7_919 * number) for number in range(FILES)]
    for number, meter in enumerate(meters):
        rows = []
        for half_hour in range(ROWS):
            day = FIRST_DAY + timedelta(days=half_hour // HALF_HOURS)
            label = f"{day} {half_hour % HALF_HOURS // 2:02d}:{half_hour % 2 * 30:02d}:00"
            energy = Decimal(number + half_hour) / 1000
            total += energy
            rows.append([label, meter, str(energy)])
        columns = ["interval_start", "meterpoint_id", "consumption_delta"]
        (landing / f"{meter}.json").write_text(json.dumps({"columns": columns, "data": rows}))
    write_reference(folder / "reference.db", meters, draw_agreements(FILES, 3, np.random.default_rng(1)))
    config = CONFIG.format(
        form="split_json",
        columns=COLUMNS["split_json"],
        lake=json.dumps(str(folder / "lake")),
        landing=json.dumps(str(landing)),
        reference=json.dumps(f"jdbc:sqlite:{folder / 'reference.db'}"),
        active_on=json.dumps(str(FIRST_DAY)),
    )
    return _measured(folder, config, run, FILES * ROWS, total)


def ten_smrt(folder: Path, run: Run) -> Measured:
    """Ten files into a lake that has 40; each run is a separate process."""
    shutil.rmtree(folder, ignore_errors=True)
    landing = folder / "gas"
    landing.mkdir(parents=True)
    config = SMRT_CONFIG.format(lake=json.dumps(str(folder / "lake")), landing=json.dumps(str(landing)))
    readings = 0
    for batch in range(HISTORY):
        readings += lay(landing, batch)
    _measured(folder, config, run, readings)
    readings += lay(landing, HISTORY)
    return _measured(folder, config, run, readings)


def _measured(folder: Path, config: str, run: Run, readings: int, total: Decimal | None = None) -> Measured:
    """One run on the folder; exit if the lake is wrong afterwards."""
    (folder / "meterlake.toml").write_text(config)
    measured = run(["run", "--config", str(folder / "meterlake.toml")], folder)
    return checked(measured, folder, readings, total)


def checked(measured: Measured, folder: Path, readings: int, total: Decimal | None = None) -> Measured:
    """The figures if silver is right; else exit."""
    table = QueryBuilder().register("t", DeltaTable(folder / "lake" / "silver" / "readings"))
    query = "select count(*) as readings, sum(consumption) as total from t"
    (found,) = pa.table(table.execute(query).read_all()).to_pylist()
    if measured.exit_code or found["readings"] != readings or total not in {None, found["total"]}:
        sys.exit(f"{folder.name}: exit code {measured.exit_code}, {found}, not {readings} readings of {total}")
    return measured
