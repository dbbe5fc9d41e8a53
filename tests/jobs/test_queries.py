"""docs/queries.md: every query runs on the demo lake, and its answer is the one that is shown."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from jobs import query, run
from jobs.shared.output import cell
from pipeline.config.settings import load
from pipeline.errors import UsageError
from pipeline.queries.by_duckdb import DuckDBQueries
from pipeline.queries.by_spark import SparkQueries
from pipeline.runtime.context import Context
from pipeline.runtime.log import Log
from tests.conftest import ROOT, demo_in
from tests.jobs.conftest import split_json
from tests.jobs.demo_oracle import expected_readings

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

PAGE = ROOT / "docs" / "queries.md"
LONDON = ZoneInfo("Europe/London")
QUESTION = re.compile(r"^## (\d+)\. (.*?)$.*?^```sql\n(.*?)^```$\s*^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Question(NamedTuple):
    number: int
    title: str
    sql: str
    answer: str


def questions() -> list[Question]:
    return [Question(int(number), *rest) for number, *rest in QUESTION.findall(PAGE.read_text())]


def answered(found: pa.Table) -> str:
    """The rows as aligned text: numbers to the right, NULL where nothing is."""
    columns = [
        [name, *("NULL" if value is None else str(cell(value)) for value in found[name].to_pylist())]
        for name in found.column_names
    ]
    widths = [max(len(text) for text in column) for column in columns]
    numeric = [all(re.fullmatch(r"-?[\d.]+|NULL", text) for text in column[1:]) for column in columns]
    lines = []
    for row in zip(*columns, strict=True):
        parts = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ]
        lines.append("  ".join(parts).rstrip() + "\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def context(spark: SparkSession, demo: Path) -> Context:
    return Context(load(demo))


@pytest.fixture(scope="module")
def duckdb(demo: Path) -> DuckDBQueries:
    return DuckDBQueries(Context(load(demo)))


def test_there_are_twenty_questions_each_with_its_query_and_its_answer() -> None:
    assert [each.number for each in questions()] == list(range(1, 21))
    assert PAGE.read_text().count("\n## ") == 20
    assert all(each.title.endswith("?") for each in questions())


@pytest.mark.parametrize("question", questions(), ids=lambda each: f"{each.number}")
def test_the_answer_is_the_one_shown(context: Context, question: Question) -> None:
    answer = answered(query.select(context, question.sql).toArrow())
    if os.environ.get("ANSWERS") == "write":
        shown = f"```sql\n{question.sql}```\n\n```text\n{question.answer}```"
        written = f"```sql\n{question.sql}```\n\n```text\n{answer}```"
        PAGE.write_text(PAGE.read_text().replace(shown, written))
        return
    assert answer == question.answer


@pytest.mark.parametrize("question", questions(), ids=lambda each: f"{each.number}")
def test_duckdb_gives_the_same_answer_to_the_same_text(duckdb: DuckDBQueries, question: Question) -> None:
    assert answered(duckdb.ask(question.sql)) == question.answer


def test_every_view_has_the_same_rows_by_both_engines(context: Context, duckdb: DuckDBQueries) -> None:
    by_spark = SparkQueries(context)
    for view in duckdb.names.views:
        by_each = [
            sorted([(name, str(value)) for name, value in row.items()] for row in rows)
            for rows in (engine.ask(f"SELECT * FROM {view.name}").to_pylist() for engine in (by_spark, duckdb))
        ]
        assert by_each[0], view.name
        assert by_each[0] == by_each[1], view.name


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("SELECT consumtion FROM gold.meter_day", "no column 'consumtion' in gold.meter_day: did you mean consumption? (gold."),
        ("SELECT d.consumtion FROM gold.meter_day d, silver.readings", "no column 'consumtion' in gold.meter_day: did you"),
        ("SELECT totl_kwh FROM gold.feed_month", "no column 'totl_kwh' in gold.feed_month: did you mean total_kwh?"),
        ("SELECT * FROM gold.meter_dya", "no table 'gold.meter_dya': did you mean gold.meter_day?"),
        ("SELECT * FROM meter_day", "no table 'meter_day': did you mean gold.meter_day?"),
        ("SELECT sun(1)", "no function 'sun': did you mean sum?"),
        ("SELECT feed FORM gold.meter_day", "did you mean FROM for 'FORM'?"),
        ("SELECT (1", "not a query that reads: syntax error at its end"),
        ("SELECT 1 / 0", "the query failed: Division by zero"),
        ("WITH a AS (SELECT 1) INSERT INTO gold.meter_day SELECT * FROM a", "`sql` reads only"),
        ("FROM gold.meter_day INSERT INTO gold.meter_day SELECT *", "`sql` reads only"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_line_by_spark_too(context: Context, asked: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        SparkQueries(context).ask(asked)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_changed_since_friday_is_found_once_something_has(spark: SparkSession, demo: Path, tmp_path: Path) -> None:
    context = Context(load(demo_in(tmp_path, demo)), log=Log("", quiet=True))
    landing = Path(context.settings.feed("electricity").path)
    (landing / "late.json").write_bytes(split_json(["2021-10-30 12:00:00", "1400000001", "7.5"]))
    run.run(context)
    (changed,) = [each for each in questions() if each.title == "What changed since Friday?"]
    rows = query.select(Context(context.settings), changed.sql).toArrow().to_pylist()
    meter_day = [row for row in rows if row["table_name"] == "gold.meter_day"]
    assert [(row["local_date"], row["meter_id"], row["measure"], row["relative_path"]) for row in meter_day] == [
        (date(2021, 10, 30), "1400000001", "consumption", "late.json")
    ]
    assert meter_day[0]["difference"] == meter_day[0]["new_value"] - meter_day[0]["old_value"] != 0


def rows_of(context: Context, number: int) -> list[dict[str, Any]]:
    return query.select(context, questions()[number - 1].sql).toArrow().to_pylist()


def rounded(value: Decimal, step: str) -> Decimal:
    return value.quantize(Decimal(step), ROUND_HALF_UP)


def test_the_profiles_of_working_days_and_weekends_are_what_plain_python_computes(context: Context) -> None:
    totals: dict[Any, Decimal] = defaultdict(Decimal)
    days: dict[Any, set[date]] = defaultdict(set)
    for instant, day, kwh in expected_readings().values():
        key = f"{instant.astimezone(LONDON):%H:%M}", "weekend" if day.weekday() >= 5 else "working_day"
        totals[key] += kwh
        days[key].add(day)
    found = {
        (row["half_hour"], kind): row[f"{kind}_kwh"]
        for row in rows_of(context, 4)
        for kind in ("working_day", "weekend")
    }
    assert found == {
        key: rounded(total / len(days[key]), "1e-6") for key, total in totals.items() if "16:00" <= key[0] <= "18:30"
    }


def test_the_base_load_is_what_plain_python_computes(context: Context) -> None:
    at_night: dict[str, list[Decimal]] = defaultdict(list)
    for (meter, _), (instant, _day, kwh) in expected_readings().items():
        if 1 <= instant.astimezone(LONDON).hour < 5:
            at_night[meter].append(kwh)
    expected = [
        (meter, len(values), rounded(2 * sum(values) / len(values), "1e-3"), 2 * min(values))
        for meter, values in at_night.items()
    ]
    expected.sort(key=lambda row: (-row[2], row[0]))
    assert [tuple(row.values()) for row in rows_of(context, 14)] == expected[:5]


def test_the_readings_that_a_number_came_from_add_up_to_it(context: Context) -> None:
    rows = rows_of(context, 15)
    assert {row["total_kwh"] for row in rows} == {sum(row["consumption"] for row in rows)} == {Decimal("7.696000")}
