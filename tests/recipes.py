"""docs/formats.md parsed: each recipe's entry, its file, and what the page's table says of it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "formats.md"
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = PAGE.parent / "examples"
# When the files came.
RECEIVED = datetime(2023, 11, 20, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Expected:
    """What comes out of a file: a row of the page's last table."""

    rows: int
    rejected: tuple[str, ...]
    without_reading: int
    readings: int
    # Direction -> energy in silver's unit.
    energy: dict[str, Decimal]
    unit: str
    first: datetime


@dataclass(frozen=True)
class Recipe:
    """A section: its `[[feeds]]` entry, the file that it links, and the lines of it that it shows."""

    feed: dict[str, Any]
    file: Path
    shown: tuple[str, ...]
    expected: Expected

    @property
    def name(self) -> str:
        return str(self.feed["name"])


def recipes() -> list[Recipe]:
    expected = _expected()
    found = []
    for section in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]:
        blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
        if "toml" not in blocks:
            continue
        (feed,) = tomllib.loads(blocks["toml"])["feeds"]
        (link,) = re.findall(r"\]\((examples/[^)]+)\)", section)
        shown = tuple(blocks["text"].splitlines())
        found.append(Recipe(feed, PAGE.parent / link, shown, expected[feed["name"]]))
    return found


def _expected() -> dict[str, Expected]:
    return dict(_row(row) for row in re.findall(r"^\| `(\w+)` \|(.*)\|$", TEXT, re.MULTILINE))


def _row(row: tuple[str, str]) -> tuple[str, Expected]:
    rows, rejected, without, readings, imported, exported, first = (cell.strip() for cell in row[1].split("|"))
    energy = {way: cell.split(" ") for way, cell in (("import", imported), ("export", exported)) if cell}
    (unit,) = {each[1] for each in energy.values()}
    return row[0], Expected(
        rows=int(rows),
        rejected=tuple(re.findall(r"`(\w+)`", rejected)),
        without_reading=int(without),
        readings=int(readings),
        energy={way: Decimal(each[0]) for way, each in energy.items()},
        unit=unit,
        first=datetime.fromisoformat(f"{first}Z"),
    )
