"""Commands for a person are those that this person would type: as the program was started, with the same configuration."""

from __future__ import annotations

import pytest

from jobs.shared.called import as_typed, to_copy

HINT = "`main.py files` lists all; see main.py --help"


@pytest.mark.parametrize(
    ("started", "arguments", "said"),
    [
        ([".venv/bin/python", "main.py"], ["main.py"], ".venv/bin/python main.py"),
        (["/opt/my python", "/srv/main.py"], ["/srv/main.py"], "'/opt/my python' /srv/main.py"),
        (["/bin/python", "-P", "-c", "import main"], ["meterlake"], "meterlake"),
        (["/usr/bin/python3", "/usr/local/bin/meterlake"], ["/usr/local/bin/meterlake"], "meterlake"),
        (["python", "-m", "pytest"], ["/x/pytest/__main__.py"], "main.py"),
    ],
)
def test_the_program_is_named_as_it_was_started(monkeypatch, started, arguments, said):
    monkeypatch.setattr("sys.orig_argv", [*started, "status"])
    monkeypatch.setattr("sys.argv", [*arguments, "status"])
    assert as_typed(HINT) == f"`{said} files` lists all; see {said} --help"


def test_other_words_stay(monkeypatch):
    monkeypatch.setattr("sys.argv", ["meterlake"])
    for words in ("spark-submit jobs/main.py run", "main.py", "domain.py run", "main.pyx run"):
        assert as_typed(words) == words


@pytest.mark.parametrize("given", [["--config", "a b"], ["--config=a b"], ["--config", "x", "--config", "a b"]])
def test_a_command_to_copy_has_the_configuration_that_was_given(monkeypatch, given):
    monkeypatch.setattr("sys.argv", ["meterlake", "status", *given])
    assert to_copy("main.py files") == "meterlake files --config 'a b'"
    monkeypatch.setattr("sys.argv", ["meterlake", "status"])
    assert to_copy("main.py files") == "meterlake files"
