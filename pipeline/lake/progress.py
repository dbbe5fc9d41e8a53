"""How far a table is complete, according to its own commits. Pure: no Spark, no files.

Each commit of ours carries a mark in its `userMetadata`, `{"meterlake": {"batch_id": 7, …}}`: data and progress are one
commit. What other people and tools write there is ignored. A RESTORE brings back the data of an earlier version, so the
mark that counts is the newest one of that version.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

KEY = "userMetadata"
NAMESPACE = "meterlake"
# In the log's marks: the claim that the commit was made under (pipeline/lake/claim.py).
CLAIM = "claim"
# Before form 3, marks had no namespace; each of them had one of these keys.
BEFORE_NAMESPACE = ({"batch_id"}, {"run_id"})

Commit = dict[str, Any]


@dataclass(frozen=True)
class Progress:
    """The mark that counts, its commit's metrics, and what a RESTORE took back."""

    mark: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    # The highest batch of the commits that a RESTORE took back; 0 where there was none.
    taken_back: int = 0

    @property
    def batch_id(self) -> int:
        """The highest batch that the table is complete to; 0 for none."""
        return int(self.mark.get("batch_id", 0))

    @property
    def is_restored(self) -> bool:
        """Whether a RESTORE brought the table back to a state before its progress."""
        return self.taken_back > self.batch_id


def text_of(mark: dict[str, Any]) -> str:
    """The mark as a commit carries it."""
    return json.dumps({NAMESPACE: mark})


def mark_in(commit: Commit, *, old_form: bool = False) -> dict[str, Any] | None:
    """Our mark in a commit; None if there is none, or only somebody else's text.

    >>> mark_in({"userMetadata": '{"meterlake": {"batch_id": 7}}'})
    {'batch_id': 7}
    >>> mark_in({"userMetadata": "weekly maintenance"})
    >>> mark_in({"userMetadata": '{"batch_id": 7}'}, old_form=True)
    {'batch_id': 7}
    """
    try:
        said = json.loads(commit.get(KEY) or "null")
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    if isinstance(ours := said.get(NAMESPACE), dict):
        return ours
    is_old = old_form and any(names <= said.keys() for names in BEFORE_NAMESPACE)
    return said if is_old and isinstance(said.get("batch_id", 0), int) else None


def found(commits: Iterable[Commit], *, old_form: bool = False, is_whole: bool = False) -> Progress | None:
    """The progress according to commits, newest first; None if they do not reach back to a mark.

    `old_form` also accepts the marks of lakes that were not upgraded yet; `is_whole`: there are no earlier commits.
    """
    known = list(commits)
    newest: int | None = None  # versions above it were taken back
    taken_back = 0
    claims: list[dict[str, Any]] = []
    for commit in known:
        mark = mark_in(commit, old_form=old_form)
        if newest is not None and commit["version"] > newest:
            taken_back = max(taken_back, int((mark or {}).get("batch_id", 0)))
            claims += _claim_in(mark)
        elif mark is not None:
            # A RESTORE brings back data, not claim numbers: the next claim must be above every earlier one.
            claim = max(claims + _claim_in(mark), key=lambda each: int(each["number"]), default=None)
            mark = mark if claim is None else mark | {CLAIM: claim}
            return Progress(mark, commit.get("operationMetrics") or {}, taken_back)
        elif commit.get("operation") == "RESTORE":
            newest = _restored_to(commit, known)
    return Progress(taken_back=taken_back) if is_whole and taken_back else None


def search(history: Callable[[int | None], list[Commit]], *, old_form: bool) -> tuple[Progress, bool]:
    """(the progress that a history tells of, whether it reaches back to a mark of ours or to the table's beginning).

    `history` gives the newest commits, at most so many (None: all); mostly the newest one will do.
    """
    for limit in (1, 50, None):
        commits = history(limit)
        is_whole = limit is None or len(commits) < limit
        if (told := found(commits, old_form=old_form, is_whole=is_whole)) is not None:
            return told, True
        if is_whole:
            return Progress(), not commits or commits[-1]["version"] == 0
    raise AssertionError  # the last limit is None


def _claim_in(mark: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The claim under which a commit to the log was made, if its mark names one."""
    return [mark[CLAIM]] if mark and CLAIM in mark else []


def _restored_to(restore: Commit, known: list[Commit]) -> int:
    """The version that a RESTORE brought back, given by number or by time; -1 if it cannot be determined."""
    asked = restore.get("operationParameters") or {}
    if (version := asked.get("version")) not in {None, ""}:
        return int(version)
    text = next((str(asked[name]) for name in ("timestamp", "datetime") if asked.get(name)), "")
    try:
        until = datetime.fromisoformat(text)
    except ValueError:
        return -1
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    before = [each["version"] for each in known if each["version"] < restore["version"] and _time(each) <= until]
    return max(before, default=-1)


def _time(commit: Commit) -> datetime:
    """The time of a commit: milliseconds in delta-rs, an instant in Spark."""
    at = commit["timestamp"]
    if isinstance(at, datetime):
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return datetime.fromtimestamp(int(at) / 1000, UTC)
