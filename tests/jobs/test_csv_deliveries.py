"""CSV from the folder to gold, and all that comes after: explain, replay, responses, identity by name."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from jobs import explain, replay, run
from pipeline.config.feeds import Feed
from pipeline.lake import tables
from tests.jobs.conftest import log, put, rows, utc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.runtime.context import Context

HEADER = b"Meter;End;in;out\r\n"


@pytest.fixture
def power(tmp_path: Path) -> Feed:
    (tmp_path / "power").mkdir()
    return Feed(
        name="power",
        format="csv",
        path=str(tmp_path / "power"),
        time_zone="Europe/London",
        unit="Wh",
        acknowledge=str(tmp_path / "answers"),
        ending=".txt",
        csv={
            "delimiter": ";",
            "meter": "Meter",
            "timestamp": "End",
            "timestamp_format": "dd.MM.yyyy HH:mm",
            "label": "end",
            "value": {"import": ["in"], "export": ["out"]},
        },
    )


def test_from_the_folder_to_gold_explain_replay_and_the_response(
    lake: Callable[..., Context], power: Feed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "power"
    # The clocks go forward at 01:00: the half hours end at 00:30, 02:00 and 02:30.
    lines = [
        b"m1;28.03.2021 00:30;100;1",
        b"m1;28.03.2021 02:00;200;",
        b"m1;28.03.2021 01:30;300;3",
        b"m1;28.03.2021 02:30;x;4",
        b"",
        b'"m1";28.03.2021 03:00;-;-',
    ]
    put(folder, "a.txt", HEADER + b"\r\n".join(lines))
    put(folder, "b.TXT", HEADER + b"m1;28.03.2021 00:30;150;2\n", minutes=1)
    put(folder, "c.txt", HEADER + b'm1;"28.03.2021 00:30;1;1\n', minutes=2)
    put(folder, "d.csv", HEADER, minutes=3)
    context = lake(power)
    run.run(context)
    assert log(context) == [
        ("a.txt", "loaded", None),
        ("b.TXT", "loaded", None),
        ("c.txt", "rejected", "MALFORMED_CSV"),
        ("d.csv", "rejected", "BAD_FILE_NAME"),
    ]
    counts = rows(context, tables.INGESTION_LOG, "file_name", "rows_read", "rows_accepted", "rows_rejected")
    assert counts[:2] == [("a.txt", 5, 3, 2), ("b.TXT", 1, 1, 0)]
    assert rows(context, tables.READINGS, "direction", "interval_start", "consumption", "file_id", "row_number") == [
        ("export", utc("2021-03-28 00:00"), Decimal("2.000000"), 2, 1),
        ("export", utc("2021-03-28 01:00"), Decimal("4.000000"), 1, 4),
        ("import", utc("2021-03-28 00:00"), Decimal("150.000000"), 2, 1),
        ("import", utc("2021-03-28 00:30"), Decimal("200.000000"), 1, 2),
    ]
    assert rows(context, tables.METER_DAY, "direction", "consumption", "intervals_received", "intervals_expected") == [
        ("export", Decimal("0.006000"), 2, 46),
        ("import", Decimal("0.350000"), 2, 46),
    ]
    assert rows(context, tables.REJECTED, "row_number", "reason_code", "reason") == [
        (
            3,
            "LOCAL_TIME_NONEXISTENT",
            "'28.03.2021 01:30' does not exist in Europe/London: the clocks went forward (and 1 more)",
        ),
        (4, "CONSUMPTION_INVALID", "import 'x' is not a usable number"),
    ]

    explain.run(context, "m1", "2021-03-28T00:10Z", as_json=True)
    versions = json.loads(capsys.readouterr().out)["versions"]
    assert [(each["file"], each["direction"], each["verdict"]) for each in versions] == [
        ("b.TXT", "import", "current"),
        ("b.TXT", "export", "current"),
        ("a.txt", "import", "superseded by b.TXT, row 1: received later"),
        ("a.txt", "export", "superseded by b.TXT, row 1: received later"),
    ]
    answers = {path.name: json.loads(path.read_bytes()) for path in (tmp_path / "answers").rglob("*.json")}
    (answer,) = (each for each in answers.values() if each["rows_rejected"])
    assert [(row["row"], row["reason_code"]) for row in answer["rejected_rows"]] == [
        (3, "LOCAL_TIME_NONEXISTENT"),
        (4, "CONSUMPTION_INVALID"),
    ]

    # What was no number is a missing value by the rules of today.
    said = power.model_copy(update={"csv": power.csv.model_copy(update={"missing": ("", "-", "x")})})
    context = lake(said)
    replay.run(context, ["power/a.txt"], dry_run=False, as_json=True)
    run.run(context)
    counts = rows(context, tables.INGESTION_LOG, "file_name", "rows_read", "rows_accepted", "rows_rejected")
    assert counts[0] == ("a.txt", 5, 4, 1)
    assert rows(context, tables.REJECTED, "row_number", "reason_code") == [(3, "LOCAL_TIME_NONEXISTENT")]


def test_a_name_is_loaded_once_where_it_is_the_identity(
    lake: Callable[..., Context], power: Feed, tmp_path: Path
) -> None:
    feed = power.model_copy(update={"identity": "name", "acknowledge": None})
    put(tmp_path / "power", "1/a.txt", HEADER + b"m1;28.03.2021 00:30;1;1\n")
    put(tmp_path / "power", "2/a.txt", HEADER + b"m1;28.03.2021 00:30;2;2\n", minutes=1)
    context = lake(feed)
    run.run(context)
    assert log(context) == [("1/a.txt", "loaded", None), ("2/a.txt", "conflict", "CHANGED_AFTER_LOADING")]
