"""docs/queries.md: every query runs on the demo lake, and its answer is the one that is shown."""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from jobs import query, run
from jobs.show import cell
from pipeline.config import load
from pipeline.context import Context
from pipeline.log import Log
from tests.conftest import ROOT, demo_in
from tests.jobs.conftest import split_json

if TYPE_CHECKING:
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
