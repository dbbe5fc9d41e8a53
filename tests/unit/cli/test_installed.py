"""`meterlake`, as `make setup` installs it: from any folder, with the configuration that is found there; completion."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FEED = '[[feeds]]\nname = "gas"\nformat = "smrt"\npath = "landing/gas"\n'
# Prints, after the command's own output, what it imported of what takes long. (typer itself imports pydantic.)
HEAVY = {"pipeline.config.settings", "pyarrow", "deltalake", "pyspark", "duckdb"}
IMPORTED = (
    f"import sys, atexit, main, os; os._exit = lambda code: print(sorted({HEAVY} & set(sys.modules))); main.entry()"
)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The program in a `.venv` of a folder that is this checkout by links, made by the Makefile's own rule."""
    checkout = tmp_path_factory.mktemp("checkout with a blank")
    for name in [
        "main.py",
        "jobs",
        "pipeline",
        "conf",
        "jars",
        "Makefile",
        "pyproject.toml",
        "requirements.txt",
    ]:
        (checkout / name).symlink_to(ROOT / name)
    scripts = checkout / ".venv" / "bin"
    scripts.mkdir(parents=True)
    (scripts / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (scripts / "python").chmod(0o755)
    for stamp in (".created", ".packages"):
        (checkout / ".venv" / stamp).touch()
    made = subprocess.run(
        ["make", "--silent", "--no-print-directory", ".venv/bin/meterlake"],  # noqa: S607 - make is on PATH
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    return scripts / "meterlake"


def said(program, *arguments, cwd, **variables):
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd), "PYTHONPATH": "", **variables}
    return subprocess.run(
        [str(program), *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_it_runs_from_any_folder_and_by_a_link_whatever_lies_there(program, tmp_path):
    (tmp_path / "main.py").write_text("raise SystemExit('not ours')")
    (tmp_path / "jobs.py").write_text("raise SystemExit('not ours')")
    (tmp_path / "linked").symlink_to(program)
    for each in (program, tmp_path / "linked"):
        version = said(each, "--version", cwd=tmp_path)
        assert (version.returncode, version.stderr) == (0, "")
        assert version.stdout.startswith("meterlake ")
    wrong = said(program, "runn", cwd=tmp_path)
    assert wrong.returncode == 2
    assert wrong.stderr == "meterlake: no such command 'runn'. Did you mean 'run'? (see meterlake --help)\n"


def test_the_nearest_meterlake_toml_counts_with_its_paths(program, tmp_path):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "meterlake.toml").write_text('lake = "my_lake"\n' + FEED)
    first = said(program, "status", cwd=below)
    assert f"lake {tmp_path}/my_lake: has no tables yet" in first.stderr
    assert list(below.iterdir()) == []
    (tmp_path / "a" / "meterlake.toml").write_text(FEED)  # nearer, and without a lake of its own
    assert f"lake {tmp_path}/a/data_lake: has no tables yet" in said(program, "status", cwd=below).stderr
    named = said(program, "status", cwd=below, METERLAKE_CONFIG=str(tmp_path / "meterlake.toml"))
    assert f"lake {below}/my_lake: has no tables yet" in named.stderr  # paths of a file that is named: as ever
    named = said(program, "status", "--config", "../../meterlake.toml", cwd=below)
    assert f"lake {below}/my_lake: has no tables yet" in named.stderr


def test_without_one_it_is_conf_local_toml_as_before(program, tmp_path):
    missing = said(program, "status", cwd=tmp_path)
    assert missing.returncode == 2
    assert "configuration conf/local.toml: no such file" in missing.stderr
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "local.toml").write_text(FEED)
    assert f"lake {tmp_path}/data_lake: has no tables yet" in said(program, "status", cwd=tmp_path).stderr


def test_init_writes_the_file_that_is_found_then(program, tmp_path):
    assert said(program, "init", cwd=tmp_path).returncode == 0
    below = tmp_path / "data_lake" / "landing"
    assert f"lake {tmp_path}/data_lake: has no tables yet" in said(program, "status", cwd=below).stderr


def completed(program, cwd, *words):
    line = " ".join(["meterlake", *words])
    asked = {"_METERLAKE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    return said(program, cwd=cwd, **asked).stdout.split()


def test_a_shell_completes_commands_and_the_words_of_filters(program, tmp_path):
    (tmp_path / "meterlake.toml").write_text(FEED + FEED.replace("gas", "garden"))
    assert completed(program, tmp_path, "wi") == ["withdraw"]
    assert completed(program, tmp_path, "files", "--status", "re") == ["rejected"]
    assert completed(program, tmp_path, "files", "--feed", "ga") == ["gas", "garden"]
    assert completed(program, tmp_path, "rejected", "--feed", "re") == ["reference"]
    assert completed(program, tmp_path, "run", "s") == ["silver"]
    (tmp_path / "meterlake.toml").write_text("no TOML")
    assert completed(program, tmp_path, "files", "--feed", "ga") == []
    # What --install-completion writes; it finds the shell by the processes around it, which here are none.
    assert "complete_bash" in said(program, cwd=tmp_path, _METERLAKE_COMPLETE="source_bash").stdout


@pytest.mark.parametrize(
    ("arguments", "variables"),
    [
        (("--help",), {}),
        (("files", "--help"), {}),
        ((), {"_C_COMPLETE": "complete_bash", "COMP_WORDS": "-c files --feed g", "COMP_CWORD": "3"}),
    ],
    ids=str,
)
def test_help_and_completion_load_nothing_that_takes_long(tmp_path, arguments, variables):
    (tmp_path / "meterlake.toml").write_text(FEED)
    program = [sys.executable, "-c", IMPORTED, *arguments]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.stderr, done.stdout.splitlines()[-1]) == ("", "[]")
    assert len(done.stdout.splitlines()) > 1
