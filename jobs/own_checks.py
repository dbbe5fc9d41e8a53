"""The checks of the configuration, run after gold: each is a query of which every row is something wrong.

A check that fails or finds rows never fails a run. It cannot write, for it is asked as `sql` asks. Of the rows only
their number is kept, so that no erased meter is left in a result.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.attention import checked
from pipeline.attention.checked import Checked
from pipeline.errors import BusyLakeError, OvertakenError, UnknownNameError, UsageError
from pipeline.lake import access, tables
from pipeline.queries.names import Names
from pipeline.runtime import error_messages

if TYPE_CHECKING:
    from pipeline.config.own_checks import Check
    from pipeline.queries.by_spark import SparkQueries
    from pipeline.runtime.context import Context

# `watch` runs them no more often than this: each reads whole tables, and a batch may come every second.
PAUSE = timedelta(minutes=10)
# In the mark of ops.checks: what the results are of.
OF = "checked"
# They change with every run.
ALWAYS_NEW = {tables.RUNS.full_name, tables.CHECKS.full_name}


def run(context: Context, *, often: bool = False) -> list[Checked]:
    """The result of each check. They are run where something that they read changed, or the day (UTC) did.

    `often`: the run is one of many in a row, so that results of the last ten minutes are kept.
    """
    if not context.settings.checks:
        return []
    try:
        return _run(context, often=often)
    except (BusyLakeError, OvertakenError):
        raise  # the lake is another run's now
    except Exception as problem:  # noqa: BLE001 - the readings are in; a lost file of ops.checks must not stop them
        context.log.warning("the checks could not be run", error=error_messages.one_line(problem))
        return []


def _run(context: Context, *, often: bool) -> list[Checked]:
    what, mark = _what_they_read(context), access.mark(context, tables.CHECKS)
    if mark.get(OF) == what or (often and _are_fresh(context)):
        return checked.latest(context)
    context.log.doing(f"Running {len(context.settings.checks)} checks")
    from pipeline.queries.by_spark import SparkQueries  # noqa: PLC0415 - a run with nothing new needs no PySpark

    queries = SparkQueries(context)
    found = [result(queries, check) for check in context.settings.checks]
    rows = [
        {**each.facts(), "run_id": context.run_id, "number": number, "checked_at": context.now}
        for number, each in enumerate(found)
    ]
    access.write_rows(context, tables.CHECKS, rows, {"run_id": context.run_id, OF: what})
    for each in found:
        if each.error:
            context.log.warning("a check cannot be run", check=each.name, error=each.error)
    return checked.latest(context)


def sql_of(context: Context, name: str) -> str:
    """The query of a check of the configuration; UsageError if it has no such check."""
    own = {check.name: check.sql for check in context.settings.checks}
    if not own:
        raise UsageError("the configuration has no [[checks]]")
    if name not in own:
        raise UnknownNameError("no check", name, *own)
    return own[name]


def _are_fresh(context: Context) -> bool:
    rows = access.small_rows(context, tables.CHECKS, ["checked_at"])
    last = max((row["checked_at"] for row in rows), default=None)
    return last is not None and context.now - last < PAUSE


def _what_they_read(context: Context) -> str:
    """A digest of the checks, the versions of the tables that they name, and the day, which SQL may ask for."""
    names, own = Names.of(context.settings), context.settings.checks
    read = names.with_used(name for check in own for name in names.named(check.sql))
    every = [table for table in names.tables if table.full_name in read - ALWAYS_NEW]
    versions = {table.full_name: access.version(context, table) for table in every}
    facts = [[check.model_dump() for check in own], versions, context.now.date().isoformat()]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def result(queries: SparkQueries, check: Check) -> Checked:
    """What a check finds in the lake as it is now."""
    try:
        return Checked(check.name, check.severity, queries.frame(check.sql).count())
    except UsageError as problem:
        return Checked(check.name, check.severity, None, str(problem))
    except Exception as problem:  # noqa: BLE001 - whatever is wrong with a check, the readings are in
        return Checked(check.name, check.severity, None, _without_values(problem))


def _without_values(problem: Exception) -> str:
    """What went wrong while the rows were read. Values are left out: one may be a meter's id, and the line is kept."""
    said = error_messages.in_words(problem) or error_messages.one_line(problem)
    return re.sub(r"'(?:[^'\\]|\\.)*'", "'…'", said)
