"""`sql --engine duckdb`: the lake's tables in DuckDB's dialect, without a JVM."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from pipeline.errors import LakeError, UsageError
from pipeline.lake import access, tables, view_dialects
from pipeline.lake.tables import Column
from pipeline.lake.types import arrow_schema
from pipeline.queries import duckdb_functions, mistakes, statements
from pipeline.queries.names import HISTORY, Names
from pipeline.runtime import error_messages
from pipeline.serving.engine import SETTINGS, Engine, register

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow.dataset as ds

    from pipeline.runtime.context import Context

OWN_WORDS = ("SUMMARIZE", "PIVOT", "UNPIVOT")
READING = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.MULTI,  # PIVOT
}
# Statements that need every name, because they list them.
LISTS = re.compile(r"\s*SHOW\b|.*\binformation_schema\b|.*\bduckdb_\w+\(", re.IGNORECASE | re.DOTALL)
ROWS_AT_ONCE = 10_000
HUGEINT = pa.decimal128(38, 0)
# How often a query that is to stop is told.
EVERY_SECONDS = 0.1
SPARK_ONLY = "leave out --engine duckdb"


class DuckDBQueries:
    """A session: its tables are opened again for each statement, so that it sees what was committed meanwhile."""

    dialect = statements.DUCKDB

    def __init__(self, context: Context) -> None:
        settings = context.settings
        if access.needs_spark(context):
            raise LakeError(settings.where, f"is in a catalog, whose tables `sql` reads with Spark: {SPARK_ONLY}")
        self._context = context
        self.names = Names.of(settings, view_dialects.DUCKDB)
        # As many threads and as much memory as DuckDB takes: here no server answers others meanwhile.
        own = {name: value for name, value in SETTINGS.items() if name not in {"threads", "memory_limit"}}
        self._connection = Engine(own).connection()
        duckdb_functions.add_to(self._connection)
        for layer in tables.LAYERS:
            self._connection.execute(f"CREATE SCHEMA {layer}")

    def ask(self, statement: str, most: int | None = None) -> pa.Table:
        """The answer's rows, at most so many. UsageError for what is wrong with the query."""
        mistakes.must_read(statement, self.dialect, OWN_WORDS)
        try:
            self._must_only_read(statement)
            self._name(self.names.every if LISTS.match(statement) else self.names.named(statement))
            return self._stoppable(lambda: self._rows_of(statement, most))
        except (duckdb.Error, pa.ArrowException, OSError) as problem:
            raise self._in_words(problem, statement) from None
        except RuntimeError as problem:  # what DuckDB makes of Ctrl-C
            if "interrupt" not in str(problem).lower():
                raise
            raise KeyboardInterrupt from None

    def _rows_of(self, statement: str, most: int | None) -> pa.Table:
        reader = self._connection.sql(statement).to_arrow_reader(ROWS_AT_ONCE)
        batches: list[pa.RecordBatch] = []
        while most is None or sum(batch.num_rows for batch in batches) < most:
            try:
                batches.append(reader.read_next_batch())
            except StopIteration:
                break
        return _plain(pa.Table.from_batches(batches, reader.schema).slice(0, most))

    def _stoppable(self, work: Callable[[], pa.Table]) -> pa.Table:
        """What the work gives, or KeyboardInterrupt soon after Ctrl-C, wherever it is.

        DuckDB itself looks for Ctrl-C in the main thread, and not while it makes rows for Arrow.
        """
        with ThreadPoolExecutor(1) as worker:
            answer = worker.submit(work)
            try:
                return answer.result()
            except KeyboardInterrupt:
                while not answer.done():  # what has not begun cannot be stopped yet
                    self._connection.interrupt()
                    wait([answer], EVERY_SECONDS)
                raise

    def columns(self, name: str) -> Sequence[Column]:
        """The columns of a table or view."""
        if table := self.names.table(name):
            return table.columns
        if name == HISTORY:
            return ()
        self._name([name])
        rows = self._connection.execute(f"DESCRIBE {name}").fetchall()
        return [Column(row[0], row[1], "") for row in rows]

    def stop(self) -> None:
        """Stop what runs."""
        self._connection.interrupt()

    def _must_only_read(self, statement: str) -> None:
        """A query may end in a statement that writes (`WITH … INSERT`); nothing is there to be written, but say so."""
        for part in self._connection.extract_statements(statement):
            if part.type not in READING:
                raise mistakes.reads_only(f"a statement of the kind {part.type.name}")

    def _name(self, wanted: Sequence[str]) -> None:
        """Let the connection know those tables, as they are now, and views."""
        if HISTORY in wanted and len(wanted) < len(self.names.every):
            raise UsageError(f"{HISTORY} is judged from bronze by Spark only: {SPARK_ONLY}")
        used = self.names.with_used(wanted)
        for table in self.names.tables:
            if table.full_name in used:
                register(self._connection, table.full_name, self._rows(table))
                self._view(table.full_name, f'SELECT * FROM "{table.full_name}"')  # noqa: S608 - a name of ours
        for view in self.names.views:  # a view comes after the views it reads
            if view.name in used:
                self._view(view.name, view.query)

    def _view(self, name: str, query: str) -> None:
        self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS {query}")

    def _rows(self, table: tables.Table) -> ds.Dataset | pa.Table:
        if not access.lake_of(self._context).facts.exists(table):  # no run has come to it yet
            return arrow_schema(table).empty_table()
        found = access.dataset(self._context, table)
        if found is None:
            address = tables.address(self._context.settings, table)
            raise LakeError(address, f"has deletion vectors or the like, which only Spark reads: {SPARK_ONLY}")
        return found[0]

    def _in_words(self, problem: Exception, statement: str) -> UsageError | LakeError:
        if words := error_messages.in_words(problem):
            return LakeError(self._context.settings.where, words)
        said = str(problem)
        if unknown := self._unknown_name(said, statement):
            return unknown
        if found := re.search(r"syntax error at (?:or near \"(.*?)\"|end of input)", said):
            return mistakes.syntax(found[1] or "", statement, self.dialect, _position(said, statement))
        if "are disabled by configuration" in said:
            return UsageError("only the lake's tables can be read here, no files")
        if found := re.search(r"No time zone found with key ([^'\"\n]+)", said):
            return UsageError(f"no time zone {found[1]!r}")
        return UsageError(f"the query failed: {re.sub(r'^[A-Z][A-Za-z -]+ Error: ', '', said.strip()).splitlines()[0]}")

    def _unknown_name(self, said: str, statement: str) -> UsageError | None:
        """For a column, table or function that is not there, by DuckDB's words; None for another error."""
        if found := re.search(r'Referenced column "([^"]+)" not found|does not have a column named "([^"]+)"', said):
            offered = re.findall(r'"([^"]+)"', said.partition("Candidate bindings:")[2].partition("\n")[0])
            column = found[1] or found[2]
            whose = re.search(r'"([^"]+)" does not have a column', said)
            written = f"{whose[1]}.{column}" if whose else column
            return mistakes.unknown_column(written, statement, self.names, self._column_names, offered)
        if found := re.search(r"Table with name (\S+) does not exist", said):
            return mistakes.unknown_table(_as_written(found[1], statement), self.names)
        if found := re.search(r"Function with name (\S+) does not exist", said):
            known = self._connection.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
            return mistakes.unknown_function(found[1], (name for (name,) in known))
        return None

    def _column_names(self, name: str) -> list[str]:
        return [column.name for column in self.columns(name)]


