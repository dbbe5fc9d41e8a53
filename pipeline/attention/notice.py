"""A notice: what needs attention, and what of it was not told before. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import TYPE_CHECKING, Any

from pipeline.errors import printable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pipeline.attention.item import Item

# Housekeeping that each run changes: a notice of it would come with every run.
QUIET = {"small_files"}


@dataclass(frozen=True)
class Notice:
    """What needs attention in a lake now, and the digests of what was told before."""

    lake: str
    items: Sequence[Item]
    told: Collection[str]

    @property
    def digests(self) -> list[str]:
        """What is told with this notice."""
        return sorted(digest(item) for item in self.items)

    @property
    def subject(self) -> str:
        """The notice in a line."""
        lake = f"Meterlake {printable(self.lake)}"
        if not self.items:
            return f"{lake}: nothing needs attention any more"
        new = sum(self.is_new(item) for item in self.items)
        count = "1 matter needs" if len(self.items) == 1 else f"{len(self.items):,} matters need"
        return f"{lake}: {count} attention ({f'{new:,} new' if new else 'none new'})"

    @property
    def text(self) -> str:
        """The subject, and a line for each item, new ones first."""
        ordered = sorted(self.items, key=lambda item: not self.is_new(item))
        return "\n".join([self.subject, *(self._line(item) for item in ordered)])

    def is_new(self, item: Item) -> bool:
        """Whether it was not told before."""
        return digest(item) not in self.told

    def _line(self, item: Item) -> str:
        feed = f"{item.feed}: " if item.feed else ""
        command = f" ({item.command})" if item.command else ""
        return printable(f"{'new: ' if self.is_new(item) else ''}{feed}{item.text}{command}")


def of(lake: str, items: Sequence[Item], told: Collection[str]) -> Notice | None:
    """The notice that is due; None where just this was told before."""
    notice = Notice(lake, [item for item in items if item.kind not in QUIET], told)
    return notice if set(notice.digests) != set(told) else None


def digest(item: Item) -> str:
    """The same for the same matter, until its text changes."""
    return hashlib.sha256(repr((item.kind, item.feed, item.text)).encode()).hexdigest()[:12]


def for_slack(notice: Notice) -> dict[str, Any]:
    """`{"text": …}`. What a sender wrote into a file's name mentions no user and links nowhere."""
    return {"text": notice.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}


def for_programs(notice: Notice) -> dict[str, Any]:
    """The lake, the text, and every item with its fields; `since` as ISO 8601."""
    items = [
        vars(item) | {"since": item.since.isoformat() if item.since else None, "new": notice.is_new(item)}
        for item in notice.items
    ]
    return {"lake": notice.lake, "text": notice.text, "items": items}


def for_mail(notice: Notice, sender: str, to: Sequence[str]) -> EmailMessage:
    """The notice as a mail."""
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = notice.subject, sender, ", ".join(to)
    # With a domain, so that no name server is asked for ours.
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=sender.rpartition("@")[2])
    mail.set_content(notice.text)
    return mail
