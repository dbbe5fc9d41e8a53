"""Tables of readings over clock changes, and any way to write them down that the contract has: for property tests.

The readings come first, at their instants; the text is written from them by Python's own zones and csv module, so what
is expected knows nothing of the rules that are tested.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from pipeline import formats
from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import csv_bronze, row_readers

RECEIVED = datetime(2035, 1, 1, tzinfo=UTC)
# Days in spring and autumn on which the clocks of these zones change, and one on which they do not.
ZONES = {
    "Europe/London": (date(2021, 3, 28), date(2021, 10, 31)),
    "Europe/Vilnius": (date(2021, 3, 28), date(2021, 10, 31)),
    "America/New_York": (date(2021, 3, 14), date(2021, 11, 7)),
    "America/St_Johns": (date(2021, 3, 14), date(2021, 11, 7)),
    "America/Havana": (date(2021, 3, 14), date(2021, 11, 7)),
    "America/Santiago": (date(2021, 9, 5), date(2021, 4, 4)),
    "Atlantic/Azores": (date(2021, 3, 28), date(2021, 10, 31)),
    "Australia/Lord_Howe": (date(2021, 10, 3), date(2021, 4, 4)),
    "Africa/Casablanca": (date(2021, 5, 16), date(2021, 4, 11)),
    "Pacific/Auckland": (date(2021, 9, 26), date(2021, 4, 4)),
    "UTC": (date(2021, 3, 28), date(2021, 10, 31)),
}
# Patterns of Spark's, each with Python's way to write the same; %H and %d have two digits.
PATTERNS = {
    "dd/MM/yyyy HH:mm": "%d/%m/%Y %H:%M",
    "d.M.yyyy H:mm": "{d}.{m}.%Y {H}:%M",
    "yyyyMMddHHmm": "%Y%m%d%H%M",
    "MM/dd/yyyy hh:mm a": "%m/%d/%Y %I:%M %p",
    "dd-MMM-yy HH:mm:ss": "%d-%b-%y %H:%M:%S",
    "yyyy-MM-dd'T'HH:mm[:ss]": "%Y-%m-%dT%H:%M",
    None: "%Y-%m-%d %H:%M",
    "ISO": "%Y-%m-%dT%H:%M:%S",
    "yyyy-MM-dd HH:mm:ssXXX": "%Y-%m-%d %H:%M:%S",
}
Reading = tuple[str, str, str, str, str | None]


@dataclass(repr=False)
class Table:
    """A feed, the bytes of one file, and the readings in it: meter, direction, start in UTC, energy, quality."""

    feed: Feed
    content: bytes
    cells: list[dict[str, str]]
    readings: list[Reading] = field(default_factory=list)

    def __repr__(self):
        return f"{self.feed.time_zone} {self.feed.interval_minutes} {self.feed.unit} {self.feed.csv!r}\n{self.content[:2000]!r}"


def local_label(at, zone, minutes, pattern, *, is_end, use_24):
    """How a source writes an interval that starts at an instant."""
    shown = (at + timedelta(minutes=minutes if is_end else 0)).astimezone(ZoneInfo(zone))
    suffix = ""
    if pattern == "yyyy-MM-dd HH:mm:ssXXX":
        seconds = int(shown.utcoffset().total_seconds())
        sign, seconds = ("-", -seconds) if seconds < 0 else ("+", seconds)
        suffix = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    at_end = use_24 and is_end and shown.hour == shown.minute == 0 and "hh" not in (pattern or "")
    day = shown - timedelta(days=1) if at_end else shown
    style = PATTERNS[pattern]
    if at_end:
        style = style.replace("%H", "24").replace("{H}", "24")
    style = style.replace("{d}", str(day.day)).replace("{m}", str(day.month)).replace("{H}", str(day.hour))
    return day.strftime(style) + suffix


@st.composite
def dialects(draw):
    """Keys of a csv table that only say how the text is written."""
    return {
        "delimiter": draw(st.sampled_from([",", ";", "\t", "|", "§"])),
        "decimal": draw(st.sampled_from([".", ","])),
        "encoding": draw(st.sampled_from(["utf-8", "utf-16", "latin-1", "cp1252"])),
        "skip_lines": draw(st.sampled_from([0, 0, 1, 10])),
        "header": draw(st.sampled_from([True, True, False])),
    }


def written(draw, rows, names, dialect):
    """The bytes of a table in a dialect, as any program may write it."""
    out = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    writer = csv.writer(out, delimiter=dialect["delimiter"], quoting=quoting, lineterminator=end)
    if draw(st.booleans()):
        out.write(f"sep={dialect['delimiter']}{end}")
    for number in range(dialect["skip_lines"]):
        out.write(f'about "this; report, {number}{end}')
    blanks, leaves_out = draw(st.booleans()), draw(st.booleans())
    if dialect["header"]:
        writer.writerow([*names, *[""] * draw(st.sampled_from([0, 0, 1, 3]))])
    for number, row in enumerate(rows):
        if blanks and number % 3 == 0:
            out.write(end)
        cells = [f" {row[name]}  " if blanks and quoting == csv.QUOTE_MINIMAL else row[name] for name in names]
        # The last column is none that the feed names. Without a header the first row says how many there are.
        if leaves_out and not row[names[-1]] and (number or dialect["header"]):
            writer.writerow(cells[:-1])
            continue
        writer.writerow([*cells, ""] if blanks and dialect["header"] else cells)
    text = out.getvalue()
    if draw(st.booleans()):
        text = text.removesuffix(end)
    mark = dialect["encoding"] == "utf-16" or draw(st.booleans())
    if dialect["encoding"] == "utf-8" and mark:
        return text.encode("utf-8-sig")
    return text.encode(dialect["encoding"])


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
    # occurs once in a file, nobody can tell that it is the later one.
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


def number_of(n):
    return f"{n // 1000}.{n % 1000:03}"


def with_decimal(text, dialect):
    return text if text == "-" else text.replace(".", dialect["decimal"])


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
