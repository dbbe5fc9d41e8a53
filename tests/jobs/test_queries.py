"""docs/queries.md: every query runs on the demo lake, and its answer is the one that is shown."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from jobs import query
from jobs.show import cell
from pipeline.config import load
from pipeline.context import Context
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

PAGE = ROOT / "docs" / "queries.md"
QUESTION = re.compile(r"^## (\d+)\. (.*?)$.*?^```sql\n(.*?)^```$\s*^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Question(NamedTuple):
    number: int
    title: str
    sql: str
    answer: str


def questions() -> list[Question]:
    return [Question(int(number), *rest) for number, *rest in QUESTION.findall(PAGE.read_text())]


def answered(context: Context, sql: str) -> str:
    """The rows as aligned text: numbers to the right, NULL where nothing is."""
    found = query.select(context, sql).toArrow()
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


def test_there_are_twenty_questions_each_with_its_query_and_its_answer() -> None:
    assert [each.number for each in questions()] == list(range(1, 21))
    assert PAGE.read_text().count("\n## ") == 20
    assert all(each.title.endswith("?") for each in questions())


@pytest.mark.parametrize("question", questions(), ids=lambda each: f"{each.number}")
def test_the_answer_is_the_one_shown(context: Context, question: Question) -> None:
    answer = answered(context, question.sql)
    if os.environ.get("ANSWERS") == "write":
        shown = f"```sql\n{question.sql}```\n\n```text\n{question.answer}```"
        written = f"```sql\n{question.sql}```\n\n```text\n{answer}```"
        PAGE.write_text(PAGE.read_text().replace(shown, written))
        return
    assert answer == question.answer
