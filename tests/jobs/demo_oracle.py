"""The demo's readings, computed by plain Python from the bytes of its deliveries: no Spark, no code of the pipeline."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

from pipeline.formats import samples

LONDON = ZoneInfo("Europe/London")


def expected_readings() -> dict[tuple[str, str], tuple[datetime, date, Decimal]]:
    """(meter, label with occurrence) -> instant, day and value of the current reading, from the samples' own bytes."""
    current: dict[tuple[str, datetime], tuple[date, Decimal]] = {}
    deliveries = [each for each in samples.deliveries() if each.feed_format == "split_json"]
    for delivery in sorted(deliveries, key=lambda each: (each.modified_at, each.path)):
        try:
            content = json.loads(delivery.content)
        except ValueError:
            continue
        if "interval_start" not in content["columns"]:
            continue
        seen: set[tuple[str, str]] = set()
        for label, meter, value in content["data"]:
            try:
                local = datetime.strptime(label, "%Y-%m-%d %H:%M:%S").replace(tzinfo=LONDON)
                kwh = Decimal(value)
            except (ValueError, ArithmeticError):
                continue
            local = local.replace(fold=1 if (meter, label) in seen else 0)
            seen.add((meter, label))
            exists = local.astimezone(UTC).astimezone(LONDON).replace(tzinfo=None) == local.replace(tzinfo=None)
            if meter and exists and local.minute % 30 == 0:
                current[meter, local.astimezone(UTC)] = (local.date(), kwh)
    return {(meter, instant.isoformat()): (instant, *rest) for (meter, instant), rest in current.items()}


def product_of(meter: str, day: date) -> str:
    """The product agreed for a meter on a day, by the rule of the contract, from the samples' own rows."""
    reference = samples.reference_rows()
    names = {row[3]: row[0] for row in reference["product"]}
    valid = []
    for number, start, end, product, meterpoint, _ in reference["agreement"]:
        try:
            begins, ends = date.fromisoformat(start), date.fromisoformat(end) if end else date.max
        except ValueError:
            continue
        if meterpoint == meter and begins <= day < ends:
            valid.append((begins, number, names[product]))
    return max(valid)[2] if valid else "(no agreement)"


Readings = dict[tuple[str, str, str, str], tuple[date, Decimal]]


def solar_readings() -> Readings:
    """(feed, meter, direction, instant) -> (local day, kWh) of the OBIS samples, worked out by plain Python."""
    current: Readings = {}
    for sample in sorted(samples.deliveries(), key=lambda each: (each.modified_at, each.path)):
        if sample.feed_format != "obis_json" or b"0100010800FF" in sample.content:
            continue
        for record in json.loads(sample.content, parse_float=Decimal, parse_int=Decimal)["data"]:
            instant = datetime.fromisoformat(record["timestamp"])
            for code, direction in (("0100011D00FF", "import"), ("0100021D00FF", "export")):
                if record["tags"]["muid"] and record[code] >= 0:
                    key = ("solar", record["tags"]["muid"], direction, instant.isoformat())
                    current[key] = (instant.date(), record[code])
    return current


def array_readings() -> Readings:
    """The same of the interval arrays, with zoneinfo alone."""
    vilnius = ZoneInfo("Europe/Vilnius")
    current: Readings = {}
    for sample in sorted(samples.deliveries(), key=lambda each: (each.modified_at, each.path)):
        if sample.feed_format != "interval_parquet" or not sample.content.endswith(b"PAR1"):
            continue
        for row in pq.read_table(BytesIO(sample.content)).to_pylist():
            day, values = row["date"], row["energy_consumption"]
            midnight = datetime(day.year, day.month, day.day, tzinfo=vilnius)
            hours = {date(2021, 3, 28): 23, date(2021, 10, 31): 25}.get(day, 24)
            true_minutes = hours * 60 / len(values)
            for position, value in enumerate(values):
                if value is None or value < 0 or len(values) == 23 != hours:
                    continue
                if true_minutes in {15, 30, 60, hours * 60}:
                    instants = [midnight.astimezone(UTC) + timedelta(minutes=true_minutes * position)]
                else:
                    label = midnight + timedelta(minutes=24 * 60 // len(values) * position)  # on the wall clock
                    instants = sorted({label.replace(fold=fold).astimezone(UTC) for fold in (0, 1)})
                for instant in instants:
                    key = ("vilnius", row["ext_dev_ref"], "import", instant.isoformat())
                    current[key] = (day, Decimal(value) / 1000 / len(instants))
    return current


def row_readings() -> Readings:
    """The same of the delimited text with a row a quarter hour, named by its end on Berlin's clocks."""
    zone, quarter = ZoneInfo("Europe/Berlin"), timedelta(minutes=15)
    ways = {"Bezug": "import", "Einspeisung": "export"}
    current: Readings = {}
    for sample in _of_feed("berlin"):
        seen: Counter[tuple[str, ...]] = Counter()
        for meter, way, day, time, value, _ in list(csv.reader(sample.content.decode().splitlines(), delimiter=";"))[
            1:
        ]:
            if way not in ways or value == "-":
                continue
            end = datetime.strptime(f"{day} {time.replace('24:00', '00:00')}", "%d.%m.%Y %H:%M").replace(tzinfo=zone)
            end += timedelta(days=time == "24:00")  # on the wall clock
            start = end.replace(fold=seen[meter, way, day, time]).astimezone(UTC) - quarter
            seen[meter, way, day, time] += 1
            key = ("berlin", meter, ways[way], start.isoformat())
            current[key] = (start.astimezone(zone).date(), Decimal(value.replace(",", ".")))
    return current


def day_readings() -> Readings:
    """The same of the delimited text with a row a day, whose columns are times of London's clocks."""
    current: Readings = {}
    for sample in _of_feed("leeds"):
        for row in csv.DictReader(sample.content.decode().splitlines()):
            meter, day = row.pop("MPAN"), datetime.strptime(row.pop("Date"), "%d/%m/%Y").replace(tzinfo=LONDON)
            for time, value in row.items():
                if value:
                    label = day.replace(hour=int(time[:2]), minute=int(time[3:]))
                    instants = sorted({label.replace(fold=fold).astimezone(UTC) for fold in (0, 1)})
                    for instant in instants:
                        key = ("leeds", meter, "import", instant.isoformat())
                        current[key] = (day.date(), Decimal(value) / len(instants))
    return current


def _of_feed(name: str) -> list[samples.Sample]:
    """Its sound samples, in the order of arrival."""
    found = [each for each in samples.deliveries() if each.feed == name and each.content.count(b'"') % 2 == 0]
    return sorted(found, key=lambda each: (each.modified_at, each.path))
