"""What every commit of ours has: the claim that is held, the mark that says how far the table is complete."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipeline.errors import OvertakenError
from pipeline.lake import stores, tables
from pipeline.runtime import error_messages, failpoints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.lake.progress import Commit
    from pipeline.lake.protocol import Facts
    from pipeline.lake.tables import Table
    from pipeline.runtime.context import Context

# The first line of nearly every commit is shorter.
FIRST_BYTES = 16 * 1024
# Since this version of the form a lake's marks have a namespace (progress.py).
FORM_WITH_NAMESPACE = 3


@contextmanager
def committed(context: Context, what: str) -> Iterator[None]:
    """Wraps each commit: claims the lake first, sets the fail points before and after it, and counts it."""
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


def newest(where: str, version: int) -> Commit | None:
    """What the commit of a version says of itself, in one small read; None where its file is gone."""
    system, folder = stores.opened(where)
    try:
        with system.open_input_file(stores.inside(folder, f"_delta_log/{version:020d}.json")) as file:
            first = file.read(FIRST_BYTES)
            # Whoever writes a commit begins with what it says of itself; the files that it adds may be very many.
            while b"\n" not in first and (more := file.read(FIRST_BYTES)):
                first += more
            said = json.loads(first.partition(b"\n")[0]).get("commitInfo") or _anywhere(first + file.read())
    except FileNotFoundError:
        return None
    return None if said is None else said | {"version": version}


def _anywhere(text: bytes) -> Commit | None:
    entries = (json.loads(line) for line in text.splitlines() if b'"commitInfo"' in line)
    return next((entry["commitInfo"] for entry in entries if "commitInfo" in entry), None)


def form(context: Context, facts: Facts) -> int:
    """The version of the lake's form; that of this program where there is no lake yet."""
    if ("form",) not in context.answers:
        told = facts.properties(tables.INGESTION_LOG)
        newest = tables.SCHEMA_VERSION if told is None else 1
        context.answers["form",] = int((told or {}).get(tables.SCHEMA_VERSION_PROPERTY, newest))
    return int(context.answers["form",])


def is_of_old_form(context: Context, facts: Facts) -> bool:
    """Whether the lake's marks may stand without a namespace."""
    return form(context, facts) < FORM_WITH_NAMESPACE


def with_claim(context: Context, table: Table, mark: dict[str, Any]) -> dict[str, Any]:
    """The log's mark names the claim that its commit was made under; other marks are as they are."""
    if table != tables.INGESTION_LOG or context.claim is None:
        return mark
    return mark | {"claim": context.claim.facts()}


def carried(context: Context, facts: Facts, table: Table) -> dict[str, Any]:
    """The mark of the last commit of ours: every later one repeats it, for old commits are not kept for ever."""
    return with_claim(context, table, facts.progress(table)[0].mark)
