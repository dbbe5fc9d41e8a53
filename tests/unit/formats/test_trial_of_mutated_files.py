"""What `try` says of mutated files of each format is what the independent oracles of `make test-faults` say, without Spark."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import trial
from tests.fuzz import (
    csv_files,
    csv_oracle,
    nem12_files,
    nem12_oracle,
    obis_documents,
    obis_oracle,
    parquet_files,
    parquet_oracle,
    smrt_files,
    smrt_oracle,
    split_documents,
    split_oracle,
)
from tests.fuzz.json_oracle import ANYTHING

# All files came then, as the oracles have it.
AT = datetime(2021, 11, 1, tzinfo=UTC)
MILLION = 1_000_000
CASES = {
    "smrt": (Feed(name="f", format="smrt", path="p"), smrt_files, smrt_oracle, 1500),
    "split_json": (
        Feed(name="f", format="split_json", path="p", time_zone="Europe/London"),
        split_documents,
        split_oracle,
        1500,
    ),
    "obis_json": (Feed(name="f", format="obis_json", path="p"), obis_documents, obis_oracle, 1500),
    "interval_parquet": (
        Feed(name="f", format="interval_parquet", path="p", time_zone="Europe/Vilnius", unit="Wh"),
        parquet_files,
        parquet_oracle,
        400,
    ),
    "csv": (csv_files.FEED, csv_files, csv_oracle, 3000),
    "nem12": (Feed(name="f", format="nem12", path="p"), nem12_files, nem12_oracle, 4000),
}
# Where an oracle's rows say the direction.
WAY = {"obis_json": 5, "csv": 5, "nem12": 6}


def truth(form, made, oracle):
    """(code of the file, its rows) as the oracle says."""
    more = {"smrt": "environment", "interval_parquet": "table"}.get(form)
    arguments = [getattr(made, more)] if more else []
    arguments += [made.codec] if form == "interval_parquet" else []
    return oracle.verdict(made.name, made.content, *arguments)


@pytest.mark.parametrize("form", CASES)
def test_counts_reasons_and_energy_are_the_oracles(form):
    feed, files, oracle, count = CASES[form]
    sound = refused = rejected = 0
    for number in range(count):
        made = files.made(number)
        delivery = Delivery("f", made.name, f"p/{made.name}", made.name, len(made.content), AT)
        looked_at = trial.inspected(made.content, delivery, feed, getattr(made, "environment", "production"))
        found = trial.tried(made.content, looked_at, feed, AT)
        code, rows = truth(form, made, oracle)
        assert found.delivery.reason_code == code, (number, made.content[:500])
        if code or any(row[2] is ANYTHING and row[1] is None for row in rows):
            refused += 1
            continue
        said = {each.row_number: each.reason_code for each in found.refused}
        codes = {row[0]: [other[1] for other in rows if other[0] == row[0] and other[1]] for row in rows if row[1]}
        assert said.keys() == codes.keys(), (number, made.content[:500])
        assert all(said[row] in codes[row] for row in said), (number, said, codes)
        numbers = {row[0] for row in rows}
        assert (found.judged, found.delivery.rows_accepted) == (len(numbers), len(numbers) - len(codes)), number
        # The last row of a meter, direction and interval counts.
        current = {
            (row[2], row[WAY[form]] if form in WAY else None, row[3]): row[4]
            for row in rows
            if row[1] is None and row[3] is not None
        }
        energy = sum(day.consumption for day in found.days.values())
        assert energy == Decimal(sum(current.values())) / MILLION, (number, made.content[:500])
        assert sum(day.readings for day in found.days.values()) == len(current), number
        sound += 1
        rejected += len(said)
    assert sound > count / 4
    assert refused > 10
    assert rejected > 10
