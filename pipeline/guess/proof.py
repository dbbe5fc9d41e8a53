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
# What notes on the keys say already.
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
    if not rows:
        entry.note("", "there is no reading in it: as it stands nothing would be loaded")
        return
    why = f"{found.refused[0].reason_code}, {found.refused[0].reason}" if refused else ""
    is_table = entry.feed["format"] == "csv"
    if not found.days:
        if not is_table:
            raise UnknownFileError(f"{_share(refused, rows)}: {why}" if refused else NO_ENERGY.format(rows))
        said = f"{_share(refused, rows)} ({why})" if refused else f"none of {rows:,} rows gives a reading"
        entry.note("", f"as it stands nothing would be loaded: {said}")
    elif set(found.codes) - (TOLD if is_table else set()) or refused * 2 >= rows:
        worst = next(each for each in found.refused if each.reason_code == found.codes.most_common(1)[0][0])
        entry.note("", f"as it stands {_share(refused, rows)} ({worst.reason_code}, {worst.reason})")


def _share(refused: int, rows: int) -> str:
    every = "every row" if refused == rows else f"{refused:,} of {rows:,} rows"
    return f"{every} would be rejected"
