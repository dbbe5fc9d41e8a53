"""Any way to write a table of readings that the contract has, by Python's own zones and csv module."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

if TYPE_CHECKING:
    from pipeline.config.feeds import Feed


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


def number_of(n):
    return f"{n // 1000}.{n % 1000:03}"


def with_decimal(text, dialect):
    return text if text == "-" else text.replace(".", dialect["decimal"])
