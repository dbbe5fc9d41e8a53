"""Tables of readings over clock changes, in any way to write them (csv_dialects.py): for property tests.

The readings come first, at their instants; the text is written from them, so what is expected knows nothing of the
rules that are tested.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import csv_bronze, row_readers
from tests.csv_dialects import PATTERNS, ZONES, Table, dialects, local_label, number_of, with_decimal, written

RECEIVED = datetime(2035, 1, 1, tzinfo=UTC)


@st.composite
def tables(draw):
    """A long or a wide table."""
    return draw(st.one_of(long_tables(), wide_tables()))


@st.composite
def long_tables(draw):
    """Consecutive intervals of some meters over a clock change, as rows."""
    zone, minutes = draw(st.sampled_from(list(ZONES))), draw(st.sampled_from([15, 30, 60]))
    if zone == "Australia/Lord_Howe":
        minutes = 30
    dialect, unit = draw(dialects()), draw(st.sampled_from(["kWh", "Wh", "MWh", "kW", "W"]))
    pattern, is_end = draw(st.sampled_from(list(PATTERNS))), draw(st.booleans())
    use_24, newest_first = draw(st.booleans()), draw(st.booleans())
    form = draw(st.sampled_from(["one", "several", "both", "column"]))
    with_quality, parts = (
        draw(st.booleans()),
        draw(st.sampled_from([1, 2])) if pattern in {None, "dd/MM/yyyy HH:mm"} else 1,
    )
    # The hours around the change. They begin before any repeated hour, since Santiago's ends at midnight: of a label that
    # occurs once in a file, nothing tells that it is the later one.
    day = draw(st.sampled_from(ZONES[zone]))
    first = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC) - timedelta(hours=4)
    starts = [first + timedelta(minutes=minutes * n) for n in range(10 * 60 // minutes)]
    numbers = draw(st.lists(st.integers(0, 10**7), min_size=8, max_size=8))
    rows, readings = [], []
    for meter in ["0012", 'ö"1"', "a b"][: draw(st.integers(1, 3))]:
        for n, at in enumerate(starts):
            label = local_label(at, zone, minutes, None if pattern == "ISO" else pattern, is_end=is_end, use_24=use_24)
            label = label.replace(" ", "T") if pattern == "ISO" else label
            when = dict(zip(("when", "at"), label.split(" ", 1) if parts == 2 else (label, ""), strict=True))
            row = when | {
                "meter": meter,
                "quality": "A" if n % 2 else "",
                "kind": "e",
                "more": "" if n % 3 else "x, y; z",
            }
            for said in ["IN", "OUT"] if form == "column" else ["IN"]:
                values = [number_of(numbers[(n + k) % 8]) if (n + k) % 5 else "-" for k in range(2)]
                texts = dict(zip(("v1", "v2"), (with_decimal(each, dialect) for each in values), strict=True))
                rows.append(row | texts | {"dir": said})
                for direction, some in of_form(form, values, said):
                    if energy := energy_of(some, unit, minutes):
                        quality = (row["quality"] or None) if with_quality else None
                        readings.append((meter, direction, f"{at:%Y-%m-%d %H:%M}", energy, quality))
            # Of another kind: no reading, and no occurrence of its label.
            rows += [row | texts | {"dir": "IN", "kind": "g"}] if n % 3 else []
    rows = rows[::-1] if newest_first else rows
    names = ["kind", "meter", "v1", "when", "at", "quality", "dir", "v2", "more"]
    name = dict(zip(names, names if dialect["header"] else [f"c{n}" for n in range(1, 10)], strict=True))
    value = {"one": name["v1"], "column": name["v1"], "several": [name["v1"], name["v2"]]}.get(
        form, {"import": name["v1"], "export": name["v2"]}
    )
    table = dialect | {
        "meter": name["meter"],
        "timestamp": [name["when"], name["at"]] if parts == 2 else name["when"],
        "label": "end" if is_end else "start",
        "value": value,
        "where": {name["kind"]: ["e"]},
    }
    if pattern not in {None, "ISO"}:
        table["timestamp_format"] = pattern
    if form == "column":
        table["direction"] = {"column": name["dir"], "import": ["IN"], "export": ["OUT"]}
    if with_quality:
        table["quality"] = name["quality"]
    feed = Feed(name="p", format="csv", path="p", time_zone=zone, unit=unit, interval_minutes=minutes, csv=table)
    cells = [{csv_bronze.names(feed.csv).get(name[key], ""): text for key, text in row.items()} for row in rows]
    return Table(feed, written(draw, rows, names, dialect), cells, sorted(readings, key=str))


def of_form(form, values, said):
    if form == "both":
        return [("import", values[:1]), ("export", values[1:])]
    direction = {"IN": "import", "OUT": "export"}[said] if form == "column" else "import"
    return [(direction, values if form == "several" else values[:1])]


def energy_of(values, unit, minutes):
    """In the unit that silver keeps, or None."""
    known = [Decimal(value) for value in values if value != "-"]
    if not known:
        return None
    factor = {"MWh": Decimal(1000), "kW": Decimal(minutes) / 60, "W": Decimal(minutes) / 60}.get(unit, Decimal(1))
    return f"{(sum(known) * factor).quantize(Decimal('0.000001'), 'ROUND_HALF_UP')}"


@st.composite
def wide_tables(draw):
    """Days of a meter as rows of periods, or of times where the clocks do not go back."""
    zone, minutes = (
        draw(st.sampled_from([z for z in ZONES if z != "Australia/Lord_Howe"])),
        draw(st.sampled_from([15, 30, 60])),
    )
    dialect, by_time, is_end = draw(dialects()) | {"header": True}, draw(st.booleans()), draw(st.booleans())
    beside, both_days = draw(st.booleans()), ZONES[zone]
    days = [both_days[0], both_days[0] + timedelta(days=40)] + ([] if by_time else [both_days[1]])
    longest = (24 if by_time else 26) * 60 // minutes
    ends = [minutes * (n + is_end) for n in range(longest)]
    titles = [f"{n // 60:02}:{n % 60:02}" if by_time else f"P{k:02}" for k, n in enumerate(ends, start=1)]
    rows, readings = [], []
    for day in days:
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        tomorrow = day + timedelta(days=1)
        end = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        starts = [
            midnight + timedelta(minutes=minutes * n)
            for n in range(int((end - midnight).total_seconds()) // 60 // minutes)
        ]
        row = (
            {"meter": "m-1", "day": f"{day:%d.%m.%Y}", "more": "" if day.day % 2 else "x"}
            | dict.fromkeys(titles, "")
            | {f"Q{t}": "" for t in titles}
        )
        for n, at in enumerate(starts):
            shown = at.astimezone(ZoneInfo(zone))
            place = (shown.hour * 60 + shown.minute) // minutes if by_time else n
            number = number_of(n * 37 + 1000)
            row[titles[place]] = with_decimal(number, dialect)
            row[f"Q{titles[place]}"] = "A" if n % 2 else ""
            readings.append(
                ("m-1", "import", f"{at:%Y-%m-%d %H:%M}", f"{Decimal(number):.6f}", "A" if beside and n % 2 else None)
            )
        rows.append(row)
    names = ["meter", "day", *([name for t in titles for name in (t, f"Q{t}")] if beside else titles), "more"]
    table = dialect | {
        "layout": "wide",
        "meter": "meter",
        "timestamp": "day",
        "timestamp_format": "dd.MM.yyyy",
        "label": "end" if is_end else "start",
        "value": r"(?P<time>\d\d:\d\d)" if by_time else r"P(?P<period>\d+)",
        "quality_beside": beside,
    }
    feed = Feed(name="p", format="csv", path="p", time_zone=zone, interval_minutes=minutes, csv=table)
    cells = [
        {
            "meter": row["meter"],
            "day": row["day"],
            "values": [row[t] for t in titles],
            "qualities": [row[f"Q{t}"] for t in titles],
        }
        for row in rows
    ]
    return Table(feed, written(draw, rows, names, dialect), cells, sorted(readings, key=str))


def inspected(table):
    """The driver's verdict."""
    found = Delivery("p", "a.csv", "a.csv", "a.csv", len(table.content), None)
    return formats.format_of(table.feed).inspect(table.content, found, table.feed, "production")


def judged_in_python(table):
    """The readings that the driver's verdict and the rules in Python find."""
    delivery = inspected(table)
    assert delivery.reason_code is None, delivery.reason
    assert delivery.rows_read == len(table.cells)
    judge = formats.format_of(table.feed).row_judge
    meter = judge.columns(table.feed)[0]
    rows_of = defaultdict(list)
    read = row_readers.READERS["csv"].rows(table.content, delivery, table.feed)
    for number, (cells, row) in enumerate(zip(table.cells, read, strict=True), start=1):
        shared = row.keys() & cells.keys()
        assert {name: row[name] for name in shared} == {name: cells[name] for name in shared}
        assert (row["raw"], row["row_number"]) == (None, number)
        rows_of[row[meter]].append(row)
    found = [
        (of_meter, each.direction, f"{each.interval_start:%Y-%m-%d %H:%M}", f"{each.consumption:.6f}", each.quality)
        for of_meter, rows in rows_of.items()
        for each in judge.judged(rows, table.feed, RECEIVED)
        if each.reason_code is None
    ]
    return sorted(found, key=str)
