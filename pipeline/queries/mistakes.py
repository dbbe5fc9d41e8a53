"""What is wrong with a query, in one line: the word, what was probably meant instead, and what there is."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pipeline.errors import UsageError
from pipeline.queries import statements

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.queries.names import Names

READS = ("SELECT", "WITH", "FROM", "VALUES", "TABLE", "SHOW", "DESCRIBE", "DESC", "EXPLAIN")
# Statements that change something: the lake, the session, or files.
CHANGES = frozenset(
    "ADD ALTER ANALYZE ATTACH BEGIN CACHE CALL CHECKPOINT CLEAR CLONE COMMENT COMMIT CONVERT COPY CREATE DECLARE "
    "DELETE DETACH DROP EXECUTE EXPORT GRANT IMPORT INSERT INSTALL LOAD MERGE MSCK OPTIMIZE PRAGMA PREPARE PURGE "
    "REFRESH REORG REPAIR REPLACE RESET RESTORE REVOKE ROLLBACK SET TRUNCATE UNCACHE UNDROP UPDATE USE VACUUM".split()
)
CLAUSES = (
    "SELECT FROM WHERE GROUP ORDER HAVING LIMIT JOIN LEFT INNER OUTER UNION DISTINCT BETWEEN WITH VALUES "
    "DESCRIBE EXPLAIN PARTITION OVER".split()
)
# Words this near to the place of an error may be what caused it.
WORDS_BEFORE = 3


def must_read(statement: str, dialect: re.Pattern[str], more: Sequence[str] = ()) -> None:
    """Raise UsageError where the statement's first word begins no query; `more` are an engine's own first words."""
    first = statements.first_word(statement, dialect)
    word, every = first.upper(), (*READS, *more)
    if not first or word in every:
        return
    if word in CHANGES:
        raise UsageError(f"{first!r} would change something: `sql` reads only")
    raise UsageError(
        _and_so(f"no query begins with {first!r}", _near(word, every), f"it may begin with {_list(every)}")
    )


def reads_only(why: str) -> UsageError:
    """For what an engine found out to be no query."""
    return UsageError(f"not a query that reads: {why}; `sql` reads only")


def unknown_column(
    written: str, statement: str, names: Names, columns: Callable[[str], Sequence[str]], offered: Iterable[str] = ()
) -> UsageError:
    """A column that its table does not have; `columns` gives a table's, `offered` are what the engine proposes."""
    *before, column = written.lower().replace("`", "").replace('"', "").split(".")
    named, alias = names.named(statement), names.aliases(statement)
    qualifier = ".".join(before[-2:])
    whose = qualifier if qualifier in named else alias.get(before[-1]) if before else None
    there = {name: [*columns(name)] for name in ([whose] if whose else named)}
    guess = _near(column, [each for some in there.values() for each in some])
    guess = guess or _near(column, [each.rpartition(".")[2].strip('`"') for each in offered])
    with_it = [name for name, some in there.items() if guess in some]
    shown = with_it[:1] or [*there]
    where = f" in {_list(shown)}" if shown else ""
    has = "; ".join(f"{name} has {', '.join(there[name])}" for name in shown)
    return UsageError(_and_so(f"no column {column!r}{where}", guess, has))


def unknown_table(written: str, names: Names) -> UsageError:
    """A table that the lake does not have."""
    name = written.replace("`", "").replace('"', "")
    alone = {each.rpartition(".")[2]: each for each in names.every}
    last = name.lower().rpartition(".")[2]
    guess = _near(name.lower(), names.every) or alone.get(_near(last, alone) or "")
    return UsageError(_and_so(f"no table {name!r}", guess, "" if guess else f"tables: {', '.join(names.every)}"))


def unknown_function(written: str, known: Iterable[str]) -> UsageError:
    """A function that the engine does not have."""
    name = written.replace("`", "")
    return UsageError(_and_so(f"no function {name!r}", _near(name.lower(), known)))


def syntax(near: str, statement: str, dialect: re.Pattern[str], at: int | None = None) -> UsageError:
    """A statement that cannot be read from `near` on, a word at the offset `at`; "" for its end."""
    if near.upper() in CHANGES:
        return reads_only(f"{near!r} would change something")
    words = statements.words(statement, dialect)
    if at is None:
        at = next((word.start for word in words if word.text == near), len(statement))
    place = f"near {near!r}, line {statement.count(chr(10), 0, at) + 1}" if near else "at its end"
    for word in reversed([word for word in words if word.start <= at][-WORDS_BEFORE:]):
        clause = _near(word.text.upper(), CLAUSES, 0.7)
        if clause and clause != word.text.upper():
            return UsageError(_and_so(f"not a query that reads: syntax error {place}", f"{clause} for {word.text!r}"))
    return UsageError(f"not a query that reads: syntax error {place}")


def _near(word: str, every: Iterable[str], cutoff: float = 0.6) -> str | None:
    return next(iter(difflib.get_close_matches(word, [*every], 1, cutoff)), None)


def _and_so(problem: str, guess: str | None, there: str = "") -> str:
    """The problem, what was probably meant, and what there is."""
    meant = f"{problem}: did you mean {guess}?" if guess else problem
    return meant if not there else f"{meant} ({there})" if guess else f"{meant}; {there}"


def _list(every: Sequence[str]) -> str:
    *most, last = every
    return f"{', '.join(most)} or {last}" if most else last
