"""`guess` through the command line: what it prints, and how it leaves."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from jobs import guess as job
from tests.conftest import ROOT, command
from tests.unit.guess.supplier_files import FILES

NO_CONFIGURATION = Path("no-such-folder/none.toml")


@pytest.fixture
def esb(tmp_path):
    path = tmp_path / FILES["esb_kw"].name
    path.write_bytes(FILES["esb_kw"].content)
    return path


def test_an_entry_is_printed_as_toml_within_eighty_columns_and_needs_no_configuration(esb):
    result = command("guess", str(esb), config=NO_CONFIGURATION)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("# A guess from HDF_calckW_10012345678_01-11-2023.csv, with one line to CHECK")
    assert "\n#   main.py try FILE --feed hdf_calckw\n" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    (feed,) = tomllib.loads(result.stdout)["feeds"]
    assert feed["unit"] == "kW"
    assert feed["csv"]["label"] == "end"


def test_json_has_the_keys_and_what_is_said_of_each(esb):
    result = command("guess", str(esb), "--name", "esb", "--json", config=NO_CONFIGURATION)
    facts = json.loads(result.stdout)
    assert facts["feed"]["name"] == "esb"
    assert facts["feed"] == tomllib.loads(facts["toml"])["feeds"][0]
    assert {"key": "label", "certain": True, "says": "the name says so: Read Date and End Time"} in facts["notes"]
    assert [note["key"] for note in facts["notes"] if not note["certain"]] == ["time_zone"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no feed can be guessed from it: it is empty"),
        (b"<a/>", "no feed can be guessed from it: it is XML, and not Green Button's"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_guessed_is_one_line_and_exit_1(tmp_path, content, says):
    path = tmp_path / "x.csv"
    if content is not None:
        path.write_bytes(content)
    result = command("guess", str(path), config=NO_CONFIGURATION)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"meterlake: {path}: {says}")
    assert result.stderr.count("\n") == 1


def test_a_name_that_no_feed_can_have_is_told(esb):
    result = command("guess", str(esb), "--name", "reference", config=NO_CONFIGURATION)
    assert result.exit_code == 1
    assert "cannot name a feed" in result.stderr


def test_without_duckdb_what_to_install_is_named_in_one_line(esb, monkeypatch):
    monkeypatch.setattr(job, "find_spec", lambda _: None)
    result = command("guess", str(esb), config=NO_CONFIGURATION)
    assert result.exit_code == 1
    assert result.stderr == "meterlake: missing package duckdb: install all requirements, pip install meterlake\n"


def test_duckdb_is_required_without_any_extra():
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert any(each.startswith("duckdb==") for each in required)
