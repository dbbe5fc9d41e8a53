"""What every commit of ours has: the claim that is held, the mark that says how far the table is complete."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.errors import OvertakenError
from pipeline.lake import progress, tables
from pipeline.runtime import error_messages, failpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.lake.progress import Commit, Progress
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# Since this version of the form a lake's marks have a namespace (progress.py).
FORM_WITH_NAMESPACE = 3


class Facts(Protocol):
    """What a table's log says."""

    def exists(self, table: Table) -> bool:
        """Whether there is such a table."""

    def history(self, table: Table, limit: int | None) -> list[Commit]:
        """The newest commits, newest first; [] where there is no such table."""

    def properties(self, table: Table) -> dict[str, str] | None:
        """The table's properties; None where there is no such table."""


@contextmanager
def committed(context: Context, what: str) -> Iterator[None]:
    """Around each commit: the run holds the lake's claim, it can be killed before and after, and is counted."""
    if context.before_commit is not None:
        context.before_commit()
    with failpoints.around(what):
        try:
            yield
        except Exception as problem:
            if context.claim is not None and error_messages.is_overtaken(problem):
                raise OvertakenError(context.settings.where) from None
            raise
        context.commits += 1


def form(context: Context, facts: Facts) -> int:
    """The version of the lake's form; that of this program where there is no lake yet."""
    if ("form",) not in context.answers:
        told = facts.properties(tables.INGESTION_LOG)
        newest = tables.SCHEMA_VERSION if told is None else 1
        context.answers["form",] = int((told or {}).get(tables.SCHEMA_VERSION_PROPERTY, newest))
    return int(context.answers["form",])


def progress_of(context: Context, facts: Facts, table: Table) -> tuple[Progress, bool]:
    """(how far the table is complete, whether its history reaches back to a mark of ours or to its beginning)."""
    old_form = form(context, facts) < FORM_WITH_NAMESPACE
    for limit in (1, 50, None):
        commits = facts.history(table, limit)
        is_whole = limit is None or len(commits) < limit
        if (told := progress.found(commits, old_form=old_form, is_whole=is_whole)) is not None:
            return told, True
        if is_whole:
            return progress.Progress(), not commits or commits[-1]["version"] == 0
    raise AssertionError  # the last limit is None


def with_claim(context: Context, table: Table, mark: dict[str, Any]) -> dict[str, Any]:
    """The log's mark names the claim that its commit was made under; other marks are as they are."""
    if table != tables.INGESTION_LOG or context.claim is None:
        return mark
    return mark | {"claim": context.claim.facts()}


def carried(context: Context, facts: Facts, table: Table) -> dict[str, Any]:
    """The mark of the last commit of ours: every later one repeats it, for old commits are not kept for ever."""
    return with_claim(context, table, progress_of(context, facts, table)[0].mark)
