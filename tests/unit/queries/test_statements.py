"""Where a statement ends, and what it begins with, in both dialects."""

from __future__ import annotations

import pytest

from pipeline.queries import statements
from pipeline.queries.statements import DUCKDB, SPARK

BOTH = pytest.mark.parametrize("dialect", [SPARK, DUCKDB], ids=["spark", "duckdb"])


@BOTH
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';' AS a; SELECT 2;", ["SELECT ';' AS a", "SELECT 2"]),
        ("SELECT 'it''s; so'; SELECT 2", ["SELECT 'it''s; so'", "SELECT 2"]),
        ('SELECT ";" ; SELECT 2', ['SELECT ";"', "SELECT 2"]),
        ("SELECT 1 -- a; b\n; SELECT 2", ["SELECT 1 -- a; b", "SELECT 2"]),
        ("SELECT /* a; /* b; */ c; */ 1; SELECT 2", ["SELECT /* a; /* b; */ c; */ 1", "SELECT 2"]),
        ("-- only a comment;\n;;  ; /* and one; */", []),
        ("", []),
        ("SELECT 'ünicode;', 1e5, a.b\n  FROM t;", ["SELECT 'ünicode;', 1e5, a.b\n  FROM t"]),
    ],
)
def test_statements_end_at_semicolons_that_are_not_quoted(text, found, dialect):
    assert statements.all_of(text, dialect) == found


def test_what_only_spark_quotes():
    assert statements.all_of(r"SELECT 'a\';b'; SELECT 2", SPARK) == [r"SELECT 'a\';b'", "SELECT 2"]
    assert statements.all_of(r"SELECT r'a\'; SELECT 2", SPARK) == [r"SELECT r'a\'", "SELECT 2"]
    assert statements.all_of("SELECT `a;b`; SELECT 2", SPARK) == ["SELECT `a;b`", "SELECT 2"]


def test_what_only_duckdb_quotes():
    assert statements.all_of(r"SELECT 'a\'; SELECT 2", DUCKDB) == [r"SELECT 'a\'", "SELECT 2"]
    assert statements.all_of(r"SELECT e'a\';b'; SELECT 2", DUCKDB) == [r"SELECT e'a\';b'", "SELECT 2"]
    assert statements.all_of("SELECT $$a;b$$, $x$;$$;$x$; SELECT 2", DUCKDB) == [
        "SELECT $$a;b$$, $x$;$$;$x$",
        "SELECT 2",
    ]


@BOTH
@pytest.mark.parametrize(
    "text", ["SELECT 'a;", 'SELECT "a;', "SELECT /* a;", "SELECT /* a; /* b */ ;", "SELECT 1; SELECT 2 -- c;"]
)
def test_a_statement_that_has_not_ended_is_the_rest(text, dialect):
    found = statements.split(text, dialect)
    assert found.rest == text.removeprefix("SELECT 1; ")
    assert found.statements == (["SELECT 1"] if text.startswith("SELECT 1") else [])


@BOTH
def test_pieces_together_are_the_text(dialect):
    text = "WITH \"a\" AS (SELECT 'x' || 1.5e3) -- c\nSELECT `b`, $1 FROM a; /* open"
    assert "".join(piece.text for piece in statements.tokens(text, dialect)) == text


@BOTH
def test_a_statement_begins_with_its_first_word(dialect):
    assert statements.first_word("-- c\n /* d */ ((Select 1))", dialect) == "Select"
    assert statements.first_word("1 + 1", dialect) == ""
    assert statements.first_word("", dialect) == ""
