"""A matter that needs attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Item:
    """A matter that needs attention: `text` is a plain sentence, `command` shows exactly it, `since` is an instant.

    `kind` is a word such as late or refused; `feed` is None where it is a matter of the lake; `urgent`: a person should
    do something about it today. The text holds no ages and no times of asking, so that the same matter has the same
    text until it changes.
    """

    kind: str
    feed: str | None
    text: str
    command: str | None = None
    since: datetime | None = None
    urgent: bool = False
