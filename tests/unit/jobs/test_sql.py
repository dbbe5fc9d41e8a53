"""`sql --engine duckdb`: one query, those of a pipe, the forms of an answer, exit codes; no Spark, no process."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import main
from pipeline.runtime.context import Context
from tests.small_lake import small_lake

WIDE = "SELECT *, 'a long text, which takes more than eighty columns by itself, and is not folded' AS said, 'b' AS b FROM gold.meter_day LIMIT 2"


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sql")
    context = small_lake(folder)
    path = folder / "my.toml"
    feeds = "".join(
        f'[[feeds]]\nname = "{feed.name}"\nformat = "{feed.format}"\npath = "{feed.path}"\ntime_zone = "{feed.time_zone}"\n'
        for feed in context.settings.feeds
    )
    path.write_text(f'lake = "{context.settings.root}"\n{feeds}')
    return path


@pytest.fixture
def sql(config):
    def run(*arguments, given="", **variables):
        command = ["sql", *arguments, "--engine", "duckdb", "--config", str(config)]
        return CliRunner().invoke(main.app, command, input=given, env=variables)

    return run


def test_one_query(sql):
    found = sql(
        "SELECT meter_id, sum(consumption) AS kwh FROM gold.meter_day GROUP BY ALL ORDER BY 1", "--format", "csv"
    )
    assert (found.exit_code, found.stdout) == (0, "meter_id,kwh\nm1,1.800000\nw1,0.000001\n")


def test_json_is_one_array_for_each_query(sql):
    found = sql("SELECT 1 AS a, DATE'2021-01-01' AS d, 1.50 AS x; SELECT INTERVAL 3 MINUTE AS i, NULL AS n", "--json")
    assert [json.loads(line) for line in found.stdout.splitlines()] == [
        [{"a": 1, "d": "2021-01-01", "x": "1.50"}],
        [{"i": "0:03:00", "n": None}],
    ]


@pytest.mark.parametrize("arguments", [[], ["-"]], ids=["a pipe", "-"])
def test_queries_of_standard_input(sql, arguments):
    given = "SELECT ';' AS a; -- no; query\nSELECT 2 AS b\n;\n\n/* nor; this */"
    found = sql(*arguments, "--format", "csv", given=given)
    assert (found.exit_code, found.stdout) == (0, "a\n;\nb\n2\n")


def test_the_first_that_fails_is_the_last(sql):
    found = sql("--format", "csv", given="SELECT 1 AS a; SELEKT 2; SELECT 3")
    assert (found.exit_code, found.stdout) == (2, "a\n1\n")
    assert found.stderr.startswith("meterlake: no query begins with 'SELEKT': did you mean SELECT?")


@pytest.mark.parametrize("given", ["", " \n-- nothing\n;"])
def test_no_query_is_a_mistake(sql, given):
    found = sql(given=given)
    assert (found.exit_code, found.stderr) == (2, "meterlake: the query is empty\n")


def test_an_answer_that_is_too_wide_has_a_line_for_each_value(sql):
    found = sql(WIDE.replace("'a long", "'" + "x" * 400 + " a long"))
    assert "-[ row 1 ]-" in found.stdout
    assert "\nconsumption        | 1.500000\n" in found.stdout
    assert f"\nsaid               | {'x' * 400} a long text, which" in found.stdout
    assert found.stdout.endswith("(2 rows)\n")


def test_one_that_fits_is_a_table_unless_asked_for(sql):
    assert "row 1" not in sql(WIDE).stdout
    assert "-[ row 2 ]-" in sql(WIDE, "--expanded", "on").stdout
    assert "row 1" not in sql(WIDE.replace("'a long", "'" + "x" * 400), "--expanded", "off").stdout


def test_columns_of_one_name_are_both_shown(sql):
    assert sql("SELECT 1 AS a, 2 AS a", "--format", "csv").stdout == "a,a\n1,2\n"


def test_a_limit_is_said(sql):
    found = sql("SELECT * FROM gold.meter_day", "--limit", "2").stdout
    assert found.endswith("(the first 2 rows; --limit shows more)\n")


def test_a_plan_has_lines(sql):
    assert "\\n" not in sql("EXPLAIN SELECT 1").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["SELECT 1", "--format", "xml"], "unknown format 'xml': use table, csv, json"),
        (["SELECT 1", "--engine", "sqlite"], "unknown engine 'sqlite': use spark, duckdb"),
        (["SELECT 1", "--expanded", "yes"], "unknown value 'yes' for --expanded: use auto, on, off"),
    ],
)
def test_options_that_are_mistyped(config, arguments, said):
    found = CliRunner().invoke(main.app, ["sql", *arguments, "--config", str(config)])
    assert (found.exit_code, found.stderr) == (2, f"meterlake: {said}\n")


@pytest.mark.parametrize(("query", "said"), [("DROP TABLE gold.meter_day", "reads only"), ("SELEC 1", "'SELEC'")])
def test_what_is_no_query_is_refused_before_spark_starts(config, query, said, monkeypatch):
    monkeypatch.setattr(Context, "start_spark", lambda _: pytest.fail("Spark was started"))
    found = CliRunner().invoke(main.app, ["sql", query, "--config", str(config)])
    assert (found.exit_code, said in found.stderr) == (2, True)


def test_a_lake_that_is_not_there_yet(tmp_path):
    (tmp_path / "my.toml").write_text(
        f'lake = "{tmp_path}/none"\n[[feeds]]\nname = "gas"\nformat = "smrt"\npath = "in"\n'
    )
    command = ["sql", "SELECT 1", "--engine", "duckdb", "--config", str(tmp_path / "my.toml")]
    found = CliRunner().invoke(main.app, command)
    assert (found.exit_code, "has no tables yet" in found.stderr) == (1, True)


def test_no_pyspark_is_imported(config):
    program = (
        "import sys, main\n"
        f"sys.argv = ['meterlake', 'sql', 'SELECT * FROM gold.meter_hour', '--engine', 'duckdb', '--config', {str(config)!r}]\n"
        "try:\n    main.app()\nexcept SystemExit as left:\n    assert not left.code\n"
        "assert 'pyspark' not in sys.modules and 'py4j' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, timeout=120)
