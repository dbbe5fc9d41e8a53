"""The SQLite reference of a benchmark: five products, one or two agreements for nearly every meter."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
from deliveries import FIRST_DAY, Ints

PRODUCTS = ["Agile Day", "Fixed 12 months", "Fixed 24 months", "Flexible", "Night Saver"]
VARIABLE = [1, 0, 0, 1, 1]
NO_AGREEMENT = "(no agreement)"
NAMES = [*PRODUCTS, NO_AGREEMENT]
REGIONS = ["East England", "London", "North Scotland", "South Wales"]
WITHOUT_ANY, WITH_ONE = 0.02, 0.5  # share of meters without an agreement; of the others, with a single one
SCHEMA = """
create table agreement(agreement_id integer, agreement_valid_from text, agreement_valid_to text,
                       product_id integer, meterpoint_id text, account_id integer);
create table product(display_name text, is_variable integer, id integer, product_id integer);
create table meterpoint(region text, meterpoint_id text);
"""


class Agreement(NamedTuple):
    """An agreement of the meter number `meter` on PRODUCTS[product], valid from <= day < to (None: open)."""

    meter: int
    valid_from: date
    valid_to: date | None
    product: int


def draw_agreements(meters: int, days: int, rng: np.random.Generator) -> list[Agreement]:
    """One agreement for each meter, or two that meet on a day; in every third case a delivered day."""
    agreements: list[Agreement] = []
    for meter in range(meters):
        if rng.random() < WITHOUT_ANY:
            continue
        started = FIRST_DAY - timedelta(days=int(rng.integers(400, 900)))
        first, second = (int(product) for product in rng.choice(len(PRODUCTS), 2, replace=False))
        if rng.random() < WITH_ONE:
            agreements.append(Agreement(meter, started, None, first))
            continue
        delivered = rng.random() < 1 / 3
        day = int(rng.integers(0, days + 1) if delivered else -rng.integers(1, 365))
        switched = FIRST_DAY + timedelta(days=day)
        agreements.append(Agreement(meter, started, switched, first))
        agreements.append(Agreement(meter, switched, None, second))
    return agreements


def write_reference(path: Path, meter_ids: Sequence[str], agreements: Iterable[Agreement]) -> None:
    """Write the three tables; dates are text, agreements name `product.product_id`, not `product.id`."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(SCHEMA)
        database.executemany(
            "insert into agreement values (?, ?, ?, ?, ?, ?)",
            (
                (i, str(start), end and str(end), 101 + product, meter_ids[meter], 50_000 + i)
                for i, (meter, start, end, product) in enumerate(agreements, 1)
            ),
        )
        database.executemany(
            "insert into product values (?, ?, ?, ?)",
            ((name, VARIABLE[i], i + 1, 101 + i) for i, name in enumerate(PRODUCTS)),
        )
        database.executemany(
            "insert into meterpoint values (?, ?)",
            ((REGIONS[i % len(REGIONS)], meter_id) for i, meter_id in enumerate(meter_ids)),
        )


def product_per_meter_day(meters: int, days: int, agreements: Iterable[Agreement]) -> Ints:
    """`product[meter, day]`: the index in NAMES of the meter's product; day 0 is the first delivered."""
    product = np.full((meters, days), NAMES.index(NO_AGREEMENT))
    for a in agreements:
        first = max(0, (a.valid_from - FIRST_DAY).days)
        last = days if a.valid_to is None else max(0, (a.valid_to - FIRST_DAY).days)
        product[a.meter, first:last] = a.product
    return product


def active_on(day: date, agreements: Iterable[Agreement]) -> int:
    """How many agreements are active on `day`, strictly between their two dates, as analysts count."""
    return sum(a.valid_from < day and (a.valid_to is None or a.valid_to > day) for a in agreements)
