"""Twenty thousand deliveries in one run, and single ones of 200 MB: all there, exactly, in a session of usual size."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from pipeline.runtime import memory
from tests.jobs.conftest import smrt

pytestmark = pytest.mark.faults
EACH = 10_000
METERS = 100
JSON = '{{"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": [{}]}}'
LARGE = 200_000_000


def many(place):
    """Three readings a file, no two of one key; every thousandth file is cut, every thousandth holds a bad row."""
    for n in range(EACH):
        meter, turn = n % METERS, n // METERS
        hours = [datetime(2021, 4, 1, tzinfo=UTC) + timedelta(hours=3 * turn + k) for k in range(3)]
        lines = [f'"{meter}","{at:%Y%m%d}","{at:%H%M}",{n}.{k}' for k, at in enumerate(hours)]
        halves = [datetime(2021, 1, 4, tzinfo=UTC) + timedelta(minutes=30 * (3 * turn + k)) for k in range(3)]
        rows = [f'["{at:%Y-%m-%d %H:%M:%S}", "m{meter}", {n}.{k}]' for k, at in enumerate(halves)]
        if n % 1000 == 1:
            lines[1], rows[1] = lines[1] + "x", rows[1].replace(f"{n}.1", "null")
        cut = -9 if n % 1000 == 2 else None
        place.put(f"gas/{turn}/PN{n:06}.SMRT", smrt(f"PN{n:06}", *lines)[:cut])
        place.put(f"electricity/{turn}/{n}.json", JSON.format(", ".join(rows)).encode()[:cut])


def test_twenty_thousand_deliveries_in_one_run(place):
    many(place)
    done = place.call("run", "--json")
    assert done.code == 0, done.err[-3000:]
    bad = EACH // 1000
    log = place.rows(
        "ops.ingestion_log", "feed", "relative_path", "status", "reason_code", "rows_read", "rows_rejected"
    )
    assert len({row[:2] for row in log}) == len(log) == 2 * EACH
    assert Counter((row[0], row[2], row[3]) for row in log) == {
        ("gas", "loaded", None): EACH - bad,
        ("gas", "rejected", "TRAILER_MISSING"): bad,
        ("electricity", "loaded", None): EACH - bad,
        ("electricity", "rejected", "MALFORMED_JSON"): bad,
    }
    assert [sum(row[n] for row in log) for n in (4, 5)] == [2 * 3 * (EACH - bad), 2 * bad]
    sound = [n for n in range(EACH) if n % 1000 != 2]
    total = sum(Decimal(f"{n}.{k}") for n in sound for k in range(3) if not (k == 1 and n % 1000 == 1))
    sums = Counter()
    for feed, consumption in place.rows("silver.readings", "feed", "consumption"):
        sums[feed] += consumption
    assert sums == {"gas": total, "electricity": total}
    days = place.rows("gold.meter_day", "feed", "consumption")
    assert sum(consumption for _, consumption in days) == 2 * total
    again = place.call("run", "--json")
    assert (again.facts["files"], again.facts["rows_merged"]) == (0, 0)


def totals(place):
    """Number and sum of silver's readings, without taking them into Python one by one."""
    column = DeltaTable(str(place.lake / "silver" / "readings")).to_pyarrow_table(columns=["consumption"]).column(0)
    return len(column), pc.sum(column).as_py()


def write(path, before, row, between, after):
    """A delivery of just over LARGE bytes: the same half hours of 2,000 meters again and again, with rising values.

    Returns readings expected, the value of the last round, and how many rows there are.
    """
    moments = [datetime(2021, 1, 4, tzinfo=UTC) + timedelta(hours=hour) for hour in range(24)]
    keys = [(f"{meter:08}", at) for at in moments for meter in range(2000)]
    size, rounds = 0, 0
    with path.open("w") as file:
        size += file.write(before)
        while size <= LARGE:
            rounds += 1
            text = between.join(row(meter, at, rounds) for meter, at in keys)
            size += file.write(text if rounds == 1 else between + text)
        file.write(after)
    return len(keys), rounds, len(keys) * rounds


def check(place, path, keys, rounds, rows):
    done = place.call("run", "--json")
    assert done.code == 0, done.err[-3000:]
    log = place.rows("ops.ingestion_log", "relative_path", "status", "rows_read", "rows_rejected")
    if memory.too_large(path.stat().st_size):  # a machine of few gigabytes
        assert log == [(path.name, "rejected", 0, 0)]
        return
    assert log == [(path.name, "loaded", rows, 0)]
    assert totals(place) == (keys, keys * Decimal(rounds) / 8)


def test_one_smrt_delivery_of_200_mb(place):
    # Of fixed width, as some write it: half as many rows, half the time.
    path = place.folder / "landing" / "gas" / "PN000001.SMRT"
    header = smrt("PN000001").decode().splitlines()[0] + "\n"
    written = write(
        path,
        header,
        lambda meter, at, n: f'"CONSU",{" " * 40}"{meter}","{at:%Y%m%d}","{at:%H}00",{n / 8}',
        "\n",
        '\n"TRAIL"\n',
    )
    check(place, path, *written)


def test_one_split_json_delivery_of_200_mb(place):
    path = place.folder / "landing" / "electricity" / "day.json"
    before, after = JSON.format("|").split("|")
    written = write(path, before, lambda meter, at, n: f'["{at:%Y-%m-%d %H:%M:%S}", "m{meter}", {n / 8}]', ", ", after)
    check(place, path, *written)


def test_a_delivery_that_is_too_large_for_the_machine_is_refused_unread_and_the_others_load(place):
    with (place.folder / "landing" / "electricity" / "year.json").open("wb") as file:
        file.truncate(memory.LARGEST + 1)  # takes no room on the disk
    place.put("electricity/day.json", JSON.format('["2021-01-04 00:00:00", "m1", 1]').encode())
    facts = place.run()
    assert place.log() == [("day.json", "loaded", None), ("year.json", "rejected", "UNREADABLE")]
    assert "deliver it in parts" in facts["refused"][0]["reason"]
    assert place.run()["files"] == 0
