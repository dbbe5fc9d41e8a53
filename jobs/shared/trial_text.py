"""What `try` tells a person."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.text import Text

from jobs.shared.called import as_typed
from jobs.shared.output import console, fitted, text
from pipeline import formats
from pipeline.clock.zones import has_clock_changes
from pipeline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.config.feeds import Feed

SHOWN_DAYS = 14


def show(facts: dict[str, Any], feed: Feed) -> None:
    """Print the facts of a trial, 80 columns wide where its values are."""
    out = console()
    if facts["name_is_refused"]:
        said = f"In the folder of the feed its name would be refused (BAD_FILE_NAME: {facts['name_is_refused']})."
        out.print(Text(printable(f"{said} Otherwise:")))
    if facts["reason_code"]:
        out.print(text("rejected"), text(f"{facts['reason_code']}: {facts['reason']}"))
        out.print(Text(as_typed(f"What to do: {facts['what_to_do']}.")))
        return
    read, whole = facts["rows_read"], facts["rows_in_file"]
    if facts["rows_rejected"] is None:
        out.print(text("loaded"), Text(f"{read:,} rows; those of format {feed.format} are judged by Spark only."))
        return
    part = "" if read >= whole else f" These are the first of {whole:,} rows; --rows N judges more."
    counts = f"{read:,} rows read, {facts['rows_accepted']:,} accepted, {facts['rows_rejected']:,} rejected"
    out.print(text("loaded"), Text(f": {counts}.{part}"), sep="", soft_wrap=True)
    for said in _besides(facts):
        out.print(said)
    unit = facts["unit"]
    shown = _narrow(facts["first_readings"])
    _table(shown, f"First readings ({unit}; local time: {feed.time_zone})")
    _days(facts, unit)
    changes = [
        {"local_date": each["local_date"], "direction": each["direction"], "hours": f"{each['hours']:g}"}
        | {"readings of a meter": each["most_readings_of_a_meter"], "of": each["intervals_of_the_day"]}
        for each in facts["clock_changes"]
    ]
    _table(changes, "Days on which the clocks change")
    if not facts["clock_changes"] and has_clock_changes(feed.time_zone):
        out.print(Text("No day of a clock change is in it: try a file of such a day too, in spring and in autumn."))
    if facts["rejected_rows"]:
        codes = ", ".join(f"{count:,} {code}" for code, count in facts["rejected_by_code"].items())
        row = "line" if formats.format_of(feed).rows_are_lines else "row"
        rows = [{row if key == "row" else key: value for key, value in each.items()} for each in facts["rejected_rows"]]
        _table(rows, f"Rejected: {codes}")
        if left := facts["rows_rejected"] - len(rows):
            out.print(f"  … and {left:,} more")


def _besides(facts: dict[str, Any]) -> Iterator[str]:
    """What is not plain about accepted rows."""
    if rows := facts["rows_without_reading"]:
        yield "1 accepted row gives no reading." if rows == 1 else f"{rows:,} accepted rows give no reading."
    if readings := facts["readings_superseded"]:
        are = "1 reading is" if readings == 1 else f"{readings:,} readings are"
        yield f"{are} superseded by later rows."


def _narrow(readings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For 80 columns: short headings, and what is the same for all left out."""
    several_ways = len({each["direction"] for each in readings}) > 1
    marked = any(each["quality"] is not None for each in readings)
    return [
        {"row": each["row"], "meter_id": each["meter_id"]}
        | ({"direction": each["direction"]} if several_ways else {})
        | {"local": each["local_start"], "UTC": str(each["interval_start"])[5:16].replace("T", " ") + "Z"}
        | {"minutes": each["interval_minutes"], "value": Decimal(each["consumption"])}
        | ({"quality": each["quality"]} if marked else {})
        for each in readings
    ]


def _days(facts: dict[str, Any], unit: str) -> None:
    days = [each | {"consumption": Decimal(each["consumption"])} for each in facts["days"]]
    _table(days[:SHOWN_DAYS], f"By local day ({unit})")
    if left := len(days) - SHOWN_DAYS if len(days) > SHOWN_DAYS else 0:
        console().print(f"  … and {left:,} more, to {days[-1]['local_date']}")


def _table(rows: list[dict[str, Any]], title: str) -> None:
    if rows:
        fitted(list(rows[0]), [list(row.values()) for row in rows], title=title)
