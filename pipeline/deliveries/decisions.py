"""Which deliveries are known, and what becomes of a new one. Pure: no Spark, no files, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.deliveries.delivery import CONFLICT, DUPLICATE, LOADED, Delivery

if TYPE_CHECKING:
    from collections.abc import Iterable

CHANGED = "CHANGED_AFTER_LOADING"
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass
class History:
    """One feed's deliveries in the log, in the order of file_id."""

    last_by_path: dict[str, Delivery] = field(default_factory=dict)
    last_loaded_by_path: dict[str, Delivery] = field(default_factory=dict)
    loaded_by_name: dict[str, Delivery] = field(default_factory=dict)
    taken: set[tuple[str, str | None]] = field(default_factory=set)
    conflicts: set[tuple[str, str | None]] = field(default_factory=set)
    by_content: dict[tuple[str, str], Delivery] = field(default_factory=dict)
    seen: set[tuple[str, int | None, datetime | None]] = field(default_factory=set)
    withdrawn: dict[tuple[str, str | None], Delivery] = field(default_factory=dict)

    @classmethod
    def of(cls, deliveries: Iterable[Delivery]) -> History:
        """The history of the deliveries, given in the order of file_id."""
        history = cls()
        for delivery in deliveries:
            history.add(delivery)
        return history

    def add(self, delivery: Delivery) -> None:
        """One more decided delivery."""
        self.last_by_path[delivery.relative_path] = delivery
        if delivery.status == LOADED:
            self.last_loaded_by_path[delivery.relative_path] = delivery
            self.loaded_by_name[delivery.file_name] = delivery
        if delivery.status in {LOADED, DUPLICATE}:
            self.taken.add((delivery.relative_path, delivery.sha256))
        if delivery.sha256 is not None:
            self.by_content[delivery.relative_path, delivery.sha256] = delivery
            self.seen.add((delivery.relative_path, delivery.size_bytes, delivery.modified_at))
        if delivery.reason_code == CHANGED:  # settled or not
            self.conflicts.add((delivery.file_name, delivery.sha256))
        if delivery.was_taken_out:
            self.withdrawn[delivery.file_name, delivery.sha256] = delivery

    def touched(self, inspected: Delivery) -> Delivery | None:
        """The newest entry with the file's path and bytes, updated to its present size and time, if these differ."""
        last = self.by_content.get((inspected.relative_path, inspected.sha256 or ""))
        if last is None:
            return None
        now = replace(last, size_bytes=inspected.size_bytes, modified_at=inspected.modified_at)
        return now if now != last else None

    def is_unchanged(self, found: Delivery, *, by_name: bool = False) -> bool:
        """Whether a file is as it was when it was last decided, by size and time; such a file is not read.

        A file that could not be read is tried again, because permissions change without changing the time, unless it is
        clear without reading that the reason is still the same. If a name is loaded only once (`by_name`), any entry
        will do: a file that was put back is not a new delivery.
        """
        if (
            by_name
            and not found.reason_code
            and (found.relative_path, found.size_bytes, found.modified_at) in self.seen
        ):
            return True
        last = self.last_by_path.get(found.relative_path)
        if last is None or (last.size_bytes, last.modified_at) != (found.size_bytes, found.modified_at):
            return False
        if found.reason_code:
            return (last.reason or "").startswith(found.reason or "")  # if it was settled since, more text follows
        return last.sha256 is not None


def arrival_order(delivery: Delivery) -> tuple[datetime, str, str]:
    """SMRT by header creation, generation, path; others by modification time, path (contract, section 4)."""
    if delivery.created_at or delivery.generation:
        return delivery.created_at or _BEGINNING, delivery.generation or "", delivery.relative_path
    return _BEGINNING, "", delivery.relative_path


def modification_order(delivery: Delivery) -> tuple[datetime, str]:
    """Order of deliveries whose content does not say when they were made."""
    return delivery.modified_at or _BEGINNING, delivery.relative_path


def decide(inspected: Iterable[Delivery], history: History, *, by_name: bool) -> list[Delivery]:
    """New deliveries with their status, in order of arrival, without files that were only touched or put back.

    `by_name`: the bare name is the identity and is loaded once (SMRT); otherwise it is the path, and changed content is
    a new delivery. Each decision is added to `history`, so that files of the same run are compared with each other.
    """
    decided = []
    for delivery in sorted(inspected, key=arrival_order if by_name else modification_order):
        verdict = _by_name(delivery, history) if by_name else _by_path(delivery, history)
        if verdict is not None:
            history.add(verdict)
            decided.append(verdict)
    return decided


def _by_name(delivery: Delivery, history: History) -> Delivery | None:
    loaded = history.loaded_by_name.get(delivery.file_name)
    if loaded is None or delivery.sha256 is None:
        return _of_a_free_name(delivery, history)
    if delivery.sha256 == loaded.sha256:
        if (delivery.relative_path, delivery.sha256) in history.taken:
            return None
        return _duplicate(delivery, f"same bytes as {_named(loaded)}")
    if (delivery.file_name, delivery.sha256) in history.conflicts:
        return None
    reason = f"the name was loaded as {_named(loaded)} with other bytes; a correction needs a new name"
    return delivery.refused(CHANGED, reason, CONFLICT)


def _of_a_free_name(delivery: Delivery, history: History) -> Delivery | None:
    """A name that is not taken; the bytes of a withdrawn delivery do not come back under another path."""
    withdrawn = history.withdrawn.get((delivery.file_name, delivery.sha256))
    if withdrawn is None or withdrawn.relative_path == delivery.relative_path:
        return _refused_or_loaded(delivery, history)
    if (delivery.relative_path, delivery.sha256) in history.taken:
        return None
    return _duplicate(delivery, f"same bytes as {_named(withdrawn)}, which was withdrawn; replay that one")


def _by_path(delivery: Delivery, history: History) -> Delivery | None:
    loaded = history.last_loaded_by_path.get(delivery.relative_path)
    last = history.last_by_path.get(delivery.relative_path)
    same_as_last = last is not None and last.sha256 == delivery.sha256 and delivery.sha256 is not None
    if not same_as_last and loaded is not None and loaded.sha256 == delivery.sha256:
        return _duplicate(delivery, f"same bytes as {_named(loaded)}, the last one loaded")
    return _refused_or_loaded(delivery, history)


def _refused_or_loaded(delivery: Delivery, history: History) -> Delivery | None:
    last = history.last_by_path.get(delivery.relative_path)
    if last is not None and last.sha256 == delivery.sha256:
        # The same bytes as decided before; for files that could not be read, size and time are compared instead.
        if delivery.sha256 is not None:
            return None
        if (last.size_bytes, last.modified_at) == (delivery.size_bytes, delivery.modified_at):
            return None
    return delivery if delivery.reason_code else replace(delivery, status=LOADED)


def _duplicate(delivery: Delivery, reason: str) -> Delivery:
    return replace(delivery, status=DUPLICATE, reason_code=None, reason=reason, rows_read=0)


def _named(loaded: Delivery) -> str:
    number = f"file {loaded.file_id} " if loaded.file_id else ""
    return f"{number}({loaded.relative_path})"
