"""What the guessed entry makes of the file itself: said where rows would be refused, or where no reading comes out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.config.feeds import Feed
from pipeline.deliveries.delivery import Delivery
from pipeline.formats import trial
from pipeline.guess.csv_entry import UnknownFileError

if TYPE_CHECKING:
    from pipeline.formats.trial import Trial
    from pipeline.guess.entry import Entry

# Of a longer table the first rows are enough; a longer document of another format is not judged.
MOST_OF_A_TABLE = 400_000
MOST_OF_A_DOCUMENT = 4_000_000
# What notes on the keys of a table say already.
TOLD = {"FIELD_COUNT", "INTERVAL_START_INVALID", "CONSUMPTION_INVALID", "CONSUMPTION_NEGATIVE"}
NO_ENERGY = "none of its {:,} rows is energy of an interval: other quantities and registers give no reading"


def prove(entry: Entry, head: bytes, name: str) -> None:
    """Note what would become of the file, whose first bytes are `head`; `name` is its own.

    UnknownFileError where a format without anything to configure gives no reading.
    """
    feed = Feed(**entry.values())
    content = _part(entry, head)
    if content is None:
        return
    delivery = Delivery(feed.name, name, name, name, len(content), None)
    looked_at = trial.inspected(content, delivery, feed, "development")
    if looked_at.reason_code:
        _refused(entry, looked_at, is_whole=len(content) == len(head))
        return
    found = trial.tried(content, looked_at, feed, datetime.now(UTC))
    if found.can_be_judged and found.delivery.reason_code is None:
        _say(entry, found)


def _part(entry: Entry, head: bytes) -> bytes | None:
    """As much of the file as is judged; None where that would take too long."""
    if entry.feed["format"] != "csv":
        return head if len(head) <= MOST_OF_A_DOCUMENT else None
    if len(head) <= MOST_OF_A_TABLE:
        return head
    # In two bytes a letter a line ends elsewhere.
    return None if b"\x00" in head[:1000] else head[: head.rfind(b"\n", 0, MOST_OF_A_TABLE) + 1]


def _refused(entry: Entry, delivery: Delivery, *, is_whole: bool) -> None:
    """Say why the whole file would be refused; of a name the entry says it, and a part may end in the middle."""
    code = str(delivery.reason_code)
    if is_whole and code != "BAD_FILE_NAME" and not any(code in note.says for note in entry.notes):
        entry.note("", f"as it stands the file would be refused, {code}: {delivery.reason}")


def _say(entry: Entry, found: Trial) -> None:
    rows, refused = found.judged, sum(found.codes.values())
    is_table = entry.feed["format"] == "csv"
    if not rows:
        entry.note("", "there is no reading in it: as it stands nothing would be loaded")
    elif not found.days:
        why = f"{_share(refused, rows)}: {_why(found)}" if refused else NO_ENERGY.format(rows)
        if not is_table:
            raise UnknownFileError(why)
        entry.note("", f"as it stands nothing would be loaded. {why[0].upper()}{why[1:]}")
    else:
        _say_the_size(entry, found)
        if set(found.codes) - (TOLD if is_table else set()) or refused * 2 >= rows:
            entry.note("", f"as it stands {_share(refused, rows)}: {_why(found)}")


def _say_the_size(entry: Entry, found: Trial) -> None:
    """Where the unit is not known, what a day would be in the one that is written."""
    energy, days = sum(day.consumption for day in found.days.values()), sum(day.meters for day in found.days.values())
    unit = entry.feed.get("unit")
    for n, note in enumerate(entry.notes):
        if note.key == "unit" and not note.is_certain:
            size = f"as {unit} a meter's day in this file is about {energy / days:,.1f} {unit}"
            entry.notes[n] = note._replace(says=f"{note.says}; {size}")


def _why(found: Trial) -> str:
    """The commonest reason code, with the reason of its first row."""
    code = found.codes.most_common(1)[0][0]
    return f"{code}, {next(each.reason for each in found.refused if each.reason_code == code)}"


def _share(refused: int, rows: int) -> str:
    every = "every row" if refused == rows else f"{refused:,} of {rows:,} rows"
    return f"{every} would be rejected"
