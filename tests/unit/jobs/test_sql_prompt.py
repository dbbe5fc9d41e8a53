"""The prompt of `sql`, with keys typed into a pipe: queries of several lines, commands, completion, history."""

from __future__ import annotations

import stat

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from jobs.sql import prompt
from jobs.sql.completion import Names
from pipeline.queries.by_duckdb import DuckDBQueries
from tests.small_lake import small_lake

LEAVE = "\\q\r"
COUNT = "SELECT count(*) AS n FROM gold.meter_day"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    return DuckDBQueries(small_lake(tmp_path_factory.mktemp("lake")))


@pytest.fixture
def typed(session, tmp_path, monkeypatch, capsys):
    """A function from keys to (what standard output got, what standard error got)."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def type_(keys, form="csv", expanded="auto"):
        with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
            pipe.send_text(keys)
            pipe.close()  # what waits for more keys ends, instead of waiting forever
            prompt.Prompt(session, lambda: None, form, 1000, expanded).run()
        found = capsys.readouterr()
        return found.out.partition("to leave.\n")[2], found.err

    return type_


def test_a_query_may_have_several_lines(typed):
    assert typed(f"SELECT ';' AS a,\r2 AS b\r;\r{COUNT}; SELECT 3 AS c;\r{LEAVE}") == ("a,b\n;,2\nn\n3\nc\n3\n", "")


@pytest.mark.parametrize("leave", ["\\q\r", "exit\r", "QUIT;\r", "\x04"])
def test_the_ways_out(typed, leave):
    assert typed(leave) == ("", "")


def test_a_mistake_does_not_end_it(typed):
    out, err = typed(f"SELEC 1;\r\\nothing\r{COUNT};\r{LEAVE}")
    assert out == "n\n3\n"
    first, second = err.splitlines()
    assert first.startswith("no query begins with 'SELEC': did you mean SELECT?")
    assert second == r"no command \nothing: \? lists them"


def test_control_c_drops_what_was_typed(typed):
    assert typed(f"SELECT nonsense\x03{COUNT};\r{LEAVE}") == ("n\n3\n", "")


def test_nothing_and_comments_ask_nothing(typed):
    assert typed(f"\r  \r-- a comment\r;\r{LEAVE}") == ("", "")


def test_times_are_shown_on_request(typed):
    out, _ = typed(f"\\timing\r{COUNT};\r\\timing off\r{COUNT};\r{LEAVE}")
    lines = out.splitlines()
    assert lines[0] == "Timing is on."
    assert lines[3].startswith("Time: 0.")
    assert lines[4:] == ["Timing is off.", "n", "3"]


def test_a_line_for_each_value(typed):
    out, err = typed(f"\\x\r{COUNT};\r\\x\r\\x auto\r\\x maybe\r{LEAVE}", "table")
    assert out.splitlines() == [
        "A line for each value: on.", "-[ row 1 ]--", "n | 3", "(1 row)", "A line for each value: off.",
        "A line for each value: auto.",
    ]  # fmt: skip
    assert err == "\\x maybe: use auto, on, off, or nothing to switch\n"


def test_tables_and_their_columns(typed):
    out, err = typed(f"\\d\r\\d meter_day\r\\d gold.feed_month;\r\\d meter_dya\r\\d customers\r{LEAVE}", "table")
    assert "silver.readings" in out
    assert "gold.load_profile" in out
    assert "first_interval" in out
    assert "month_start" in out
    assert err.splitlines() == [
        "no table 'meter_dya': did you mean gold.meter_day?",
        r"no table 'customers': \d lists them",
    ]


def test_help(typed):
    assert r"\timing" in typed(f"\\?\r{LEAVE}")[0]


def test_what_was_asked_is_remembered_in_a_file_of_the_user(typed, tmp_path):
    typed(f"{COUNT};\r{LEAVE}")
    file = tmp_path / "state" / "meterlake" / "sql_history"
    assert f"+{COUNT};\n" in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert typed(f"\x1b[A\x1b[A\r{LEAVE}") == ("n\n3\n", "")  # the last but one: the last was \q


def test_without_such_a_file_it_works_as_well(typed, tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    assert typed(f"{COUNT};\r{LEAVE}") == ("n\n3\n", "")


def test_what_runs_is_stopped_by_control_c(typed, session, monkeypatch):
    stopped = []

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "ask", interrupted)
    monkeypatch.setattr(session, "stop", lambda: stopped.append(True))
    assert typed(f"{COUNT};\r{LEAVE}") == ("", "interrupted\n")
    assert stopped == [True]


def offered(session, before, after=""):
    document = Document(before + after, len(before))
    return [each.text for each in Names(session).get_completions(document, CompleteEvent())]


def test_names_are_completed(session):
    assert offered(session, "SELECT * FROM gold.meter_d") == ["gold.meter_day"]
    assert {"gold.meter_day", "gold.feed_hour"} <= set(offered(session, "SELECT * FROM gold."))
    assert offered(session, "SEL") == ["SELECT"]
    assert offered(session, "\\t") == ["\\timing"]
    assert offered(session, "\\d silver.rea") == ["silver.readings"]


def test_columns_are_those_of_the_tables_of_the_query(session):
    assert offered(session, "SELECT cons", " FROM gold.meter_day") == ["consumption"]
    assert offered(session, "SELECT month", " FROM gold.feed_month") == ["month_start"]
    assert offered(session, "SELECT d.first", " FROM gold.meter_day AS d") == ["d.first_interval"]
    assert "consumption" not in offered(session, "SELECT cons", " FROM gold.feed_month")
