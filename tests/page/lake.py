"""What the pages' tests show: the demo's lake, with hostile names, a day that is in part missing, and restated values."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from jobs import query
from pipeline.config.settings import load
from pipeline.runtime.context import Context
from tests.conftest import ROOT, command
from tests.jobs.conftest import put, split_json

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<img src=x onerror=alert(1)>\"';--"
PRODUCT = "<a href='https://example.org'>Night</a> & <b onmouseover=alert(1)>Day</b>"
RESTATED = "2021-11-01 18:00:00"
CHECKS = """
[[checks]]
name = "grave"
severity = "error"
sql = "SELECT * FROM gold.meter_day LIMIT 2"
[[checks]]
name = "harmless"
sql = "SELECT * FROM gold.meter_day LIMIT 1"
"""


def make(folder: Path) -> Path:
    """The configuration of that lake."""
    text = (ROOT / "conf" / "local.toml").read_text().replace("data_lake", str(folder / "data_lake"))
    # One feed is answered, so that a delivery has a response to show.
    text = text.replace('company = "GAZ"', f'company = "GAZ"\nacknowledge = "{folder / "responses"}"')
    config = folder / "local.toml"
    config.write_text(text + CHECKS)
    _run(config, "demo")
    landing = folder / "data_lake" / "landing"
    # Ten half hours of a day of a new meter, and a reading that was published with another value.
    halves = [[f"2021-11-01 {n // 2:02}:{n % 2 * 30:02}:00", HOSTILE, 0.1 + n / 1000] for n in range(10)]
    corrected = split_json(*halves, [RESTATED, "1400000001", 1.234567])
    put(landing / "electricity", "2021-11-02-late.json", corrected, minutes=500_000)
    with closing(sqlite3.connect(landing / "reference.db")) as connection:
        connection.execute("UPDATE product SET display_name = ? WHERE display_name = 'Night Saver'", [PRODUCT])
        connection.commit()
    _run(config, "run")
    return config


def _run(config: Path, name: str) -> None:
    result = command(name, config=config)
    assert result.exit_code == 0, result.output


class Sql:
    """Spark SQL over that lake."""

    def __init__(self, config: Path) -> None:
        self._context = Context(load(config))

    def __call__(self, text: str) -> list[tuple[Any, ...]]:
        """Rows, decimals as the six digits that the API promises and instants as `YYYY-MM-DD HH:MM:SS` in UTC."""
        rows = query.select(self._context, text).toArrow().to_pylist()
        return [tuple(_text(value) for value in row.values()) for row in rows]


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.quantize(Decimal('1e-6')):f}"
    return value if value is None or isinstance(value, (int, str)) else str(value)
