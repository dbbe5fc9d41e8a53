"""What is wrong with a query, in one line."""

from __future__ import annotations

import pytest

from pipeline.config.feeds import Feed
from pipeline.config.settings import Settings
from pipeline.errors import UsageError
from pipeline.lake import tables
from pipeline.queries import mistakes
from pipeline.queries.mistakes import CHANGES, READS
from pipeline.queries.names import Names
from pipeline.queries.statements import SPARK

NAMES = Names.of(Settings(lake="/lake", feeds=(Feed(name="gas", format="smrt", path="/in"),)))
JOINED = "SELECT d.consumtion FROM gold.meter_day AS d JOIN ops.runs r ON true"


def columns(name):
    return NAMES.table(name).names


def refusal(statement):
    with pytest.raises(UsageError) as caught:
        mistakes.must_read(statement, SPARK)
    return str(caught.value)


def test_what_reads_may_pass():
    for word in READS:
        mistakes.must_read(f" ({word.lower()} 1", SPARK)
    mistakes.must_read("SUMMARIZE t", SPARK, ["SUMMARIZE"])


def test_a_first_word_that_is_mistyped_is_named():
    assert refusal("SELEC 1").startswith(
        "no query begins with 'SELEC': did you mean SELECT? (it may begin with SELECT, "
    )
    assert refusal("xyz 1").startswith("no query begins with 'xyz'; it may begin with SELECT, WITH, ")


@pytest.mark.parametrize("word", sorted(CHANGES))
def test_what_changes_something_is_refused(word):
    assert refusal(f"{word} gold.meter_day") == f"{word!r} would change something: `sql` reads only"


def test_a_mistyped_column_lists_the_columns_of_its_table_only():
    said = str(mistakes.unknown_column("`consumtion`", "SELECT consumtion FROM gold.meter_day", NAMES, columns))
    there = ", ".join(tables.METER_DAY.names)
    assert said == (f"no column 'consumtion' in gold.meter_day: did you mean consumption? (gold.meter_day has {there})")


def test_an_alias_says_which_table_is_meant():
    assert "in gold.meter_day: did you mean consumption?" in str(
        mistakes.unknown_column("d.consumtion", JOINED, NAMES, columns)
    )
    said = str(mistakes.unknown_column("r.consumtion", JOINED, NAMES, columns))
    assert said == f"no column 'consumtion' in ops.runs; ops.runs has {', '.join(tables.RUNS.names)}"


def test_without_an_alias_the_table_that_has_the_nearest_column_is_meant():
    said = str(mistakes.unknown_column("comand", JOINED, NAMES, columns))
    assert said.startswith("no column 'comand' in ops.runs: did you mean command?")


def test_a_column_of_a_subquery_is_what_the_engine_offers():
    said = str(
        mistakes.unknown_column("totl", "WITH a AS (SELECT 1 AS total) SELECT totl FROM a", NAMES, columns, ["`total`"])
    )
    assert said == "no column 'totl': did you mean total?"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("gold.meter_dya", "gold.meter_day"),
        ("`meter_day`", "gold.meter_day"),
        ("silver.reading", "silver.readings"),
        ("readinghistory", "reading_history"),
        ("GOLD.FEED_MONTHS", "gold.feed_month"),
    ],
)
def test_a_mistyped_table_is_the_nearest_one(written, meant):
    assert (
        str(mistakes.unknown_table(written, NAMES)) == f"no table {written.replace('`', '')!r}: did you mean {meant}?"
    )


def test_a_table_that_resembles_none_lists_them():
    assert "; tables: bronze.gas, " in str(mistakes.unknown_table("customers", NAMES))


def test_a_function_that_is_mistyped():
    assert str(mistakes.unknown_function("`sun`", ["sum", "count"])) == "no function 'sun': did you mean sum?"
    assert str(mistakes.unknown_function("frobnicate", ["sum", "count"])) == "no function 'frobnicate'"


def test_a_clause_that_is_mistyped_is_found_near_the_place_of_the_error():
    said = str(mistakes.syntax("gold", "SELECT feed\nFORM gold.meter_day", SPARK))
    assert said == "not a query that reads: syntax error near 'gold', line 2: did you mean FROM for 'FORM'?"
    said = str(mistakes.syntax("INSERT", "FROM a INSERT INTO b SELECT *", SPARK))
    assert said == "not a query that reads: 'INSERT' would change something; `sql` reads only"
    assert str(mistakes.syntax("", "SELECT (1", SPARK)) == "not a query that reads: syntax error at its end"
