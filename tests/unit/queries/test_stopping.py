"""Ctrl-C stops a query of DuckDB's, wherever it is: while it is planned, and while its rows are made."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from pipeline.queries.by_duckdb import DuckDBQueries
from tests.written_lake import again, written

LONG = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range % 7 = b.range % 11"
SOON = 20


@pytest.mark.parametrize("seconds", [0.05, 0.5, 2])
def test_control_c_stops_a_query_and_the_next_one_is_answered(tmp_path, seconds):
    written(tmp_path)
    session = DuckDBQueries(again(tmp_path))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests may be started where it is ignored
    late = []

    def give_up():
        late.append(seconds)
        session.stop()

    timers = [threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)), threading.Timer(SOON, give_up)]
    try:
        for timer in timers:
            timer.start()
        with pytest.raises(KeyboardInterrupt):
            session.ask(LONG)
        assert not late
        assert session.ask("SELECT 1 AS n").to_pylist() == [{"n": 1}]
    finally:
        for timer in timers:
            timer.cancel()
        signal.signal(signal.SIGINT, before)
