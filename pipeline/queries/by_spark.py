"""`sql`: the lake's tables in Spark's dialect, in one session."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException, ParseException, PySparkException

from pipeline.errors import LakeError, UsageError
from pipeline.lake import access, tables
from pipeline.lake.tables import Column
from pipeline.layers import reading_history
from pipeline.queries import mistakes, statements
from pipeline.queries.names import HISTORY, Names
from pipeline.runtime import error_messages, session

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from pyspark.sql import DataFrame

    from pipeline.runtime.context import Context

# Statements that change nothing and cannot be used inside a SELECT.
PLAIN = frozenset({"SHOW", "DESCRIBE", "DESC", "EXPLAIN"})
# SQLSTATE classes of what is wrong with a query or with the values that it meets, not with the lake.
OF_THE_QUERY = ("0A", "21", "22", "42", "54")


class SparkQueries:
    """A session: a name is made known to Spark once, when a statement first uses it."""

    dialect = statements.SPARK

    def __init__(self, context: Context) -> None:
        if not access.lake_of(context).facts.exists(tables.INGESTION_LOG):
            raise LakeError(context.settings.where, "has no tables yet: run `main.py run` or `main.py demo` first")
        self._context = context
        self.names = Names.of(context.settings)
        self._known: set[str] = set()

    def frame(self, statement: str) -> DataFrame:
        """The answer, which Spark has not computed yet. UsageError for what is wrong with the query."""
        mistakes.must_read(statement, self.dialect)
        self._name(statement)
        spark = self._context.spark
        try:
            if not self._is_plain(statement):
                # Analysed, never run: only a query can be used as a table.
                spark.sql(f"SELECT * FROM (\n{statement}\n)")  # noqa: S608 - the query is the user's own
            return spark.sql(statement)
        except (ParseException, AnalysisException) as problem:
            raise self._in_words(problem, statement) from None

    def ask(self, statement: str, most: int | None = None) -> pa.Table:
        """The answer's rows, at most so many. UsageError for what is wrong with the query or meets a wrong value."""
        answer = self.frame(statement)
        try:
            return (answer if most is None else answer.limit(most)).toArrow()
        except PySparkException as problem:
            if not str(_asked(problem, "getSqlState") or "").startswith(OF_THE_QUERY):
                raise
            raise self._in_words(problem, statement) from None

    def columns(self, name: str) -> Sequence[Column]:
        """The columns of a table or view."""
        if table := self.names.table(name):
            return table.columns
        self._name(name)
        return [
            Column(field.name, field.dataType.simpleString(), "") for field in self._context.spark.table(name).schema
        ]

    def stop(self) -> None:
        """Stop what runs."""
        session.stop_work(self._context.spark)

    def _is_plain(self, statement: str) -> bool:
        return statements.first_word(statement, self.dialect).upper() in PLAIN

    def _name(self, statement: str) -> None:
        """Let Spark know the names that stand in the statement; all of them for one that lists tables."""
        lists = self._is_plain(statement) and "tables" in statement.lower()
        named = set(self.names.named(statement))
        wanted = None if lists else named - self._known - {HISTORY}
        if wanted is None or wanted:
            access.lake_of(self._context).reads.name_in_session(wanted, self.names.tables, self.names.views)
            self._known |= set(self.names.every) if wanted is None else wanted
        # Each time, because its deliveries are those of the log as it is now.
        if HISTORY in named and (versions := reading_history.readings(self._context)) is not None:
            versions.createOrReplaceTempView(HISTORY)

    def _in_words(self, problem: PySparkException, statement: str) -> UsageError:
        condition = str(_asked(problem, "getCondition") or "")
        given = _asked(problem, "getMessageParameters")
        told = given if isinstance(given, dict) else {}
        if condition.startswith("UNRESOLVED_COLUMN") and "objectName" in told:
            offered = str(told.get("proposal", "")).split(", ")
            return mistakes.unknown_column(told["objectName"], statement, self.names, self._column_names, offered)
        if condition.startswith("TABLE_OR_VIEW_NOT_FOUND") and "relationName" in told:
            return mistakes.unknown_table(told["relationName"], self.names)
        if condition.startswith("UNRESOLVED_ROUTINE") and "routineName" in told:
            known = (row[0] for row in self._context.spark.sql("SHOW FUNCTIONS").collect())
            return mistakes.unknown_function(told["routineName"].rpartition(".")[2], known)
        if condition == "PARSE_SYNTAX_ERROR" and "error" in told:
            near = told["error"].strip("'")
            return mistakes.syntax("" if near == "end of input" else near, statement, self.dialect)
        if isinstance(problem, ParseException):
            return mistakes.reads_only(_first_line(problem))
        return UsageError(f"the query failed: {_first_line(problem)}")

    def _column_names(self, name: str) -> list[str]:
        return [column.name for column in self.columns(name)]


def _asked(problem: PySparkException, what: str) -> object:
    """A fact about an error, None where it does not know it (errors of a server have less to say)."""
    try:
        return getattr(problem, what)()
    except Exception:  # noqa: BLE001 - then there is none
        return None


def _first_line(problem: Exception) -> str:
    """The message's first sentence; those that follow advise other functions and settings."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    said = re.sub(r"\s*SQLSTATE.*$", "", lines[0]) if lines else type(problem).__name__
    return re.split(r"\. (?=[A-Z])", re.sub(r"^\[[A-Z_.0-9]+\] ", "", said))[0].rstrip(".")[: error_messages.LONGEST]
