"""The demo lake: its gold tables equal what plain Python computes; a demo finds its own again and touches nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

import pytest

from jobs import silver
from jobs.demo import write as demo_write
from pipeline import formats
from pipeline.config.settings import load
from pipeline.deliveries import ingestion_log
from pipeline.formats import samples
from pipeline.lake import gate, tables
from pipeline.runtime.context import Context
from tests.conftest import command, configuration, demo_in
from tests.jobs.conftest import rows, versions
from tests.jobs.demo_oracle import (
    array_readings,
    day_readings,
    expected_readings,
    product_of,
    row_readings,
    solar_readings,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def config(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Configuration of this module's copy of the demo lake: its tests run commands on it that change it."""
    return demo_in(tmp_path_factory.mktemp("copy"), demo)


def test_the_demos_gold_tables_equal_what_plain_python_computes(config: Path) -> None:
    context = Context(load(config))
    halves: dict[Any, list[Decimal]] = defaultdict(list)
    days: dict[Any, list[Decimal]] = defaultdict(list)
    product_days: dict[Any, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    product_halves: dict[Any, list[Decimal]] = defaultdict(list)
    for (meter, _), (instant, day, kwh) in expected_readings().items():
        product = product_of(meter, day)
        halves[instant, day].append(kwh)
        days[meter, day].append(kwh)
        product_days[day, product][meter] += kwh
        product_halves[instant, product].append(kwh)

    def electricity(row: dict[str, Any]) -> bool:
        return bool(row["feed"] == "electricity")

    names = ("interval_start", "local_date", "meterpoint_count", "total_kwh")
    assert rows(context, tables.HALF_HOUR, *names, where=electricity) == sorted(
        ((*key, len(values), sum(values).quantize(Decimal("1e-6"))) for key, values in halves.items()), key=repr
    )
    names = ("meter_id", "local_date", "consumption", "intervals_received", "intervals_expected")
    lengths = {date(2021, 3, 28): 46, date(2021, 10, 31): 50}
    assert rows(context, tables.METER_DAY, *names, where=electricity) == sorted(
        (
            (meter, day, sum(values).quantize(Decimal("1e-6")), len(values), lengths.get(day, 48))
            for (meter, day), values in days.items()
        ),
        key=repr,
    )
    names = ("date", "product_display_name", "meterpoint_count", "total_kwh")
    assert rows(context, tables.PRODUCT_DAY, *names) == sorted(
        (
            (*key, len(meters), sum(meters.values(), Decimal()).quantize(Decimal("1e-6")))
            for key, meters in product_days.items()
        ),
        key=repr,
    )
    names = ("interval_start", "product_display_name", "meterpoint_count", "total_kwh", "avg_kwh")
    millionth = Decimal("1e-6")
    assert rows(context, tables.PRODUCT_HALF_HOUR, *names) == sorted(
        (
            (
                *key,
                len(values),
                sum(values).quantize(millionth),
                (sum(values) / len(values)).quantize(millionth, ROUND_HALF_UP),
            )
            for key, values in product_halves.items()
        ),
        key=repr,
    )
    active = rows(context, tables.ACTIVE_AGREEMENTS, "agreement_id")
    assert len(active) == len(samples.METERPOINTS) - 1


def test_the_demos_days_of_the_other_feeds_equal_what_plain_python_computes(config: Path) -> None:
    days: dict[Any, list[Decimal]] = defaultdict(list)
    for (feed, meter, direction, _), (day, kwh) in {
        **solar_readings(),
        **array_readings(),
        **row_readings(),
        **day_readings(),
    }.items():
        days[feed, meter, direction, day].append(kwh)
    names = ("feed", "meter_id", "direction", "local_date", "consumption", "intervals_received")
    of_these = {"solar", "vilnius", "berlin", "leeds"}
    found = rows(Context(load(config)), tables.METER_DAY, *names, where=lambda row: row["feed"] in of_these)
    assert found == sorted(
        ((*key, sum(values).quantize(Decimal("1e-6")), len(values)) for key, values in days.items()), key=repr
    )
    assert {25, 50, 100, 23, 46, 92} <= {row[-1] for row in found}


def test_the_demos_readings_of_every_format_were_few_enough_for_the_drivers_writer(config: Path) -> None:
    context = Context(load(config))
    held = Counter(row[0] for row in rows(context, tables.READINGS, "file_id"))
    loaded = [each for each in ingestion_log.logged(context) if each.status == "loaded" and each.feed != "reference"]
    assert {feed.format for feed in context.settings.feeds} == {*formats.FORMATS} - {"nem12", "green_button"}
    for delivery in loaded:  # the bound before counting is never too low, and no higher than possible
        most = silver.most_readings(context, delivery)
        # Of a wide row nothing says before that its intervals are no five minutes.
        possible = 26 * 12 if context.settings.feed(delivery.feed).format == "csv" else 100
        assert held[delivery.file_id] <= most <= possible * delivery.rows_read
    commits = gate.opened(context, tables.READINGS).history()
    assert {commit["engineInfo"].partition(":")[0] for commit in commits} == {"delta-rs"}


def test_a_second_demo_finds_nothing_new(config: Path) -> None:
    before = versions(Context(load(config)))
    result = command("demo", config=config)
    assert result.exit_code == 0
    assert "Nothing new" in result.output
    assert versions(Context(load(config))) == before


def test_the_samples_hold_both_clock_changes() -> None:
    assert [len(list(samples.local_half_hours(day))) for day in [*samples.SPRING, *samples.AUTUMN]] == [
        48,
        46,
        48,
        48,
        50,
        48,
    ]
    assert timedelta(minutes=30) == samples.HALF_HOUR


def test_the_demo_touches_nothing_where_a_folder_holds_another_delivery(tmp_path: Path) -> None:
    path = configuration(tmp_path)
    real = tmp_path / "data_lake" / "landing" / "gas" / "PN000001.SMRT"
    real.parent.mkdir(parents=True)
    real.write_bytes(b"a real one")
    result = command("demo", config=path)
    assert result.exit_code == 2
    assert "PN000001.SMRT is not one of the demo's deliveries" in result.output
    assert real.read_bytes() == b"a real one"
    assert [each for each in (tmp_path / "data_lake").rglob("*") if each.is_file()] == [real]
    real.rename(real.with_name("PN123456.SMRT"))
    assert command("demo", config=path).exit_code == 2
    assert not (tmp_path / "data_lake" / "landing" / "electricity").exists()


def test_the_demo_knows_its_own_deliveries_again(tmp_path: Path, demo: Path) -> None:
    demo_write(Context(load(demo_in(tmp_path, demo))))
