"""How each kind of database is asked: its driver, its text of a value, its quotes and its timeouts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.formats.reference_snapshot import SOURCE, WIDTH, one_query

if TYPE_CHECKING:
    from pipeline.config.reference import Reference

SCHEMA = ", ".join(["source STRING", *(f"c{n} STRING" for n in range(WIDTH))])
# A name that every database takes without quotes, and turns into its own upper or lower case.
PLAIN = re.compile(r"[A-Za-z]\w*", re.ASCII)
# How much longer than for the query itself the driver waits for a byte: a server that lives ends the query first.
SECONDS_AFTER = 5


@dataclass(frozen=True)
class Dialect:
    """A kind of database. `{}` in `text` is a column, `{}` in `quotes` an identifier."""

    text: str
    driver: str | None = None
    # Where `folds`, a plain name is not quoted: the database keeps it in upper case.
    quotes: str = '"{}"'
    folds: bool = False
    # A statement for each connection, before the query.
    session: str | None = None
    # Properties of the driver: for a connection, and for a byte from the server; `unit` is their seconds.
    connect: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    connect_unit: int = 1
    answer_unit: int = 1

    def table(self, name: str) -> str:
        """A checked name of one to three parts, in the database's own quotes."""
        return ".".join(
            part if self.folds and PLAIN.fullmatch(part) else self.quotes.format(part) for part in name.split(".")
        )


# A text must say an instant with its offset, a date as ISO 8601, and a number with its own digits.
DIALECTS = {
    "sqlite": Dialect("CAST({} AS TEXT)", "org.sqlite.JDBC"),
    "postgresql": Dialect(
        "CAST({} AS TEXT)",
        "org.postgresql.Driver",
        # The driver asks for ISO dates, and for the JVM's zone, which the text of an instant would depend on.
        session="SET TIME ZONE 'UTC'",
        connect=("loginTimeout", "connectTimeout"),
        answer=("socketTimeout",),
    ),
    "sqlserver": Dialect(
        # Style 126 is ISO 8601, for every type of dates; the plain text of a datetime is `Oct 14 2024 11:00PM`.
        "CONVERT(NVARCHAR(MAX), {}, 126)",
        "com.microsoft.sqlserver.jdbc.SQLServerDriver",
        quotes="[{}]",
        connect=("loginTimeout",),
        answer=("socketTimeout",),
        answer_unit=1000,
    ),
    "mysql": Dialect(
        "CAST({} AS CHAR)",
        "com.mysql.cj.jdbc.Driver",
        quotes="`{}`",
        connect=("connectTimeout",),
        answer=("socketTimeout",),
        connect_unit=1000,
        answer_unit=1000,
    ),
    "mariadb": Dialect(
        "CAST({} AS CHAR)",
        "org.mariadb.jdbc.Driver",
        quotes="`{}`",
        # Spark knows no MariaDB, and quotes columns as the standard does: to MariaDB these would be texts.
        session="SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')",
        connect=("connectTimeout",),
        answer=("socketTimeout",),
        connect_unit=1000,
        answer_unit=1000,
    ),
    "oracle": Dialect(
        "CAST({} AS VARCHAR2(4000))",
        "oracle.jdbc.OracleDriver",
        folds=True,
        # Without it a date is text in the form of the session's language.
        session=(
            "BEGIN EXECUTE IMMEDIATE 'ALTER SESSION SET NLS_DATE_FORMAT = ''YYYY-MM-DD HH24:MI:SS'' "
            "NLS_TIMESTAMP_FORMAT = ''YYYY-MM-DD HH24:MI:SS.FF'' "
            "NLS_TIMESTAMP_TZ_FORMAT = ''YYYY-MM-DD HH24:MI:SS.FFTZH:TZM'' "
            "NLS_NUMERIC_CHARACTERS = ''.,'''; END;"
        ),
        connect=("oracle.net.CONNECT_TIMEOUT",),
        answer=("oracle.jdbc.ReadTimeout",),
        connect_unit=1000,
        answer_unit=1000,
    ),
}
OTHER = Dialect("CAST({} AS VARCHAR(4000))", folds=True)


def dialect_of(url: str) -> Dialect:
    """The kind of database of a JDBC URL; OTHER for one that is not in the list."""
    return DIALECTS.get(url.split(":")[1].lower(), OTHER)


def shown(url: str) -> str:
    """The URL for messages and tables: its parameters are left out, except the database's name."""
    address, *parameters = re.split(r"[?;&]", url)
    named = [each for each in parameters if re.match(r"database(name)?=", each, re.IGNORECASE)]
    return ";".join([address, *named])


def query(reference: Reference) -> str:
    """The statement for all three tables, in the SQL of the database."""
    dialect = dialect_of(str(reference.url))
    names = {table: dialect.table(reference.names[table]) for table in SOURCE}
    return one_query(names, dialect.text.format)


def options(reference: Reference) -> dict[str, str]:
    """What Spark's JDBC source is told: the whole of it but the password."""
    dialect = dialect_of(str(reference.url))
    seconds = reference.timeout_seconds
    given = {
        "user": reference.user,
        "driver": reference.driver or dialect.driver,
        "sessionInitStatement": dialect.session,
    }
    return {
        "url": str(reference.url),
        "dbtable": f"({query(reference)}) snapshot",  # Oracle takes no AS
        "customSchema": SCHEMA,
        "queryTimeout": str(seconds),
        **{name: str(seconds * dialect.connect_unit) for name in dialect.connect},
        **{name: str((seconds + SECONDS_AFTER) * dialect.answer_unit) for name in dialect.answer},
        **{name: value for name, value in given.items() if value},
    }
