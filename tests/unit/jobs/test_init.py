"""`init` writes a configuration that loads, and nothing over what is there."""

from __future__ import annotations

import json

from pipeline.config.settings import load
from tests.conftest import command
from tests.unit.guess.supplier_files import FILES


def test_a_first_configuration_is_written_with_its_feed_s_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "conf" / "mine.toml"
    result = command("init", config=config)
    assert result.exit_code == 0, result.output
    assert f"--config {config}" in result.stdout
    assert "Then copy the files into data_lake/landing/readings, and:" in result.stdout
    assert f"run --config {config}" in " ".join(result.stdout.split())
    (feed,) = load(config).feeds
    assert (feed.name, feed.format, feed.csv.meter) == ("readings", "csv", "meter")
    assert (tmp_path / "data_lake/landing/readings").is_dir()
    assert max(map(len, config.read_text().splitlines())) <= 80


def test_it_is_never_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "mine.toml"
    config.write_text("lake = 'x'")
    result = command("init", config=config)
    assert result.exit_code == 2
    assert "is there already" in result.stderr
    assert config.read_text() == "lake = 'x'"
    config.unlink()
    config.symlink_to(tmp_path / "nowhere.toml")
    assert command("init", config=config).exit_code == 2
    assert not (tmp_path / "nowhere.toml").exists()


def test_from_a_file_it_has_the_feed_that_guess_finds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = tmp_path / FILES["fluvius"].name
    example.write_bytes(FILES["fluvius"].content)
    config = tmp_path / "mine.toml"
    result = command("init", "--from", str(example), "--json", config=config)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert "Put it into the configuration" not in config.read_text()
    (feed,) = load(config).feeds
    assert answer == {"written": str(config), "feed": feed.name, "folders": [feed.path]}
    assert feed.csv.direction.imported == ("Afname Dag", "Afname Nacht")


def test_from_a_file_that_cannot_be_guessed_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.csv").touch()
    result = command("init", "--from", "empty.csv", config=tmp_path / "mine.toml")
    assert result.exit_code == 1
    assert "it is empty" in result.stderr
    assert not (tmp_path / "mine.toml").exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    result = command("init", config=tmp_path / "file" / "mine.toml")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
