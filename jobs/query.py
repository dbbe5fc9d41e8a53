"""`sql`: queries over the lake's tables by their names, by Spark or by DuckDB: one, those of a pipe, or a prompt."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from jobs.shared.output import console, must_exist
from jobs.sql import answers
from pipeline.errors import MissingPackageError, UnknownNameError, UsageError
from pipeline.lake import access
from pipeline.queries import mistakes, statements

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from pipeline.queries.session import Session
    from pipeline.runtime.context import Context

ENGINES = ("spark", "duckdb")
STANDARD_INPUT = "-"


def run(  # noqa: PLR0913, PLR0917 - what the command line says
    context: Context, query: str | None, form: str, limit: int, engine: str = "spark", expanded: str = "auto"
) -> None:
    """Print the answers on standard output as `form`; timestamps are UTC.

    `-`, or nothing where standard input is no terminal, reads queries from there; nothing on a terminal is a prompt.
    Queries end at semicolons; the first that fails is the last.
    """
    answers.check(form, expanded)
    if engine not in ENGINES:
        raise UnknownNameError("unknown engine", engine, *ENGINES)
    if query is None and sys.stdin.isatty():
        _prompt(context, engine, form, limit, expanded)
        return
    text = sys.stdin.read() if query in {None, STANDARD_INPUT} else str(query)
    dialect = statements.DUCKDB if engine == "duckdb" else statements.SPARK
    asked = statements.all_of(text, dialect)
    if not asked:
        raise UsageError("the query is empty")
    if engine == "spark":
        mistakes.must_read(asked[0], dialect)  # before a JVM starts
    session = _session(context, engine)
    wait_for_spark(context)
    for statement in asked:
        answers.show(session.ask(statement, limit + 1 if form == "table" else None), form, limit, expanded)
        sys.stdout.flush()  # a later one may fail, or take long


def select(context: Context, query: str) -> DataFrame:
    """The answer of one query by Spark, not computed yet; a statement that would change something is refused."""
    from pipeline.queries.by_spark import SparkQueries  # noqa: PLC0415 - importing PySpark takes half a second

    return SparkQueries(context).frame(query.strip().rstrip(";"))


def answer(context: Context, query: str) -> pa.Table:
    """The answer of one query that means the same in both dialects."""
    if context.settings.driver_reads:
        return _session(context, "duckdb").ask(query)
    return select(context, query).toArrow()


def _session(context: Context, engine: str) -> Session:
    """The engine's session; Spark starts in the background."""
    if engine == "duckdb":
        try:
            from pipeline.queries.by_duckdb import DuckDBQueries  # noqa: PLC0415 - Spark needs none
        except ModuleNotFoundError as problem:
            raise MissingPackageError(problem.name or "") from None
        session = DuckDBQueries(context)
        must_exist(context)
        return session
    context.need_spark("sql by Spark", "ask with sql --engine duckdb")
    if access.needs_spark(context):
        context.start_spark()
        wait_for_spark(context)
    must_exist(context)  # of a lake in a folder, before a JVM starts
    context.start_spark()
    from pipeline.queries.by_spark import SparkQueries  # noqa: PLC0415 - importing PySpark takes half a second

    return SparkQueries(context)


def wait_for_spark(context: Context) -> None:
    """Until Spark has started, if it was asked to; on a terminal something moves meanwhile."""
    if not context.has_spark:
        return
    with console(stderr=True).status("Starting Spark …") if sys.stderr.isatty() else nullcontext():
        _ = context.spark


def _prompt(context: Context, engine: str, form: str, limit: int, expanded: str) -> None:
    from jobs.sql.prompt import Prompt  # noqa: PLC0415 - only a prompt needs it

    Prompt(_session(context, engine), lambda: wait_for_spark(context), form, limit, expanded).run()