def _as_written(name: str, statement: str) -> str:
    """DuckDB leaves out the schema of a name."""
    found = re.search(rf"[\w\"]+\s*\.\s*\"?{re.escape(name)}\b", statement, re.IGNORECASE)
    return re.sub(r"\s", "", found[0]) if found else name


def _position(said: str, statement: str) -> int | None:
    """Where the caret below a line of the message stands."""
    found = re.search(r"^LINE (\d+): (.*)\n( *)\^", said, re.MULTILINE)
    if found is None or found[2].startswith("..."):
        return None
    lines = statement.split("\n")[: int(found[1]) - 1]
    return sum(len(line) + 1 for line in lines) + len(found[3]) - len(f"LINE {found[1]}: ")


def _plain(rows: pa.Table) -> pa.Table:
    """Sums of whole numbers as these (DuckDB's HUGEINT comes as a decimal), and intervals as lengths of time."""
    return pa.table([_plain_column(column) for column in rows.columns], names=rows.column_names)


def _plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    if column.type == HUGEINT:
        try:
            return column.cast(pa.int64())
        except pa.ArrowInvalid:  # larger than that
            return column
    if column.type == pa.month_day_nano_interval():
        values = column.to_pylist()
        if any(value is not None and value.months for value in values):  # of no certain length
            said = [
                value and f"{value.months} months {value.days} days {value.nanoseconds / 1e9:g} s" for value in values
            ]
            return pa.array(said, pa.string())
        return pa.array([value and timedelta(value.days, 0, value.nanoseconds // 1000) for value in values])
    return column
