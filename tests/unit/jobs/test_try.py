"""`try` through the command line, without a lake and without a JVM: verdict, counts, times, totals, reasons, exit code."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from pipeline.formats import advice
from pipeline.formats.row_rules import FILE_CODES
from pipeline.runtime import memory
from tests.conftest import command
from tests.unit.guess.supplier_files import FILES

CONFIGURATION = """
lake = "{folder}/lake"
[[feeds]]
name = "gas"
format = "smrt"
path = "{folder}/landing/gas"
[[feeds]]
name = "electricity"
format = "split_json"
path = "{folder}/landing/electricity"
time_zone = "Europe/London"
max_consumption = 100
"""
HEADER = '"HEADR","SMRT","GAZ","20210401","060000","PN000007"'
CONSU = '"CONSU","{meter}","20210328","{time}",{value}'
HALF = timedelta(minutes=30)


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "meterlake.toml"
    path.write_text(CONFIGURATION.format(folder=tmp_path))
    return path


def tried(config, name, content, feed, *more):
    """(exit code, facts) of a file beside the configuration."""
    file = config.parent / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    before = sorted(config.parent.rglob("*"))
    result = command("try", str(file), "--feed", feed, "--json", *more, config=config)
    assert sorted(config.parent.rglob("*")) == before  # nothing is written, and no folder of a feed is needed
    return result.exit_code, json.loads(result.stdout)


def smrt(*rows, name="PN000007"):
    return "\n".join([HEADER.replace("PN000007", name), *rows, '"TRAIL"'])


def split(rows):
    return json.dumps({"columns": ["interval_start", "meterpoint_id", "consumption_delta"], "data": rows})


def half_hours(first, count, value=0.5):
    start = datetime.fromisoformat(first)
    return [[f"{start + n * HALF:%Y-%m-%d %H:%M:%S}", "1200000000001", value] for n in range(count)]


# --- a sound file -------------------------------------------------------------------------------------------------


def test_counts_readings_and_totals_of_a_file(config):
    rows = [CONSU.format(meter=meter, time=f"{hour:02d}00", value=f"{hour}.5") for meter in (1, 2) for hour in range(3)]
    rows += [CONSU.format(meter=1, time="0130", value=1), CONSU.format(meter="x", time="0000", value=1), '"CONSU","1"']
    code, facts = tried(config, "PN000007.SMRT", smrt(*rows), "gas")
    assert code == 0
    assert facts["status"] == "loaded"
    assert {name: facts[name] for name in facts if name.startswith("rows_")} == {
        "rows_in_file": 9,
        "rows_read": 9,
        "rows_accepted": 6,
        "rows_rejected": 3,
        "rows_without_reading": 0,
    }
    assert facts["days"] == [
        {"local_date": "2021-03-28", "direction": "import", "meters": 2, "readings": 6, "consumption": "9.000000"}
    ]
    assert facts["first_readings"][0] == {
        "row": 2,
        "meter_id": "1",
        "direction": "import",
        "local_start": "2021-03-28 00:00",
        "interval_start": "2021-03-28 00:00:00Z",
        "interval_minutes": 60,
        "consumption": "0.500000",
        "quality": None,
    }
    assert [(each["row"], each["reason_code"]) for each in facts["rejected_rows"]] == [
        (8, "OFF_GRID"),
        (9, "METER_ID_INVALID"),
        (10, "FIELD_COUNT"),
    ]


def test_local_times_are_shown_beside_utc_and_a_clock_change_is_told(config):
    rows = half_hours("2021-10-31T00:00", 4) + half_hours("2021-10-31T01:00", 46)
    code, facts = tried(config, "autumn.json", split(rows), "electricity")
    assert code == 0
    shown = [(each["local_start"], each["interval_start"]) for each in facts["first_readings"]]
    assert shown[0] == ("2021-10-31 00:00", "2021-10-30 23:00:00Z")
    assert shown[2:6] == [
        ("2021-10-31 01:00", "2021-10-31 00:00:00Z"),
        ("2021-10-31 01:30", "2021-10-31 00:30:00Z"),
        ("2021-10-31 01:00", "2021-10-31 01:00:00Z"),
        ("2021-10-31 01:30", "2021-10-31 01:30:00Z"),
    ]
    assert facts["clock_changes"] == [
        {
            "local_date": "2021-10-31",
            "direction": "import",
            "hours": 25.0,
            "most_readings_of_a_meter": 50,
            "intervals_of_the_day": 50,
        }
    ]


def test_a_row_that_comes_again_is_superseded_and_counts_once(config):
    rows = [*half_hours("2021-01-01T00:00", 2), *half_hours("2021-01-01T00:00", 1, value=2)]
    _, facts = tried(config, "twice.json", split(rows), "electricity")
    assert (facts["rows_accepted"], facts["readings"], facts["readings_superseded"]) == (3, 2, 1)
    assert facts["days"][0]["consumption"] == "2.500000"


def test_rows_that_are_refused_say_why(config):
    rows = [
        ["2021-03-28 01:30:00", "1", 1],
        ["28.03.2021 01:30", "1", 1],
        ["2021-03-28 03:00:00", "1", 101],
        ["2021-03-28 03:00:00", None, 1],
        None,
        ["1969-12-31 00:00:00", "1", 1],
        ["2100-01-01 00:00:00", "1", 1],
    ]
    _, facts = tried(config, "rows.json", split(rows), "electricity")
    assert [each["reason_code"] for each in facts["rejected_rows"]] == [
        "LOCAL_TIME_NONEXISTENT",
        "INTERVAL_START_INVALID",
        "CONSUMPTION_IMPLAUSIBLE",
        "METER_ID_MISSING",
        "FIELD_COUNT",
        "INTERVAL_OUT_OF_RANGE",
        "INTERVAL_OUT_OF_RANGE",
    ]
    assert facts["rejected_by_code"]["INTERVAL_OUT_OF_RANGE"] == 2


def test_of_a_large_file_the_first_rows_are_judged_and_that_is_told(config):
    file = config.parent / "large.json"
    file.write_text(split(half_hours("2021-01-01T00:00", 100)))
    result = command("try", str(file), "--feed", "electricity", "--rows", "48", config=config)
    assert (
        "48 rows read, 48 accepted, 0 rejected. These are the first of 100 rows; --rows N judges more." in result.stdout
    )
    result = command("try", str(file), "--feed", "electricity", "--rows", "48", "--json", config=config)
    facts = json.loads(result.stdout)
    assert (facts["rows_in_file"], facts["rows_read"], len(facts["days"])) == (100, 48, 1)


# --- a refused one ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "feed", "reason"),
    [
        ("PN000007.SMRT", "", "gas", "EMPTY_FILE"),
        ("PN000007.SMRT", HEADER, "gas", "TRAILER_MISSING"),
        ("PN000008.SMRT", smrt(), "gas", "NAME_MISMATCH"),
        ("DV000008.SMRT", smrt(name="DV000008"), "gas", "WRONG_ENVIRONMENT"),
        ("a.json", '{"columns": ["a"], "data": []}', "electricity", "COLUMNS_MISSING"),
        ("a.json", split(half_hours("2021-01-01T00:00", 4))[:-20], "electricity", "MALFORMED_JSON"),
        ("a.json", split([]).replace("[]", "[[1,,2]]"), "electricity", "MALFORMED_JSON"),
    ],
)
def test_a_refusal_has_its_code_what_to_do_and_exit_3(config, name, content, feed, reason):
    code, facts = tried(config, name, content, feed)
    assert code == 3
    assert (facts["status"], facts["reason_code"], facts["rows_read"]) == ("rejected", reason, 0)
    assert facts["what_to_do"] == advice.OF_CODE[reason]
    result = command("try", str(config.parent / name), "--feed", feed, config=config)
    assert result.exit_code == 3
    assert f"rejected {reason}: " in result.stdout
    assert f"What to do: {advice.OF_CODE[reason]}." in result.stdout


def test_every_reason_code_of_a_file_has_its_advice():
    assert set(FILE_CODES) <= set(advice.OF_CODE)


def test_a_file_that_is_too_large_for_a_run_is_refused_unread(config, monkeypatch):
    monkeypatch.setattr(memory, "largest_delivery", lambda: 10)
    code, facts = tried(config, "PN000007.SMRT", smrt(), "gas")
    assert (code, facts["reason_code"]) == (3, "UNREADABLE")
    assert "deliver it in parts" in facts["reason"]


# --- its name -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "feed"), [("gas march.txt", smrt(), "gas"), ("x.txt", split([]), "electricity")]
)
def test_a_name_that_the_feed_would_refuse_is_told_and_the_content_tried(config, name, content, feed):
    code, facts = tried(config, name, content, feed)
    assert (code, facts["status"]) == (0, "loaded")
    assert facts["name_is_refused"].startswith("the name ")
    result = command("try", str(config.parent / name), "--feed", feed, config=config)
    assert "In the folder of the feed its name would be refused (BAD_FILE_NAME" in result.stdout


def test_a_file_in_the_feed_s_folder_has_its_path_below_it(config, monkeypatch):
    folder = config.parent / "landing" / "gas" / "march"
    folder.mkdir(parents=True)
    (folder / "PN000007.SMRT").write_text(smrt())
    monkeypatch.chdir(config.parent)
    result = command("try", "landing/gas/march/PN000007.SMRT", "--feed", "gas", config=config)
    assert result.exit_code == 0, result.output


# --- wrong usage --------------------------------------------------------------------------------------------------


def test_wrong_usage_is_one_line(config):
    result = command("try", str(config), "--feed", "none", config=config)
    assert result.exit_code == 2
    assert "no feed 'none' in the configuration: use gas, electricity" in result.stderr
    result = command("try", str(config.parent / "none.csv"), "--feed", "gas", config=config)
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "cannot be read: No such file" in result.stderr
    result = command("try", str(config.parent), "--feed", "gas", config=config)
    assert "is not a file" in result.stderr


def test_the_answer_for_a_person(config):
    file = config.parent / "a.json"
    file.write_text(split([*half_hours("2021-01-01T00:00", 48 * 20), ["x", "1", 1]]))
    result = command("try", str(file), "--feed", "electricity", config=config)
    assert result.exit_code == 0
    for said in (
        "loaded: 961 rows read, 960 accepted, 1 rejected.",
        "First readings (kWh; local time: Europe/London)",
        "By local day (kWh)",
        "… and 6 more, to 2021-01-20",
        "No day of a clock change is in it",
        "Rejected: 1 INTERVAL_START_INVALID",
    ):
        assert said in result.stdout, result.stdout
    assert max(len(line) for line in result.stdout.splitlines() if "01-01 00:00Z" in line) <= 80


# --- a supplier's file, from guess to try ---------------------------------------------------------------------------


def test_a_guessed_feed_tries_its_file_and_tells_rows_that_give_no_reading(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    supplier = FILES["uk_periods"]
    (tmp_path / supplier.name).write_bytes(supplier.content)
    config = tmp_path / "my.toml"
    assert command("init", "--from", supplier.name, config=config).exit_code == 0
    result = command("try", supplier.name, "--feed", "hh", "--json", config=config)
    assert result.exit_code == 0, result.output
    facts = json.loads(result.stdout)
    assert (facts["rows_read"], facts["rows_accepted"], facts["rows_without_reading"], facts["readings"]) == (
        5,
        5,
        1,
        192,
    )
    assert {each["direction"] for each in facts["days"]} == {"import", "export"}


def test_a_meter_that_the_path_names_need_not_be_in_the_name_of_a_file_that_is_tried(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "usage_1900012345678.csv").write_text("Start,kWh\n2023-01-25 00:00,1\n2023-01-25 00:30,2\n")
    config = tmp_path / "my.toml"
    assert command("init", "--from", "usage_1900012345678.csv", config=config).exit_code == 0
    facts = json.loads(command("try", "usage_1900012345678.csv", "--feed", "usage", "--json", config=config).stdout)
    assert [each["meter_id"] for each in facts["first_readings"]] == ["1900012345678"] * 2
    (tmp_path / "other.csv").write_text("Start,kWh\n2023-01-25 00:00,1\n2023-01-25 00:30,2\n")
    result = command("try", "other.csv", "--feed", "usage", "--json", config=config)
    facts = json.loads(result.stdout)
    assert (result.exit_code, facts["reason_code"]) == (3, "BAD_FILE_NAME")
    assert "the path names no meter" in facts["reason"]
